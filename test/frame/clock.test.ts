import { expect, test } from 'vitest';
import { CLOCK, decodeClock, encodeClock } from '../../src/frame/clock.js';

const word = { time: 0x0102030405a1, heard: 0x0a0b0c0d0ef2, held: 0x10203040 };
const bytes = Uint8Array.of(1, 2, 3, 4, 5, 0xa1, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0xf2, 0x10, 0x20, 0x30, 0x40);

test('the canonical bytes, there and back', () => {
  expect(encodeClock(word)).toEqual({ kind: CLOCK, bytes });
  expect(decodeClock({ kind: CLOCK, bytes })).toEqual(word);
});

test('what does not fit is cut to the most that does', () => {
  const most = { time: 2 ** 48 - 1, heard: 0, held: 2 ** 32 - 1 };
  expect(decodeClock(encodeClock({ time: 2 ** 50, heard: 0, held: 2 ** 40 }))).toEqual(most);
});

test('of another length, or another part: nothing', () => {
  expect(decodeClock({ kind: CLOCK, bytes: bytes.slice(0, 15) })).toBe(null);
  expect(decodeClock({ kind: CLOCK, bytes: Uint8Array.of(...bytes, 0) })).toBe(null);
  expect(decodeClock({ kind: CLOCK + 1, bytes })).toBe(null);
});
