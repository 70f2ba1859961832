import { NEVER } from './state.js';
import { isProbeBlocked } from './target.js';
import { framesNeeded, fullPollMs, graceMs, netLoss } from './window.js';
export function status(world, state, now) {
    const nets = Object.values(state.nets);
    return {
        alarms: Object.values(state.alarms),
        decisions: state.decisions,
        nics: nets.flatMap((net) => net.nics.map((name) => nicStatus(world, state, net, state.nics[name], now))),
        nets: nets.map((net) => ({ name: net.name, polling: net.polling, hearing: matrix(world, state, net, now) })),
        dropped: state.dropped,
    };
}
/** The last window: while polling is light, as many light polls as a full window has full ones. */
function shownMs(world, state, net, now) {
    const { pollMs, pollMisses } = world.cluster.timing;
    if (net.polling === 'light')
        return pollMisses * pollMs + graceMs(world);
    return framesNeeded(world, netLoss(world, state, net, now)) * fullPollMs(world) + graceMs(world);
}
function nicStatus(world, state, net, nic, now) {
    const hearing = matrix(world, state, net, now);
    const { health, reason, since } = nic.verdict;
    const hears = hearing.filter((pair) => pair.to === nic.key).map((pair) => [pair.from, pair.agoMs]);
    const heardBy = hearing.filter((pair) => pair.from === nic.key).map((pair) => [pair.to, pair.agoMs]);
    return {
        name: nic.nic,
        net: net.name,
        role: nic.role,
        health,
        ...(reason === undefined ? {} : { reason }),
        since,
        poller: nic.nic === net.poller,
        rxPackets: Math.max(0, nic.rxPackets),
        txPackets: Math.max(0, nic.txPackets),
        hears: Object.fromEntries(hears),
        heardBy: Object.fromEntries(heardBy),
        targets: targetsStatus(world, state, nic, now),
        ...(nic.role === 'standby' ? { ready: { ok: nic.readiness.length === 0, why: nic.readiness } } : {}),
    };
}
function targetsStatus(world, state, nic, now) {
    const shown = {};
    for (const [address, target] of Object.entries(nic.targets)) {
        const everAnswered = target.answeredAt !== NEVER;
        shown[address] = {
            answers: nic.link === 'up' && everAnswered && target.missed < world.cluster.timing.pollMisses,
            ...(everAnswered ? { agoMs: now - target.answeredAt } : {}),
            ...(isProbeBlocked(world, state, nic, target) ? { note: 'probe-blocked' } : {}),
        };
    }
    return shown;
}
/** `from` was heard by `to`. */
function matrix(world, state, net, now) {
    const limit = shownMs(world, state, net, now);
    const pairs = [];
    const add = (from, to, at) => {
        if (now - at <= limit)
            pairs.push({ from, to, agoMs: now - at });
    };
    for (const name of net.nics) {
        const nic = state.nics[name];
        for (const [from, heard] of Object.entries(nic.hears))
            add(from, nic.key, heard.at);
    }
    for (const [to, report] of Object.entries(net.reports))
        for (const [from, at] of Object.entries(report.heard))
            add(from, to, at);
    return pairs;
}
//# sourceMappingURL=status.js.map