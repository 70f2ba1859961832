/**
 * Is a serial line fast enough for the timing? When it is all that two nodes have, the coordinator's word, its answer and
 * the lease (MEMBERSHIP 3) go over it one after the other, while it may be busy for half of the time only (DESIGN 6).
 */
import type { Ms } from '../input.js';
import { leaseMs } from '../membership/span.js';
import type { Cluster } from './cluster.js';
import { showDuration } from './duration.js';

const BITS_A_BYTE = 10;
/** Of a beat in its short form, with frame and checksum, without what depends on the cluster. */
const BEAT_BYTES = 74;
/** Standing words: fixed, and for each package its state and epoch. */
const STANDING_BYTES = 43;
const PACKAGE_BYTES = 15;
/** Append, answer, grant. */
const APPEND_BYTES = 28;
const ANSWER_BYTES = 60;
const GRANT_BYTES = 57;
const NIC_REPORT_BYTES = 5;
/** NICs beyond that have their turn in later beats. */
const NICS_MAX = 100;

/** Longest time from the beginning of a lease's request to that of the next, and through it. */
export function roundMs(cluster: Cluster, baud: number): Ms {
  const nics = Math.max(...cluster.nodes.map(({ nets }) => nets.reduce((sum, net) => sum + 1 + net.standby.length, 0)));
  const each =
    BEAT_BYTES +
    STANDING_BYTES +
    PACKAGE_BYTES * cluster.packages.length +
    NIC_REPORT_BYTES +
    Math.min(NICS_MAX, nics) +
    Math.ceil(cluster.packages.length / 8);
  const lineMs = (bytes: number): Ms => (bytes * BITS_A_BYTE * 1000) / baud;
  const told = lineMs(2 * each + APPEND_BYTES + GRANT_BYTES);
  return Math.max(cluster.timing.heartbeatMs, 2 * told) + told + lineMs(each + ANSWER_BYTES);
}

/** Why that baud rate is too small for the file; null: it is not. A lease must outlive the loss of one round. */
export function tooSlow(cluster: Cluster, baud: number): string | null {
  const lease = leaseMs(cluster.timing);
  const takes = roundMs(cluster, baud);
  if (takes <= lease / 2) return null;
  const enough = [9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600].find(
    (rate) => roundMs(cluster, rate) <= lease / 2,
  );
  return (
    `at ${baud} baud a round of the membership takes ${showDuration(Math.round(takes))}, more than half of the lease of ` +
    `${showDuration(Math.round(lease))}; ${enough === undefined ? 'use a longer heartbeat and nodeTimeout' : `at least ${enough} baud, or a longer heartbeat and nodeTimeout`}`
  );
}
