/**
 * What must hold (DESIGN 15): one small file for each, judged by facts of the world, never by what a daemon thinks of it.
 *
 *   simulated world ──scene.ts──┐
 *                               ├──▶ facts, news ──▶ invariants ──violated──▶ drill, explorer, replay
 *   flight recordings ──replay──┘
 */
import type { Stay } from '../../../drivers/lab.js';
import type { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { Action, Step } from '../../action.js';
import type { Cluster } from '../../config/cluster.js';
import type { Address, Input, Ms, Route } from '../../input.js';
import type { Node } from '../../node.js';
import type { JournalEntry } from '../../status.js';

/** `S1`. */
export type InvariantName = `S${number}` | `L${number}`;

export interface NicFacts {
  readonly name: string;
  readonly admin: boolean;
  readonly carrier: boolean;
  readonly addresses: readonly Address[];
}

/** One node as its kernel is, whatever its daemon makes of it. Recordings: as the kernel told its daemon last. */
export interface HostFacts {
  readonly powered: boolean;
  /** How often it lost its power: some switches of power give it back at once. Recordings do not tell: 0. */
  readonly powerLosses: number;
  /** Since when its daemon runs; Infinity: it does not. */
  readonly runsSince: Ms;
  /** And is not stopped. */
  readonly awakeSince: Ms;
  /** So long in all has its kernel held the calls of its daemon's hands, beside what calls take. Recordings do not tell: 0. */
  readonly heldMs: Ms;
  /** Are the gate's rules there? */
  readonly gateStands: boolean;
  /** Until the gate closes by itself; not positive: it is closed. */
  readonly leaseLeftMs: Ms;
  /** Does the gate let that address speak? */
  lets(address: string): boolean;
  nics(): Iterable<NicFacts>;
  /** Equal lists are the same objects in the same order. */
  routes(): readonly Route[];
  /** Of a sysctl below /proc/sys/net; undefined: there is none, or nobody looked. */
  setting(name: string): string | undefined;
}

/** What an invariant may look at. */
export interface Facts {
  readonly cluster: Cluster;
  /** Names of the nodes. */
  readonly nodes: readonly string[];
  /** Floating addresses, canonical and without prefix length. */
  readonly floating: readonly string[];
  /** One clock for all. Recordings: that of their host, or estimated from the beats that nodes heard of each other. */
  now(): Ms;
  /** Calls back then, if the world goes on so long. */
  after(ms: Ms, run: () => void): void;
  host(node: string): HostFacts;
  /** Nodes that would answer for that floating address. */
  answering(address: string): readonly string[];
  /** Since when nothing was wrong with the world: no blow in force, no process that stands still. Infinity: something is, or nobody knows. */
  calmSince(): Ms;
  /** Of the input that a node is about to take: did no key open it? The simulator knows who sent it instead. */
  readonly isUnopened: boolean;
  /** The whole simulated world; null: there are recordings only. */
  readonly lab: SimulatorLab | null;
  violated(name: InvariantName, text: string): void;
}

/** Of one node, at the moment at which it was written; that is in the clock of all. */
export type Told = JournalEntry & { node: string };

export interface Invariant {
  readonly name: InvariantName;
  /** Addresses, gates, cables, daemons: something of the world changed. `touched`: nodes whose tables, NICs or daemons did. */
  changed?(touched: ReadonlySet<string>): void;
  /** That machine is about to take an input. `at`: of the node's own clock. */
  stepping?(node: string, input: Input, machine: Node, at: Ms): void;
  stepped?(node: string, input: Input, actions: readonly Action[], machine: Node): void;
  /** Each line of a journal, after the step that wrote it. */
  journalled?(entry: Told, machine: Node): void;
  /** The hands of that node made this change. */
  made?(node: string, step: Step): void;
  /** ARP or neighbour discovery left a node's daemon, past the gate. */
  spoken?(host: string, bytes: Uint8Array): void;
  /** Frames under a MAC leave another NIC than before. */
  macMoved?(from: Stay, to: Stay): void;
  /** From here on: of what holds from some moment on only, which another one knows. */
  arm?(): void;
  /** All is healed and at rest. */
  ended?(): void;
}

/** Hooks of many invariants, each called by those only that have it. */
export class Invariants {
  readonly #list: readonly Invariant[];
  readonly #facts: Facts;
  readonly #by: { [Hook in keyof Required<Invariant>]: Invariant[] };

  constructor(facts: Facts, list: readonly Invariant[]) {
    this.#facts = facts;
    this.#list = list;
    const having = (hook: keyof Invariant): Invariant[] => list.filter((one) => one[hook] !== undefined);
    this.#by = {
      name: [],
      changed: having('changed'),
      stepping: having('stepping'),
      stepped: having('stepped'),
      journalled: having('journalled'),
      made: having('made'),
      spoken: having('spoken'),
      macMoved: having('macMoved'),
      arm: having('arm'),
      ended: having('ended'),
    };
  }

  get names(): InvariantName[] {
    return [...new Set(this.#list.map(({ name }) => name))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  }

  changed(touched: ReadonlySet<string>): void {
    for (const one of this.#by.changed) one.changed!(touched);
  }

  stepping(node: string, input: Input, machine: Node, at: Ms): void {
    for (const one of this.#by.stepping) one.stepping!(node, input, machine, at);
  }

  stepped(node: string, input: Input, actions: readonly Action[], machine: Node): void {
    for (const one of this.#by.stepped) one.stepped!(node, input, actions, machine);
    for (const action of actions) {
      if (action.kind !== 'journal') continue;
      const told = { ...action.entry, at: this.#facts.now(), node };
      for (const one of this.#by.journalled) one.journalled!(told, machine);
    }
  }

  made(node: string, step: Step): void {
    for (const one of this.#by.made) one.made!(node, step);
  }

  spoken(host: string, bytes: Uint8Array): void {
    for (const one of this.#by.spoken) one.spoken!(host, bytes);
  }

  macMoved(from: Stay, to: Stay): void {
    for (const one of this.#by.macMoved) one.macMoved!(from, to);
  }

  arm(): void {
    for (const one of this.#by.arm) one.arm!();
  }

  ended(): void {
    for (const one of this.#by.ended) one.ended!();
  }
}
