import { NEVER } from './state.js';
export function readCounters(state, counters, now) {
    for (const read of counters) {
        const nic = state.nics[read.nic];
        if (nic === undefined)
            continue;
        const moved = read.rxPackets - nic.rxPackets - (read.rxLinkLocal - nic.rxLinkLocal);
        // A count that fell belongs to a new card.
        if (moved > 0 && nic.rxPackets >= 0)
            nic.movedAt = now;
        nic.rxPackets = read.rxPackets;
        nic.txPackets = read.txPackets;
        nic.rxLinkLocal = read.rxLinkLocal;
    }
}
/** No received frame was counted since it last heard a poll frame; one reading may still cover the time before. */
export function isStalled(nic, pollMs) {
    return nic.movedAt === NEVER || nic.movedAt <= nic.heardAnyAt + pollMs * 1.25;
}
//# sourceMappingURL=counter.js.map