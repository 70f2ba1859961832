import { clear, raise } from './alarm.js';
/** A sighting is over after this many light polls without another. */
const POLLS_UNTIL_OVER = 25;
export function sight(state, nic, poll, now, out) {
    const from = `${poll.node}/${poll.nic}`;
    const key = `${nic.nic} ${from}`;
    const known = state.cabling[key];
    state.cabling[key] = { at: now, nic: nic.nic, net: nic.net, from, fromNet: poll.net };
    if (known !== undefined && known.fromNet === poll.net)
        return;
    const text = `${nic.key} of net ${nic.net} hears ${from} of net ${poll.net}: the two nets are joined`;
    const evidence = { here: nic.key, net: nic.net, there: from, thereNet: poll.net };
    const about = { net: nic.net, nic: nic.nic };
    out.push({ kind: 'journal', entry: { at: now, event: 'cabling', ...about, cause: 'foreign-net', evidence } });
    raise(state, `cabling ${key}`, 'cabling', text, about, now, out);
}
export function forgetSightings(world, state, now, out) {
    const over = now - POLLS_UNTIL_OVER * world.cluster.timing.pollMs;
    for (const [key, sighting] of Object.entries(state.cabling)) {
        if (sighting.at > over)
            continue;
        delete state.cabling[key];
        clear(state, `cabling ${key}`, { net: sighting.net, nic: sighting.nic }, now, out);
    }
}
//# sourceMappingURL=cabling.js.map