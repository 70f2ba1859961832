/** What a stage says of itself: journal, alarms, and the last decisions for `why`. The stages to the right say it in this way too. */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { Alarm, Decision, JournalEntry } from '../status.js';

/** As many as `why` can want. */
const DECISIONS_KEPT = 100;

/** One step of a stage, as far as it is told of. */
interface Turn {
  state: { alarms: Record<string, Alarm>; decisions: Decision[] };
  now: Ms;
  out: Action[];
}

/** What the alarm is about, for the journal; evidence goes before its text. */
type About = Pick<JournalEntry, 'net' | 'nic' | 'peer' | 'package' | 'evidence'>;

export function journal({ now, out }: Turn, entry: Omit<JournalEntry, 'at'>): void {
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

/** Raises the alarm of that key; one that is raised already only gets the new words. */
export function raise(turn: Turn, key: string, what: string, text: string, { evidence, ...about }: About = {}): void {
  const { alarms } = turn.state;
  const known = alarms[key];
  alarms[key] = { since: known?.since ?? turn.now, what, text };
  if (known !== undefined) return;
  journal(turn, { event: 'alarm-raised', ...about, cause: what, evidence: { ...evidence, text } });
}

export function clear(turn: Turn, key: string, about: About = {}): void {
  const { alarms } = turn.state;
  // Mostly there is none: to look up a key that was just put together costs more than to see that.
  if (!hasAny(alarms)) return;
  const known = alarms[key];
  if (known === undefined) return;
  delete alarms[key];
  const { since, what, text } = known;
  const forMs = turn.now - since;
  const { evidence, ...rest } = about;
  journal(turn, { event: 'alarm-cleared', ...rest, cause: what, evidence: { ...evidence, text, forMs } });
}

function hasAny(alarms: Record<string, Alarm>): boolean {
  for (const _ in alarms) return true;
  return false;
}
