/** How long leases are, and when they are surely over (MEMBERSHIP 5). `config/timing.ts` refuses a file with the same figures. */
import type { Timing } from '../config/cluster.js';
import type { Ms } from '../input.js';

/** ρ: bound on the rate error of each node's clock. */
const CLOCK_ERROR = 0.001;

type Bounds = Pick<Timing, 'nodeTimeoutMs' | 'marginMs'>;

/** T(d): how long an observer waits, on its own clock, until a lease of length `d` is surely over. */
export function surelyOverMs(leaseMs: Ms, { marginMs }: Bounds): Ms {
  return (1 + CLOCK_ERROR) * (leaseMs / (1 - CLOCK_ERROR) + marginMs);
}

/** The longest lease L with T(L) ≤ nodeTimeout, in whole microseconds. */
export function leaseMs({ nodeTimeoutMs, marginMs }: Bounds): Ms {
  return Math.floor((nodeTimeoutMs / (1 + CLOCK_ERROR) - marginMs) * (1 - CLOCK_ERROR) * 1000) / 1000;
}
