/** How much memory the daemon's threads may keep for what is young. */
import type { ResourceLimits } from 'node:worker_threads';
import type { Cluster } from '../config/cluster.js';

const ENGINE_MB = 4;
const HAND_MB = 2;
/** Each look and each poll is of all NICs: with many of them more is young at once. */
const NICS_A_MB = 20;

/**
 * V8 lets the young part of each thread's heap grow to 48 MB after a burst, the start for one, and gives little of it back;
 * nearly nothing lives long here.
 */
export function heapLimits(thread: 'engine' | 'hand', cluster: Cluster, node: string): ResourceLimits {
  const nets = cluster.nodes.find(({ name }) => name === node)?.nets ?? [];
  const nics = nets.reduce((sum, { standby }) => sum + 1 + standby.length, 0);
  return { maxYoungGenerationSizeMb: (thread === 'engine' ? ENGINE_MB : HAND_MB) + Math.floor(nics / NICS_A_MB) };
}
