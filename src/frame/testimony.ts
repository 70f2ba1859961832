/**
 * What a heartbeat says of nets, so that a NIC that its own net does not reach can still be judged: parts of the health
 * stage's own. Nets and NICs are named by their places in the cluster file, which both ends have.
 *
 * TARGETS: per net of the sender, in its order: milliseconds since a target answered there, 2 bytes; the first net's
 * place leads, 2 bytes.
 *
 * HEARING: what a poll frame's rows say (DESIGN 4), of one net.
 *   0  place of the net among all nets                                 2
 *   2  rows: count 1, each member 2 · target 1 · loss 2 · count 1, each member 2 · agoMs 2
 *
 * A member is the place of a NIC among all NICs of the net.
 */
import { numberAt, putNumber } from './octet.js';
import type { Part } from './part.js';

export const TARGETS = 2;
export const HEARING = 3;

/** More have their turn in the next beats. */
export const NETS_A_TESTIMONY = 50;
const HEARING_LENGTH_MAX = 400;
const HEARING_HEADER_LENGTH = 3;
const ROW_LENGTH = 6;
const ENTRY_LENGTH = 4;
/** Entries of a row that is alone. */
export const ENTRIES_A_TESTIMONY = Math.floor((HEARING_LENGTH_MAX - HEARING_HEADER_LENGTH - ROW_LENGTH) / ENTRY_LENGTH);
/** `agoMs`: not for longer than the field can say, or never. */
export const NOT_LATELY = 0xffff;

export interface Targets {
  first: number;
  agoMs: number[];
}

export interface HearingTestimony {
  net: number;
  rows: MemberRow[];
}

export interface MemberRow {
  member: number;
  /** Place in the words of the poll frame. */
  target: number;
  lossPermille: number;
  heard: { member: number; agoMs: number }[];
}

export function encodeTargets({ first, agoMs }: Targets): Part {
  const bytes = new Uint8Array(2 + 2 * agoMs.length);
  let at = putNumber(bytes, 0, first, 2);
  for (const ago of agoMs) at = putNumber(bytes, at, field(ago), 2);
  return { kind: TARGETS, bytes };
}

/** Null: damaged. */
export function decodeTargets(bytes: Uint8Array): Targets | null {
  if (bytes.length < 2 || bytes.length % 2 !== 0) return null;
  const agoMs: number[] = [];
  for (let at = 2; at < bytes.length; at += 2) agoMs.push(numberAt(bytes, at, 2));
  return { first: numberAt(bytes, 0, 2), agoMs };
}

/** Do all rows fit, with all their entries? */
export function fitsHearing(rows: readonly { heard: readonly unknown[] }[]): boolean {
  const length = rows.reduce((sum, { heard }) => sum + ROW_LENGTH + ENTRY_LENGTH * heard.length, HEARING_HEADER_LENGTH);
  return length <= HEARING_LENGTH_MAX;
}

/** Rows that do not fit are left out, of a row its last entries. */
export function encodeHearing({ net, rows }: HearingTestimony): Part {
  const bytes = new Uint8Array(HEARING_LENGTH_MAX);
  let at = putNumber(bytes, 0, net, 2) + 1;
  let count = 0;
  for (const row of rows) {
    if (at + ROW_LENGTH > HEARING_LENGTH_MAX || count === 255) break;
    const heard = row.heard.slice(0, Math.min(255, Math.floor((HEARING_LENGTH_MAX - at - ROW_LENGTH) / ENTRY_LENGTH)));
    at = putNumber(bytes, at, row.member, 2);
    at = putNumber(bytes, at, row.target, 1);
    at = putNumber(bytes, at, row.lossPermille, 2);
    at = putNumber(bytes, at, heard.length, 1);
    for (const entry of heard) at = putNumber(bytes, putNumber(bytes, at, entry.member, 2), field(entry.agoMs), 2);
    count++;
  }
  bytes[2] = count;
  return { kind: HEARING, bytes: bytes.slice(0, at) };
}

/** Null: damaged. */
export function decodeHearing(bytes: Uint8Array): HearingTestimony | null {
  if (bytes.length < 3) return null;
  const rows: MemberRow[] = [];
  let at = 3;
  for (let left = bytes[2]!; left > 0; left--) {
    if (at + ROW_LENGTH > bytes.length) return null;
    const [member, target, lossPermille] = [numberAt(bytes, at, 2), bytes[at + 2]!, numberAt(bytes, at + 3, 2)];
    const end = at + ROW_LENGTH + ENTRY_LENGTH * bytes[at + 5]!;
    if (end > bytes.length) return null;
    const heard: MemberRow['heard'] = [];
    for (at += ROW_LENGTH; at < end; at += ENTRY_LENGTH)
      heard.push({ member: numberAt(bytes, at, 2), agoMs: numberAt(bytes, at + 2, 2) });
    rows.push({ member, target, lossPermille, heard });
  }
  return at === bytes.length ? { net: numberAt(bytes, 0, 2), rows } : null;
}

function field(agoMs: number): number {
  return Math.max(0, Math.min(NOT_LATELY, Math.round(agoMs)));
}
