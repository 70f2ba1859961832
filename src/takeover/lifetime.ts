/**
 * The second layer below the gate (DESIGN 8): the kernel takes a floating address off by itself when nobody has renewed
 * it. Whole seconds, as the kernel counts; with `fence: lifetime` never beyond the lease.
 */
import type { Address, Ms } from '../input.js';
import type { Turn } from './state.js';

const LIFETIME_S = 30;
const RENEW_BELOW: Ms = 20_000;
/** With `fence: lifetime`: a renewal is worth its call if it wins so much. */
const GAIN_MIN: Ms = 500;

/** Seconds that an address gets now; not positive: the lease leaves none. */
export function lifetimeS({ world, state, now }: Turn): number {
  if (world.cluster.fence !== 'lifetime') return LIFETIME_S;
  return Math.floor(((state.floating.leaseEnd ?? now) - now) / 1000);
}

/** One that lies there for ever, or for a time that is not known, was not put there by this run. */
export function mustRenew(turn: Turn, key: string, nic: string, address: Address): boolean {
  const { world, state, now } = turn;
  const until = (state.floating.until[key] ??= endAsSeen(state.seenAt[nic] ?? now, address));
  if (world.cluster.fence === 'lifetime') return now + lifetimeS(turn) * 1000 - until >= GAIN_MIN;
  return until === NO_END || until - now < RENEW_BELOW;
}

/** Plain data holds no Infinity. */
const NO_END: Ms = -1;

export function endAsSeen(seenAt: Ms, { validS }: Address): Ms {
  return validS === undefined ? NO_END : seenAt + validS * 1000;
}

/** Did the kernel take it off by itself? */
export function hasExpired(until: Ms, now: Ms): boolean {
  return until !== NO_END && until <= now;
}

/** When the next renewal is due; Infinity: none. */
export function lifetimeDeadline({ world, state }: Turn): Ms {
  if (world.cluster.fence === 'lifetime') return Infinity;
  let at = Infinity;
  for (const until of Object.values(state.floating.until)) if (until !== NO_END) at = Math.min(at, until - RENEW_BELOW);
  return at;
}
