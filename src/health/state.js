/** Long before everything: state must survive JSON, which knows no -Infinity. */
export const NEVER = -1e15;
/** Long after everything. */
export const FAR = 1e15;
export function drop(state, reason) {
    state.dropped[reason] = (state.dropped[reason] ?? 0) + 1;
}
export function nicKey(node, nic) {
    return `${node}/${nic}`;
}
/** Own NICs of a net that have carrier. */
export function carryingNics(state, net) {
    return net.nics.map((nic) => state.nics[nic]).filter((nic) => nic.link === 'up');
}
//# sourceMappingURL=state.js.map