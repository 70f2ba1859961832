/** Does this node reach anything outside the cluster? */
import type { World } from '../world.js';
import { NEVER, type HealthState } from './state.js';

/** A target answers through one of its NICs. Null: the cluster file names none. */
export function reachesTarget(world: World, state: HealthState): boolean | null {
  if (world.cluster.nets.every(({ targets }) => targets.length === 0)) return null;
  const { pollMisses } = world.cluster.timing;
  return Object.values(state.nics).some(
    (nic) =>
      nic.link === 'up' &&
      Object.values(nic.targets).some(({ answeredAt, missed }) => answeredAt !== NEVER && missed < pollMisses),
  );
}
