/** Alarms of this stage: raised once, cleared once, each with its line in the journal. */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { JournalEntry } from '../status.js';
import type { HealthState } from './state.js';

export function raise(
  state: HealthState,
  key: string,
  what: string,
  text: string,
  about: Pick<JournalEntry, 'net' | 'nic' | 'peer'>,
  now: Ms,
  out: Action[],
): void {
  const before = state.alarms[key];
  if (before !== undefined) {
    before.text = text;
    return;
  }
  state.alarms[key] = { since: now, what, text };
  out.push({ kind: 'journal', entry: { at: now, event: 'alarm-raised', ...about, cause: what, evidence: { text } } });
}

export function clear(
  state: HealthState,
  key: string,
  about: Pick<JournalEntry, 'net' | 'nic' | 'peer'>,
  now: Ms,
  out: Action[],
): void {
  const alarm = state.alarms[key];
  if (alarm === undefined) return;
  delete state.alarms[key];
  const evidence = { text: alarm.text, forMs: now - alarm.since };
  out.push({ kind: 'journal', entry: { at: now, event: 'alarm-cleared', ...about, cause: alarm.what, evidence } });
}
