import fc from 'fast-check';
import { expect, it } from 'vitest';
import { markSeen, seenNone, wasSeen } from '../../src/health/replay.js';

it('knows of the 64 numbers up to the highest which were seen, and takes older ones for seen', () => {
  const near = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 2 ** 47, max: 2 ** 47 + 200 })));
  fc.assert(
    fc.property(near, (numbers) => {
      const seen = seenNone();
      const known = new Set<number>();
      let highest = 0;
      for (const number of numbers) {
        const expected = number <= highest && (highest - number >= 64 || known.has(number));
        expect(wasSeen(seen, number)).toBe(expected);
        if (expected) continue;
        markSeen(seen, number);
        known.add(number);
        highest = Math.max(highest, number);
        expect(wasSeen(seen, number)).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

it('0 is no sequence', () => {
  const seen = seenNone();
  expect(wasSeen(seen, 0)).toBe(true);
  markSeen(seen, 1);
  expect(wasSeen(seen, 0)).toBe(true);
});
