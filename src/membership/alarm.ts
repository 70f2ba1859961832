/** Alarms of this stage, each of a kind that it has once. */
import type { Action } from '../action.js';
import { clear, raise } from '../health/account.js';
import type { Ms } from '../input.js';
import type { MembershipState } from './state.js';

export type MembershipAlarm =
  /** No coordinator with a majority; the text names whom it waits for. */
  | 'no-quorum'
  | 'arbiter-unreachable'
  /** The arbiter's disk holds something else than this cluster's arbiter: nothing is written to it. */
  | 'arbiter-foreign'
  /** The arbiter shows an older state than before: its data were restored from a backup. */
  | 'arbiter-restored'
  /** The arbiter is another voter than the document has: it lost its data. */
  | 'arbiter-lost'
  | 'state-not-stored'
  /** A lost node that every fence agent failed to shut; one that is back and could not be opened again. */
  | 'fencing-failed'
  | 'unfencing-failed'
  /** This node is another voter than the document has: its disk was lost. */
  | 'state-lost'
  /** `quorum: none`: both nodes may have served at once. */
  | 'dual';

export function raiseAlarm(state: MembershipState, what: MembershipAlarm, text: string, now: Ms, out: Action[]): void {
  raise({ state, now, out }, what, what, text);
}

export function clearAlarm(state: MembershipState, what: MembershipAlarm, now: Ms, out: Action[]): void {
  clear({ state, now, out }, what);
}
