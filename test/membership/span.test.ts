/** The length of leases (MEMBERSHIP 5). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { profiles } from '../../src/config/timing.js';
import { leaseMs, surelyOverMs } from '../../src/membership/span.js';

describe('the lease (MEMBERSHIP 5)', () => {
  test('is 0.948 s of 1 s by default', () => {
    expect(leaseMs(profiles.default)).toBeCloseTo(948.05, 2);
  });

  test('is the longest that is surely over by nodeTimeout', () => {
    const times = fc.record({
      nodeTimeoutMs: fc.integer({ min: 50, max: 60_000 }),
      marginMs: fc.integer({ min: 15, max: 40 }),
    });
    fc.assert(
      fc.property(times, (timing) => {
        const lease = leaseMs(timing);
        expect(surelyOverMs(lease, timing)).toBeLessThanOrEqual(timing.nodeTimeoutMs);
        expect(surelyOverMs(lease + 0.01, timing)).toBeGreaterThan(timing.nodeTimeoutMs);
      }),
    );
  });

  test('T(0.9 s) is 0.952 s with the default margin', () => {
    expect(surelyOverMs(900, { marginMs: 50 })).toBeCloseTo(951.85, 1);
  });
});
