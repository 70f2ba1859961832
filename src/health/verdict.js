import { countDown } from './flap.js';
/** As many as `why` can want. */
const DECISIONS_MAX = 100;
const RANK_SUSPECT = 3;
const RANK_DOWN = 4;
function rankOf(health, reason) {
    if (health === 'down')
        return RANK_DOWN;
    if (health === 'suspect')
        return RANK_SUSPECT;
    if (reason === undefined)
        return 0;
    return reason === 'unproven' ? 1 : 2;
}
/** `up`, `up split`, `suspect missed`, `down carrier`. */
export function describe({ health, reason }) {
    return reason === undefined ? health : `${health} ${reason}`;
}
/** Returns whether anything changed. */
export function become(state, net, nic, health, reason, cause, evidence, now, out) {
    const old = nic.verdict;
    if (old.health === health && old.reason === reason)
        return false;
    const { holdUntil } = old;
    const since = old.health === health ? old.since : now;
    nic.verdict = { health, ...(reason === undefined ? {} : { reason }), since, rank: rankOf(health, reason), holdUntil };
    const from = describe(old);
    const to = describe(nic.verdict);
    const entry = { at: now, event: 'nic-health', net: nic.net, nic: nic.nic, from, to, cause, evidence };
    out.push({ kind: 'journal', entry });
    state.decisions.push({ at: now, subject: nic.nic, text: `${nic.nic}: ${from} → ${to}`, cause, evidence });
    if (state.decisions.length > DECISIONS_MAX)
        state.decisions.shift();
    if (health === 'down' && old.health !== 'down')
        countDown(state, net, nic, now, out);
    return true;
}
//# sourceMappingURL=verdict.js.map