/** What the local switch says of itself: journal, alarms, and the last decisions for `why`. */
import type { JournalEntry } from '../status.js';
import type { Turn } from './state.js';

const DECISIONS_KEPT = 50;

export function journal({ out, now }: Turn, entry: Omit<JournalEntry, 'at'>): void {
  out.push({ kind: 'journal', entry: { at: now, ...entry } });
}

/** Kept for `why`, the last ones only. */
export function decide(
  { state, now }: Turn,
  subject: string,
  text: string,
  cause: string,
  evidence: Record<string, unknown>,
): void {
  state.decisions.push({ at: now, subject, text, cause, evidence });
  if (state.decisions.length > DECISIONS_KEPT) state.decisions.shift();
}

/** Raises the alarm of that key; one that is raised already only gets the new text. */
export function raise(turn: Turn, key: string, what: string, text: string): void {
  const known = turn.state.alarms[key];
  turn.state.alarms[key] = { since: known?.since ?? turn.now, what, text };
  if (known) return;
  journal(turn, { event: 'alarm-raised', cause: what, evidence: { about: key, text } });
}

export function clear(turn: Turn, key: string): void {
  const known = turn.state.alarms[key];
  if (known === undefined) return;
  delete turn.state.alarms[key];
  journal(turn, { event: 'alarm-cleared', cause: known.what, evidence: { about: key } });
}
