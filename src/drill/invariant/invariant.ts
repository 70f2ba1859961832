/** What must hold, as the explorer asks for it (DESIGN 15): judged from the world's truth, at every change of it. */
import type { Stay } from '../../../drivers/lab.js';
import type { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { Action } from '../../action.js';
import type { Cluster } from '../../config/cluster.js';
import type { Input, Ms } from '../../input.js';
import type { Node } from '../../node.js';

/** What an invariant may look at. */
export interface Scene {
  readonly lab: SimulatorLab;
  readonly cluster: Cluster;
  /** The world's own time. */
  now(): Ms;
  violated(name: string, text: string): void;
}

export interface Invariant {
  /** Addresses, gates, cables, daemons: something of the world changed. */
  changed?(): void;
  stepped?(node: string, input: Input, actions: readonly Action[], machine: Node): void;
  /** ARP or neighbour discovery left a host. */
  spoken?(host: string, bytes: Uint8Array): void;
  /** Frames under a MAC leave another NIC than before; times are the world's. */
  macMoved?(from: Stay, to: Stay): void;
  /** All is healed and at rest. */
  ended?(): void;
}
