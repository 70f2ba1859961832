import type { Ms } from '../../input.js';
import * as document from '../../membership/document.js';
import { isQuorum } from '../../membership/quorum.js';
import type { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { Facts, Invariant } from './invariant.js';

/** Beyond nodeTimeout, which lease and margin fit into: sums of fractions do not come out even. */
const SLACK_MS: Ms = 5;
const ARBITER = 'arbiter';

/** The voters of a document that a disk had until then. */
interface Had {
  text: string | null;
  voters: document.Document['voters'] | null;
  until: Ms;
}

/**
 * S2: a node without quorum stops answering within its lease, also if its daemon is stopped or dead. A node counts as with
 * quorum if within that time it was linked to one (itself perhaps) that was linked to a quorum of the voters that its disk
 * had, to each at some moment: they need not answer at once. Two are linked if within that time their wires were, and each was
 * awake: what is sent to one that sleeps waits for it. Where the wires alone do not tell (loss, one direction) links
 * count as up. A node that has a later cluster file with a longer `nodeTimeout` has that long. Facts of wires and disks are
 * in the simulator only.
 */
export class InquorateDark implements Invariant {
  readonly name = 'S2';
  readonly #facts: Facts;
  readonly #lab: SimulatorLab;
  /** `alpha beta` → the last moment at which they were wired, `alpha` → at which it was awake; Infinity: they are. */
  readonly #linkedAt = new Map<string, Ms>();
  /** Node → the newest last. */
  readonly #had = new Map<string, Had[]>();
  /** Node → by the cluster file of its daemon, or of its last one. */
  readonly #timeoutMs = new Map<string, Ms>();

  constructor(facts: Facts, lab: SimulatorLab) {
    this.#facts = facts;
    this.#lab = lab;
  }

  changed(): void {
    const { cluster } = this.#facts;
    const lab = this.#lab;
    const names = cluster.nodes.map(({ name }) => name);
    for (const name of names) this.#read(name);
    // Over a whole serial line all are linked, whatever their nets are like.
    const isLined = lab.network.serial?.isWhole === true;
    const lit = new Map(isLined ? [] : names.map((name) => [name, this.#litNets(name)]));
    for (const name of names) {
      this.#note(name, lab.network.daemons.get(name)!.awake);
      for (const other of names) this.#note(`${name} ${other}`, isLined || this.#linked(name, other, lit));
      if (lab.network.arbiter ?? lab.network.sharedDisk) this.#note(`${name} ${ARBITER}`, this.#reaches(name));
    }
    const since = (ms: Ms): Ms => this.#facts.now() - ms - SLACK_MS;
    const longest = since(Math.max(...this.#timeoutMs.values()));
    for (const name of names) this.#look(name, longest);
    for (const name of names) this.#judge(name, since(this.#timeoutMs.get(name)!));
  }

  /** A process that goes on for a moment only, between two stops, was awake all the same. */
  stepped(node: string): void {
    if (this.#linkedAt.get(node) !== Infinity) this.#ends(node);
  }

  #ends(link: string): void {
    this.#linkedAt.set(link, this.#facts.now());
    for (const ms of new Set(this.#timeoutMs.values())) this.#facts.after(ms + SLACK_MS + 1, () => this.changed());
  }

  #read(name: string): void {
    const { nodeTimeoutMs } = this.#facts.cluster.timing;
    const running = this.#lab.network.daemons.get(name)!.node?.options.cluster.timing.nodeTimeoutMs;
    this.#timeoutMs.set(name, Math.max(nodeTimeoutMs, running ?? this.#timeoutMs.get(name) ?? 0));
  }

  #note(link: string, isUp: boolean): void {
    const known = this.#linkedAt.get(link);
    if (isUp) this.#linkedAt.set(link, Infinity);
    else if (known === Infinity) this.#ends(link);
  }

  /** What is on the disk now; what was there before `since` is forgotten. */
  #look(name: string, since: Ms): void {
    const { text } = this.#lab.network.daemons.get(name)!.disk;
    const had = this.#had.get(name) ?? [];
    const last = had.at(-1);
    if (last?.text === text) return;
    if (last) last.until = this.#facts.now();
    const found = text === null ? null : document.readDocument((JSON.parse(text) as { document: unknown }).document);
    const now: Had = { text, voters: found?.voters ?? null, until: Infinity };
    this.#had.set(name, [...had.filter(({ until }) => until >= since), now]);
  }

  #wasQuorate(name: string, since: Ms): boolean {
    const was = (what: string): boolean => (this.#linkedAt.get(what) ?? -Infinity) >= since;
    const met = (one: string, other: string): boolean =>
      was(`${one} ${other}`) && was(one) && (other === ARBITER || was(other));
    return this.#facts.cluster.nodes.some((node) => {
      if (!met(name, node.name)) return false;
      const hasMet = (voter: string): boolean =>
        met(node.name, voter.startsWith(document.ARBITER) ? ARBITER : voter.split('/')[0]!);
      return (this.#had.get(node.name) ?? []).some(
        ({ voters, until }) => until >= since && voters !== null && isQuorum(voters, hasMet),
      );
    });
  }

  #judge(name: string, since: Ms): void {
    const { network, watcher } = this.#lab;
    if (!network.hosts.get(name)!.gate.stands) return;
    const spoken = watcher.addresses.filter((address) => watcher.answering(address).includes(name));
    if (spoken.length === 0 || this.#wasQuorate(name, since)) return;
    for (const address of spoken)
      this.#facts.violated('S2', `${name} answers for ${address}, ${this.#timeoutMs.get(name)!} ms without quorum`);
  }

  #linked(one: string, other: string, lit: ReadonlyMap<string, readonly string[]>): boolean {
    if (one === other) return true;
    const there = lit.get(other)!;
    return lit.get(one)!.some((net) => there.includes(net)) && !this.#blocked(one, other);
  }

  #reaches(name: string): boolean {
    const { arbiter, sharedDisk } = this.#lab.network;
    if (sharedDisk !== null) return sharedDisk.answers && sharedDisk.reaches(name);
    return arbiter!.runs && !this.#blocked(name, ARBITER);
  }

  #blocked(one: string, other: string): boolean {
    const { hosts, arbiter } = this.#lab.network;
    const hostOf = (name: string) => (name === ARBITER ? arbiter!.host : hosts.get(name)!);
    const deaf = (to: string, from: string): boolean => {
      const { deafTo } = hostOf(to);
      const { nics } = hostOf(from);
      // Mostly nobody is.
      return deafTo.size === 0 ? nics.size === 0 : [...nics.values()].every((nic) => deafTo.has(nic.mac));
    };
    return deaf(one, other) || deaf(other, one);
  }

  /** Nets of heartbeats on which it has a carrier: with whoever else has one there it is wired. */
  #litNets(node: string): string[] {
    const { nics } = this.#lab.network.hosts.get(node)!;
    const own = this.#facts.cluster.nodes.find(({ name }) => name === node)?.nets ?? [];
    const beating = this.#facts.cluster.nets.filter(({ heartbeat }) => heartbeat);
    return beating.flatMap(({ name }) => {
      const has = own.find(({ net }) => net === name);
      return has && [has.primary, ...has.standby].some((nic) => nics.get(nic)?.carrier) ? name : [];
    });
  }
}
