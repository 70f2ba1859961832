/** How long leases are, and when they are surely over (MEMBERSHIP 5). A leaf: the rules of a cluster file's timing stand on it too. */
import { CLOCK_ERROR } from '../frame/clock.js';
import type { Ms } from '../input.js';

interface Bounds {
  nodeTimeoutMs: Ms;
  marginMs: Ms;
}

/** T(d): how long an observer waits, on its own clock, until a lease of length `d` is surely over. */
export function surelyOverMs(leaseMs: Ms, { marginMs }: Pick<Bounds, 'marginMs'>): Ms {
  return (1 + CLOCK_ERROR) * (leaseMs / (1 - CLOCK_ERROR) + marginMs);
}

/** The longest lease L with T(L) ≤ nodeTimeout, in whole microseconds; not positive if there is none. */
export function leaseMs({ nodeTimeoutMs, marginMs }: Bounds): Ms {
  return Math.floor((nodeTimeoutMs / (1 + CLOCK_ERROR) - marginMs) * (1 - CLOCK_ERROR) * 1000) / 1000;
}
