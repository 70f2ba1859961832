/** Which frames this stage looks at: all that may be a test of a MAC, or say where an address lives. */
import { isProbe } from '../frame/arp.js';
import { ETHERTYPE_ARP, ETHERTYPE_POLL, etherTypeOf } from '../frame/ethernet.js';
import type { World } from '../world.js';
import type { TakeoverState } from './state.js';
import { awaitsTests } from './trial.js';

export function concerns(world: World, { floating }: TakeoverState, nic: string, bytes: Uint8Array): boolean {
  const etherType = etherTypeOf(bytes);
  if (etherType === ETHERTYPE_POLL) return false;
  if (awaitsTests(world, floating.trials, nic)) return true;
  if (etherType === ETHERTYPE_ARP && isProbe(bytes)) return false;
  if (floating.inquests.open.length > 0) return true;
  for (const name in world.jobs) if (world.jobs[name]!.state === 'running') return true;
  return false;
}
