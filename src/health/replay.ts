/** Which numbers of a rising sequence were seen, out of the 64 up to the highest (RFC 4303 section 3.4.3). */
import type { Seen64 } from './state.js';

export function seenNone(): Seen64 {
  return { highest: 0, low: 0, high: 0 };
}

/** Seen, or too old to tell. Numbers begin at 1. */
export function wasSeen(seen: Seen64, sequence: number): boolean {
  if (sequence > seen.highest) return false;
  const behind = seen.highest - sequence;
  if (behind >= 64 || sequence < 1) return true;
  return (((behind < 32 ? seen.low : seen.high) >>> (behind & 31)) & 1) === 1;
}

export function markSeen(seen: Seen64, sequence: number): void {
  const ahead = sequence - seen.highest;
  if (ahead <= 0) {
    const behind = -ahead;
    if (behind < 32) seen.low = (seen.low | (1 << behind)) >>> 0;
    else if (behind < 64) seen.high = (seen.high | (1 << (behind - 32))) >>> 0;
    return;
  }
  seen.highest = sequence;
  if (ahead >= 64) {
    seen.high = 0;
    seen.low = 1;
  } else if (ahead >= 32) {
    seen.high = (seen.low << (ahead - 32)) >>> 0;
    seen.low = 1;
  } else {
    seen.high = ((seen.high << ahead) | (seen.low >>> (32 - ahead))) >>> 0;
    seen.low = ((seen.low << ahead) | 1) >>> 0;
  }
}
