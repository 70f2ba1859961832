import { carryingNics, FAR } from './state.js';
import { graceMs } from './window.js';
/** On a grid, so that hundreds of nets are looked at in few wake-ups. */
function overdueAt(world, now) {
    const gridMs = graceMs(world) / 10;
    return Math.ceil((now + world.cluster.timing.pollMs + graceMs(world)) / gridMs) * gridMs;
}
/** A frame came; when the next one of its sender is overdue. Only pollers and those who answer ours can be counted on. */
export function expectNext(world, state, net, nic, key, poll, now) {
    if (poll.node !== world.self.name)
        followPeerPoller(state, net, key, poll);
    const counted = poll.kind === 'full' ? poll.poller : poll.kind === 'poll' || nic.nic === net.poller;
    if (net.polling === 'full' || !counted)
        return;
    const dueAt = overdueAt(world, now);
    nic.expects[key] = dueAt;
    net.checkDueAt = Math.min(net.checkDueAt, dueAt);
}
/** A node has one poller a net: its new one ends what was expected of the old one. */
function followPeerPoller(state, net, key, poll) {
    const sender = state.senders[key];
    if (poll.poller && !sender.poller)
        for (const member of net.members) {
            if (member.node !== poll.node || member.key === key)
                continue;
            const other = state.senders[member.key];
            if (other !== undefined)
                other.poller = false;
            for (const name of net.nics)
                delete state.nics[name].expects[member.key];
        }
    sender.poller = poll.poller;
}
/** Takes out what is overdue, and sets the net's next look. */
export function overdue(state, net, now) {
    const misses = [];
    let next = FAR;
    for (const nic of carryingNics(state, net))
        for (const [of, dueAt] of Object.entries(nic.expects)) {
            if (dueAt <= now) {
                delete nic.expects[of];
                misses.push({ nic, of });
            }
            else
                next = Math.min(next, dueAt);
        }
    net.checkDueAt = next;
    return misses;
}
/** After the own stall everything has a whole interval again. */
export function postpone(world, state, net, now) {
    const dueAt = overdueAt(world, now);
    for (const name of net.nics) {
        const { expects } = state.nics[name];
        for (const key of Object.keys(expects))
            expects[key] = dueAt;
    }
    if (net.polling === 'light')
        net.checkDueAt = dueAt;
}
//# sourceMappingURL=expectation.js.map