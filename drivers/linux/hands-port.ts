/**
 * Between the engine's thread and the hands:
 *
 *   engine ──HandsAction──▶ hands      change-host, persist, observe: done one after the other
 *          ◀──HandsInput──          started, host-observed, host-changed
 */
import type { Action } from '../../src/action.js';
import type { Input } from '../../src/input.js';
import { type FromHand, type Hand, PortHand, type ToHand } from './hand.js';

export type HandsAction = Extract<Action, { kind: 'change-host' | 'persist' | 'observe' }>;
export type HandsInput = Extract<Input, { kind: 'started' | 'host-observed' | 'host-changed' }>;

export type ToHands = ToHand<HandsAction>;
export type FromHands = FromHand<HandsInput>;

/** `workerData` of the hands' thread. */
export interface HandsData {
  /** NICs of the cluster file on this node, and macvlans of its floating addresses. */
  nics: string[];
  /** Canonical addresses whose neighbour entries are kept in view, besides those of gateways. */
  peers: string[];
  /** Sysctls to be observed, `ipv4/conf/{nic}/arp_ignore`: OBSERVED_SETTINGS of src/takeover/settings. */
  settings: string[];
  runDir: string;
  /** Of the durable record; absent: this cluster has none. */
  stateDir?: string;
}

export type Hands = Hand<HandsAction, HandsInput>;
export class PortHands extends PortHand<HandsAction, HandsInput> {}
