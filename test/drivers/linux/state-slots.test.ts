import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  freshSlots,
  nextWrite,
  readSlots,
  SECTOR,
  type Slots,
  type SlotWrite,
} from '../../../drivers/linux/state-slots.js';

const textOf = (read: ReturnType<typeof readSlots>): string | null => ('text' in read ? read.text.toString() : null);
const wrongOf = (read: ReturnType<typeof readSlots>): string | null => ('wrong' in read ? read.wrong : null);

/** A disk, which writes sectors whole and in any order. */
class Disk {
  bytes: Buffer = Buffer.alloc(0);
  slots: Slots = { sectors: 0, newest: 0, write: 0 };

  constructor(text: string) {
    const { bytes, slots } = freshSlots(Buffer.from(text), 1);
    this.bytes = bytes;
    this.slots = slots;
  }

  planned(text: string): SlotWrite {
    return nextWrite(this.slots, Buffer.from(text))!;
  }

  /** All of it, or only the sectors that `has` names. */
  write({ at, bytes, slots }: SlotWrite, has: (sector: number) => boolean = () => true): void {
    for (let from = 0; from < bytes.length; from += SECTOR)
      if (has(from / SECTOR)) bytes.copy(this.bytes, at + from, from, from + SECTOR);
    this.slots = slots;
  }

  store(text: string): void {
    this.write(this.planned(text));
  }
}

describe('the slots of the durable record', () => {
  it('have these bytes', () => {
    const { bytes, at, slots } = freshSlots(Buffer.from('{"term":1}'), 0x010203);
    expect({ at, slots, length: bytes.length }).toEqual({
      at: 0,
      slots: { sectors: 16, newest: 0, write: 0x010203 },
      length: 16_384,
    });
    const head = bytes.subarray(0, 48 + 10).toString('hex');
    expect(head.match(/^(.{32})(.{12})(..)(..)(.{8})(.{8})(.{32})(.*)$/)!.slice(1)).toEqual([
      '8e9ab44dd56aa5cd80ffc649b3e43013',
      '000000010203',
      '01',
      '00',
      '00000000',
      '0000000a',
      '9d870ed9615af77b0715c3848dd80765',
      Buffer.from('{"term":1}').toString('hex'),
    ]);
    expect(bytes.subarray(58, SECTOR)).toEqual(Buffer.alloc(SECTOR - 58));
  });

  it('take records by turns, each with the next number', () => {
    const disk = new Disk('a');
    const second = disk.planned('b');
    expect(second).toMatchObject({ at: 8192, slots: { sectors: 16, newest: 1, write: 2 } });
    expect(second.bytes.length).toBe(SECTOR);
    disk.write(second);
    expect(disk.planned('c')).toMatchObject({ at: 0, slots: { newest: 0, write: 3 } });
    expect(readSlots(disk.bytes)).toEqual({ text: Buffer.from('b'), slots: { sectors: 16, newest: 1, write: 2 } });
  });

  it('are doubled for a record that does not fit', () => {
    const room = 16 * 464;
    expect(nextWrite(new Disk('').slots, Buffer.alloc(room))).not.toBeNull();
    expect(nextWrite(new Disk('').slots, Buffer.alloc(room + 1))).toBeNull();
    const { bytes, slots } = freshSlots(Buffer.alloc(room + 1, 'x'), 9);
    expect(slots.sectors).toBe(32);
    expect(textOf(readSlots(bytes))).toBe('x'.repeat(room + 1));
  });

  it('P2: prove nothing when the newest record was damaged after it was synced, although the other slot is whole', () => {
    const disk = new Disk('a');
    disk.store('b');
    disk.bytes[8192 + 300]! ^= 1;
    expect(wrongOf(readSlots(disk.bytes))).toBe('a checksum fails');
    disk.bytes.fill(0, 8192, 8192 + SECTOR);
    expect(wrongOf(readSlots(disk.bytes))).toBe('a checksum fails');
  });

  it('P2: prove nothing when a sector is that of another place, or of another time', () => {
    const long = (letter: string): string => letter.repeat(1000);
    const disk = new Disk(long('a'));
    disk.store(long('b'));
    const early = Buffer.from(disk.bytes);
    disk.store(long('c'));
    disk.store(long('d'));
    const swapped = Buffer.from(disk.bytes);
    disk.bytes.copy(swapped, 0, SECTOR, 2 * SECTOR);
    expect(wrongOf(readSlots(swapped))).toBe('a checksum fails');
    const crossed = Buffer.from(disk.bytes);
    disk.bytes.copy(crossed, 0, 8192, 8192 + SECTOR);
    expect(wrongOf(readSlots(crossed))).toBe('a checksum fails');
    // Slot 0 lost a part of what it had synced before slot 1 was written.
    const lost = Buffer.from(disk.bytes);
    early.copy(lost, SECTOR, SECTOR, 2 * SECTOR);
    expect(wrongOf(readSlots(lost))).toBe('its records do not follow each other');
    // Both of them.
    early.copy(lost, 8192 + SECTOR, 8192 + SECTOR, 8192 + 2 * SECTOR);
    expect(wrongOf(readSlots(lost))).toBe('no record in it is whole');
  });

  it('P2: prove nothing once any byte is another one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 2000 }), { minLength: 1, maxLength: 5 }),
        fc.nat(16_383),
        fc.integer({ min: 1, max: 255 }),
        ([first, ...rest], at, by) => {
          const disk = new Disk(first!);
          for (const text of rest) disk.store(text);
          disk.bytes[at]! ^= by;
          expect(wrongOf(readSlots(disk.bytes))).not.toBeNull();
        },
      ),
    );
  });

  it('P1: with the power lost within any write, again and again, hold what was synced last, or what was being written', () => {
    const write = fc.record({
      text: fc.string({ maxLength: 3000, size: 'max' }),
      // Null: it is synced. Else those sectors are on the disk when the power is gone.
      cut: fc.option(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 })),
    });
    fc.assert(
      fc.property(fc.string(), fc.array(write, { maxLength: 12 }), (first, writes) => {
        const disk = new Disk(first);
        let synced = first;
        for (const { text, cut } of writes) {
          disk.write(disk.planned(text), (sector) => cut === null || cut[sector % cut.length] === true);
          const read = readSlots(disk.bytes);
          expect([...(cut === null ? [] : [synced]), text]).toContain(textOf(read));
          synced = textOf(read)!;
          // The next daemon knows only what it reads.
          if (cut !== null) disk.slots = (read as { slots: Slots }).slots;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('P1: go on after a write that the disk refused half done', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }), { maxLength: 5 }), (tries) => {
        const disk = new Disk('synced');
        for (const [i, has] of tries.entries()) {
          const { newest } = disk.slots;
          disk.write(disk.planned(String(i).repeat(3000)), (sector) => has[sector]!);
          if (has.every(Boolean)) return;
          // Refused: the number is used up, the slot is not the newest.
          disk.slots = { ...disk.slots, newest };
          expect(textOf(readSlots(disk.bytes))).toBe('synced');
        }
        disk.store('next');
        expect(textOf(readSlots(disk.bytes))).toBe('next');
      }),
    );
  });
});
