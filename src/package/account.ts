/** What this stage says of itself: journal, alarms, and the last decisions for `why`. */
import type { JournalEntry } from '../status.js';
import type { Turn } from './state.js';

const DECISIONS_KEPT = 100;

export function journal({ out, now }: Turn, entry: Omit<JournalEntry, 'at'>): void {
  out.push({ kind: 'journal', entry: { at: now, ...entry } });
}

/** Kept for `why`, the last ones only. */
export function record(
  { state, now }: Turn,
  subject: string,
  text: string,
  cause: string,
  evidence: Record<string, unknown>,
): void {
  state.decisions.push({ at: now, subject, text, cause, evidence });
  if (state.decisions.length > DECISIONS_KEPT) state.decisions.shift();
}

export interface DueAlarm {
  what: string;
  package: string;
  text: string;
}

/** Raises those that are new, clears those that are over. */
export function alarm(turn: Turn, due: readonly DueAlarm[]): void {
  const { state, now } = turn;
  const keyed = new Map(due.map((one) => [`${one.what} ${one.package}`, one]));
  for (const [key, { what, package: name, text }] of keyed) {
    const known = state.alarms[key];
    state.alarms[key] = { since: known?.since ?? now, what, text };
    if (!known) journal(turn, { event: 'alarm-raised', package: name, cause: what, evidence: { text } });
  }
  for (const [key, { what, text, since }] of Object.entries(state.alarms)) {
    if (keyed.has(key)) continue;
    delete state.alarms[key];
    const name = key.slice(what.length + 1);
    journal(turn, {
      event: 'alarm-cleared',
      package: name,
      cause: what,
      evidence: { text, forMs: now - since },
    });
  }
}
