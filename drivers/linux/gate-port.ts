/**
 * Between the engine's thread and the gate's hand (`gate/hand.ts`), which has a thread of its own, so that a renewal never
 * waits for rtnl. With `fence: lifetime` or `none` there is no such thread.
 *
 *   engine ──write-gate─▶ gate    armed, checked and written; of those that wait together only the newest
 *          ◀─gate-written─ of the newest of those
 *          ◀─gate-lost────  somebody altered the tables; they are back, closed, and want a write-gate
 *
 * `leaseEnd` is the engine's CLOCK_MONOTONIC, which every thread of the process reads alike (`monotonicMs` of wake.ts).
 */
import type { Action } from '../../src/action.js';
import type { Input, Ms } from '../../src/input.js';
import { type FromHand, type Hand, PortHand, type ToHand } from './hand.js';

export type GateAction = Extract<Action, { kind: 'write-gate' }>;
export type GateInput = Extract<Input, { kind: 'gate-written' | 'gate-lost' }>;

/** `settle` is answered by `settled` when the write-gates before it are written, or refused. */
export type ToGate = ToHand<GateAction>;
export type FromGate = FromHand<GateInput>;

/**
 * `workerData` of the gate's thread. It makes its tables at once, closed; an open gate of an earlier run with the same rules
 * runs on until its lease ends (MEMBERSHIP N7).
 */
export interface GateData {
  /** All floating addresses of the cluster file, canonical. */
  addresses: string[];
  /** Time-out of the token (MEMBERSHIP G2). */
  renewLateMaxMs: Ms;
}

export type GateHand = Hand<GateAction, GateInput>;
export class PortGateHand extends PortHand<GateAction, GateInput> {}
