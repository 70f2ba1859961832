/** Alarms of this stage: raised once, cleared once, each with its line in the journal. */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { MembershipState } from './state.js';

export type MembershipAlarm =
  /** No coordinator with a majority; the text names whom it waits for. */
  | 'no-quorum'
  | 'arbiter-unreachable'
  /** The arbiter is another voter than the document has: it lost its data. */
  | 'arbiter-lost'
  | 'state-not-stored'
  /** This node is another voter than the document has: its disk was lost. */
  | 'state-lost'
  /** Nodes of the cluster file, or its arbiter, that the document does not have as voters. */
  | 'without-vote'
  /** `quorum: none`: both nodes may have served at once. */
  | 'dual';

export function raiseAlarm(state: MembershipState, what: MembershipAlarm, text: string, now: Ms, out: Action[]): void {
  const before = state.alarms[what];
  if (before !== undefined) {
    before.text = text;
    return;
  }
  state.alarms[what] = { since: now, what, text };
  out.push({ kind: 'journal', entry: { at: now, event: 'alarm-raised', cause: what, evidence: { text } } });
}

export function clearAlarm(state: MembershipState, what: MembershipAlarm, now: Ms, out: Action[]): void {
  const alarm = state.alarms[what];
  if (alarm === undefined) return;
  delete state.alarms[what];
  const evidence = { text: alarm.text, forMs: now - alarm.since };
  out.push({ kind: 'journal', entry: { at: now, event: 'alarm-cleared', cause: what, evidence } });
}
