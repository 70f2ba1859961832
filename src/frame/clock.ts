/**
 * What a node says of its monotonic clock, so that another can compare the rates of the two: a part of heartbeats.
 *
 *   own time, µs 6 · last time of the receiver's that was heard, µs, or 0 6 · µs since then 4
 */
import { numberAt, putNumber } from './octet.js';
import type { Part } from './part.js';

export const CLOCK = 5;

/** ρ: bound on the rate error of each node's clock (MEMBERSHIP 5). */
export const CLOCK_ERROR = 0.001;

const LENGTH = 16;
const TIME_MAX = 2 ** 48 - 1;
const HELD_MAX = 2 ** 32 - 1;

/** All in whole microseconds. */
export interface ClockWord {
  time: number;
  /** As the sender of this word heard it from the receiver; 0: not yet. */
  heard: number;
  held: number;
}

export function encodeClock({ time, heard, held }: ClockWord): Part {
  const bytes = new Uint8Array(LENGTH);
  putNumber(bytes, 0, Math.min(time, TIME_MAX), 6);
  putNumber(bytes, 6, heard, 6);
  putNumber(bytes, 12, Math.min(held, HELD_MAX), 4);
  return { kind: CLOCK, bytes };
}

/** Null: damaged, or another part. */
export function decodeClock({ kind, bytes }: Part): ClockWord | null {
  if (kind !== CLOCK || bytes.length !== LENGTH) return null;
  return { time: numberAt(bytes, 0, 6), heard: numberAt(bytes, 6, 6), held: numberAt(bytes, 12, 4) };
}
