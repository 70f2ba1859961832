/** How long things may take at most, from the cluster file's timing (DESIGN 4 to 7, MEMBERSHIP 5) and what kernels were measured to do (DESIGN 17). */
import type { Timing } from '../../config/cluster.js';
import type { Ms } from '../../input.js';

/** One call may be held by the kernel so long. */
const KERNEL_HOLDS_MS: Ms = 250;
/** A name for sums of fractions, jitter of timers, and the few hundred short calls of a large plan. */
const SLACK_MS: Ms = 50;

/** From the first call of a change of the kernel to its last: one of them is held. */
export function changeMs(): Ms {
  return KERNEL_HOLDS_MS + SLACK_MS;
}

/** From the loss of a carrier to the addresses on a standby that is fit: seen, judged by the next poll at the latest, done. */
export function switchMs({ carrierPollMs, pollMs }: Timing): Ms {
  return carrierPollMs + pollMs + 2 * changeMs();
}
