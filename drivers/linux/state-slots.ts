/**
 * The bytes of the durable record: two slots of as many sectors, written by turns, so that one of them always holds what was
 * synced last.
 *
 *   ┌ sector ─ sector ─ sector … ┐┌ sector ─ sector ─ sector … ┐
 *   └────────── slot 0 ──────────┘└────────── slot 1 ──────────┘
 *   sector: checksum 16 │ write 6 │ format 1 │ slot 1 │ index 4 │ length of the text 4 │ checksum of the text 16 │ text 464
 *
 * Each sector proves itself, and bears the number of the write that it is from; no two writes have the same. Disks write
 * whole sectors. So a write that was cut off leaves sectors that are good, but of several writes: the other slot counts, and
 * nothing was said by the newer one. A sector that is not good was damaged afterwards, perhaps in the newest record: then
 * nothing is believed (MEMBERSHIP P2), since going back to the record before would be a disk rolled back.
 */
import { createHash } from 'node:crypto';

/** What every disk writes whole. */
export const SECTOR = 512;
const SUM = 16;
const HEAD = SUM + 6 + 1 + 1 + 4 + 4 + SUM;
const ROOM = SECTOR - HEAD;
const FORMAT = 1;
/** Of a slot; a larger record doubles it until it fits. */
const SECTORS_MIN = 16;

/** Where the next write goes, and its number. */
export interface Slots {
  /** Of one slot. */
  sectors: number;
  /** The slot that holds the newest record. */
  newest: 0 | 1;
  /** The highest number that any write had, done or not. */
  write: number;
}

export interface SlotWrite {
  /** Byte of the file. */
  at: number;
  bytes: Buffer;
  /** As it is once the write is synced. */
  slots: Slots;
}

/** A whole file with the text in slot 0; slot 1 is good, and empty. */
export function freshSlots(text: Buffer, write: number): SlotWrite {
  let sectors = SECTORS_MIN;
  while (sectors < sectorsFor(text)) sectors *= 2;
  const rest = Array.from({ length: sectors - sectorsFor(text) }, (_, i) => i + sectorsFor(text));
  const empty = Buffer.alloc(0);
  const bytes = [
    slotBytes(text, 0, write),
    ...rest.map((index) => sectorBytes(empty, 0, index, 0)),
    ...Array.from({ length: sectors }, (_, index) => sectorBytes(empty, 1, index, 0)),
  ];
  return { at: 0, bytes: Buffer.concat(bytes), slots: { sectors, newest: 0, write } };
}

/** Null: it needs larger slots. */
export function nextWrite({ sectors, newest, write }: Slots, text: Buffer): SlotWrite | null {
  if (sectorsFor(text) > sectors) return null;
  const slot = newest === 0 ? 1 : 0;
  const next = { sectors, newest: slot, write: write + 1 } as const;
  return { at: slot * sectors * SECTOR, bytes: slotBytes(text, slot, next.write), slots: next };
}

function sectorsFor(text: Buffer): number {
  return Math.max(1, Math.ceil(text.length / ROOM));
}

function slotBytes(text: Buffer, slot: number, write: number): Buffer {
  const sum = sumOf(text);
  return Buffer.concat(Array.from({ length: sectorsFor(text) }, (_, i) => sectorBytes(text, slot, i, write, sum)));
}

function sectorBytes(text: Buffer, slot: number, index: number, write: number, sum = sumOf(text)): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  let at = bytes.writeUIntBE(write, SUM, 6);
  at = bytes.writeUInt8(FORMAT, at);
  at = bytes.writeUInt8(slot, at);
  at = bytes.writeUInt32BE(index, at);
  at = bytes.writeUInt32BE(text.length, at);
  at += sum.copy(bytes, at);
  text.subarray(index * ROOM, (index + 1) * ROOM).copy(bytes, at);
  sumOf(bytes.subarray(SUM)).copy(bytes);
  return bytes;
}

interface Sector {
  write: number;
  length: number;
  sum: Buffer;
  text: Buffer;
}

/** Null: it does not prove itself, or not as the one that should be there. */
function readSector(bytes: Buffer, slot: number, index: number): Sector | null {
  if (!sumOf(bytes.subarray(SUM)).equals(bytes.subarray(0, SUM))) return null;
  const at = SUM + 6;
  if (bytes[at] !== FORMAT || bytes[at + 1] !== slot || bytes.readUInt32BE(at + 2) !== index) return null;
  const sum = bytes.subarray(HEAD - SUM, HEAD);
  return { write: bytes.readUIntBE(SUM, 6), length: bytes.readUInt32BE(at + 6), sum, text: bytes.subarray(HEAD) };
}

interface Slot {
  /** Null: the last write to it was cut off, or there was none. */
  text: Buffer | null;
  /** Of that text. */
  write: number;
  /** The highest number in any of its sectors. */
  highest: number;
}

/** Null: a sector is damaged. */
function readSlot(bytes: Buffer, slot: number): Slot | null {
  const sectors: Sector[] = [];
  for (let index = 0; index * SECTOR < bytes.length; index++) {
    const sector = readSector(bytes.subarray(index * SECTOR, (index + 1) * SECTOR), slot, index);
    if (sector === null) return null;
    sectors.push(sector);
  }
  const { write, length, sum } = sectors[0]!;
  const count = Math.max(1, Math.ceil(length / ROOM));
  const mine = sectors.slice(0, count);
  const text = Buffer.concat(mine.map((sector) => sector.text)).subarray(0, length);
  const isWhole = write > 0 && mine.length === count && mine.every((sector) => sector.write === write);
  const highest = Math.max(...sectors.map((sector) => sector.write));
  return { text: isWhole && sumOf(text).equals(sum) ? text : null, write, highest };
}

export type SlotsRead = { text: Buffer; slots: Slots } | { wrong: string };

/** What a whole file says. */
export function readSlots(bytes: Buffer): SlotsRead {
  const sectors = bytes.length / (2 * SECTOR);
  if (!Number.isInteger(sectors) || sectors < SECTORS_MIN) return { wrong: `${bytes.length} bytes are not its length` };
  const half = bytes.length / 2;
  const [first, second] = [readSlot(bytes.subarray(0, half), 0), readSlot(bytes.subarray(half), 1)];
  if (first === null || second === null) return { wrong: 'a checksum fails' };
  const newest = (second.text ? second.write : 0) > (first.text ? first.write : 0) ? 1 : 0;
  const [found, other] = newest === 0 ? [first, second] : [second, first];
  if (found.text === null) return { wrong: 'no record in it is whole' };
  // What was cut off is a write after the newest record that is whole, into the other slot: nothing else happens by itself.
  const isCutOff = other.highest > found.write;
  if (found.highest > found.write || (other.text === null && other.highest > 0 && !isCutOff))
    return { wrong: 'its records do not follow each other' };
  return { text: found.text, slots: { sectors, newest, write: Math.max(found.write, other.highest) } };
}

function sumOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, SUM);
}
