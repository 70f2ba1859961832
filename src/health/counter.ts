/** Kernel counters: is the received count moving or stalled? Link-local group frames prove nothing beyond the next switch. */
import type { Counters, Ms } from '../input.js';
import { NEVER, type HealthState, type NicState } from './state.js';

export function readCounters(state: HealthState, counters: Counters[], now: Ms): void {
  for (const read of counters) {
    const nic = state.nics[read.nic];
    if (nic === undefined) continue;
    const moved = read.rxPackets - nic.rxPackets - (read.rxLinkLocal - nic.rxLinkLocal);
    // A count that fell belongs to a new card.
    if (moved > 0 && nic.rxPackets >= 0) nic.movedAt = now;
    nic.rxPackets = read.rxPackets;
    nic.txPackets = read.txPackets;
    nic.rxLinkLocal = read.rxLinkLocal;
  }
}

/** No received frame was counted since it last heard a poll frame; one reading may still cover the time before. */
export function isStalled(nic: NicState, pollMs: Ms): boolean {
  return nic.movedAt === NEVER || nic.movedAt <= nic.heardAnyAt + pollMs * 1.25;
}
