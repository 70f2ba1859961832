/**
 * A NIC that goes down again and again is not switched back to for a while, and each further time for twice as long.
 * The first hold lasts at least until `flapWindow` has passed since the second of its failures, so that no window sees
 * more than `flapMax` switches back.
 */
import type { Action } from '../action.js';
import type { Net } from '../config/cluster.js';
import type { Ms } from '../input.js';
import { clear, raise } from './account.js';
import type { HealthState, NicState } from './state.js';

/** A first hold is this part of `flapWindow`. */
const FIRST_PART = 1 / 10;
const LONGEST_WINDOWS = 6;

/** The NIC has just gone down. */
export function countDown(state: HealthState, net: Net, nic: NicState, now: Ms, out: Action[]): void {
  nic.downs = nic.downs.filter((at) => at > now - net.flapWindowMs);
  if (nic.downs.length === 0) nic.flapHoldMs = 0;
  nic.downs.push(now);
  if (nic.downs.length <= net.flapMax) return;
  nic.flapHoldMs =
    nic.flapHoldMs === 0
      ? net.flapWindowMs * FIRST_PART
      : Math.min(2 * nic.flapHoldMs, net.flapWindowMs * LONGEST_WINDOWS);
  const second = nic.downs[Math.max(0, nic.downs.length - net.flapMax)] ?? now;
  nic.verdict.holdUntil = Math.max(now + nic.flapHoldMs, second + net.flapWindowMs);
  const seconds = Math.round((nic.verdict.holdUntil - now) / 1000);
  const text = `${nic.nic} went down ${nic.downs.length} times within ${Math.round(net.flapWindowMs / 1000)} s: no switch back to it for ${seconds} s`;
  raise({ state, now, out }, `flapping ${nic.nic}`, 'flapping', text, { net: nic.net, nic: nic.nic });
}

/** Ends a hold that is over. Returns when it wants to be called again, or null. */
export function endHold(state: HealthState, nic: NicState, now: Ms, out: Action[]): Ms | null {
  if (nic.verdict.holdUntil > now) return nic.verdict.holdUntil;
  clear({ state, now, out }, `flapping ${nic.nic}`, { net: nic.net, nic: nic.nic });
  return null;
}
