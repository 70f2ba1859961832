/**
 * Between the engine's thread and the arbiter's hand (`hand.ts`), whose thread may wait for a network that is broken.
 *
 *   engine ──ask-arbiter─▶ hand      one at a time
 *          ◀─arbiter-answered─       within `withinMs`, whatever happens
 */
import type { Action } from '../../src/action.js';
import type { Arbiter } from '../../src/config/cluster.js';
import type { Input } from '../../src/input.js';
import type { DiskSettings } from './disk/io-process.js';
import { type FromHand, type Hand, PortHand, type ToHand } from '../linux/hand.js';

export type ArbiterAction = Extract<Action, { kind: 'ask-arbiter' }>;
export type ArbiterInput = Extract<Input, { kind: 'arbiter-answered' }>;

export type ToArbiter = ToHand<ArbiterAction>;
export type FromArbiter = FromHand<ArbiterInput>;

/** `workerData` of the arbiter's thread. */
export type ArbiterData = { etcd: EtcdData } | { disk: DiskSettings };

export interface EtcdData {
  /** The cluster's name, which is part of the key. */
  cluster: string;
  arbiter: Extract<Arbiter, { kind: 'etcd' }>;
}

export type ArbiterHand = Hand<ArbiterAction, ArbiterInput>;
export class PortArbiterHand extends PortHand<ArbiterAction, ArbiterInput> {}
