export function raise(state, key, what, text, about, now, out) {
    const before = state.alarms[key];
    if (before !== undefined) {
        before.text = text;
        return;
    }
    state.alarms[key] = { since: now, what, text };
    out.push({ kind: 'journal', entry: { at: now, event: 'alarm-raised', ...about, cause: what, evidence: { text } } });
}
export function clear(state, key, about, now, out) {
    const alarm = state.alarms[key];
    if (alarm === undefined)
        return;
    delete state.alarms[key];
    const evidence = { text: alarm.text, forMs: now - alarm.since };
    out.push({ kind: 'journal', entry: { at: now, event: 'alarm-cleared', ...about, cause: alarm.what, evidence } });
}
//# sourceMappingURL=alarm.js.map