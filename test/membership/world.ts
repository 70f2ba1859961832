/**
 * Several membership stages against pauses, crashes, lost disks, drifting clocks and a bad network, and the judge of what
 * they do: one holder of a package at every instant (S1), one coordinator a term, no committed document lost, epochs that
 * rise (S4), and everything runs again after the last trouble (L1). All of it from one seed.
 */
import { decodeMessage, type Enclosure, type Message } from '../../src/frame/dialogue.js';
import type { Part } from '../../src/frame/part.js';
import type { Ms } from '../../src/input.js';
import type { Cluster } from '../../src/config/cluster.js';
import { profiles } from '../../src/config/timing.js';
import type { ArbiterAnswer, ArbiterRecord, ArbiterRequest } from '../../src/membership/arbiter-record.js';
import {
  ARBITER,
  compareVersions,
  showVersion,
  type Document,
  type Version,
  type Voter,
} from '../../src/membership/document.js';
import { isQuorum } from '../../src/membership/quorum.js';
import type { DurableRecord } from '../../src/membership/state.js';
import { draw } from '../../src/random.js';
import type { JournalEntry } from '../../src/status.js';
import { BARE, BARE_PACKAGE } from '../bare-cluster.js';
import { boasting, planted } from './plants.js';
import { ArenaDisk } from './arena-disk.js';
import { SimNode, type Datagram } from './sim-node.js';

/** Two nodes each for itself; n nodes; with an arbiter that a lone node needs (a; on a disk: d), or needs no more (k). */
export type Mode = 's2' | 'n1' | 'n2' | 'n3' | 'n4' | 'n5' | 'a2' | 'a4' | 'k2' | 'k4' | 'd2' | 'd4';

export class Violation extends Error {}

const NAMES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'];

export interface ArenaOptions {
  mode?: Mode;
  /** No troubles but those that the test makes. */
  calm?: boolean;
  verbose?: boolean;
  packages?: string[];
  /** What is on the disks at the start; of the others nothing. */
  disks?: Record<string, DurableRecord>;
  /** Nodes that are not started. */
  off?: string[];
  /** Tells what is said that was not said before, into `log`. */
  tells?: boolean;
}

export function clusterOf(
  mode: Mode,
  packages: string[],
  names: string[] = NAMES.slice(0, Number(mode[1])),
  digest = 'd',
): Cluster {
  const hasArbiter = /^[akd]/.test(mode);
  return {
    ...BARE,
    nets: [],
    nodes: names.map((name) => ({ name, nets: [] })),
    timing: profiles.default,
    ...(mode === 's2' && { quorum: 'none' }),
    ...(hasArbiter && {
      quorum: {
        arbiter: mode.startsWith('d')
          ? { kind: 'disk', paths: ['/dev/shared'] }
          : { kind: 'etcd', endpoints: ['http://10.79.0.9:2379'] },
        onArbiterLoss: mode.startsWith('k') ? 'keep' : 'surrender',
        startWaitMs: 10_000,
      },
    }),
    packages: packages.map((name) => ({
      name,
      nodes: names,
      ...BARE_PACKAGE,
    })),
    digest,
  };
}

interface Event {
  t: number;
  order: number;
  run: () => void;
}

export class Arena {
  t = 0;
  healed = false;
  microPauses = 0;
  slowDisks = 0;
  diskFull = '';
  diskFullTill = 0;
  arbiterDelayTill = 0;
  loss = 0;
  duplication = 0;
  slow = 0;
  readonly mode: Mode;
  readonly packages: string[];
  /** The cluster file that nodes get; those that have not got it yet run with an older one. */
  cluster: Cluster;
  readonly nodes: SimNode[];
  /** Nodes that an operator calls removed. */
  removed: string[] = [];
  /** Done as soon as a coordinator has put a joint document forward. */
  atJoint: ((coordinator: SimNode) => void) | null = null;
  /** Done as soon as a coordinator is elected. */
  atElection: ((coordinator: SimNode) => void) | null = null;
  readonly stat: Record<string, number> = {};
  readonly log: string[] = [];
  readonly cut = new Set<string>();
  /** Nodes that have said goodbye. */
  readonly left = new Set<string>();
  /** Quorum none: when two were last seen to hold the same. */
  overlapAt = -1;
  readonly #disk: ArenaDisk | null;
  arbiter: { up: boolean; created: number; modified: number; record: ArbiterRecord | null } = {
    up: true,
    created: 0,
    modified: 0,
    record: null,
  };
  #heap: Event[] = [];
  #order = 0;
  #random: { seed: number };
  #holders: Record<string, Set<string>> = {};
  #coordinators: Record<number, string> = {};
  #parents: Record<string, string | null> = {};
  #maxCommitted: Version | null = null;
  #servedBy: Record<string, string> = {};
  #top: Record<string, Version> = {};
  #committedSeen: Record<string, string> = {};
  #told: Record<string, string> = {};
  #toldVoters = '';

  constructor(
    readonly seed: number,
    readonly options: ArenaOptions = {},
  ) {
    this.#random = { seed: Math.imul(seed, 7919) + 17 };
    this.mode = options.mode ?? this.pick(['n3', 'n3', 'n4', 'n5', 'a2', 'a2', 'k2', 'k2', 'a4', 'k4']);
    this.#disk = this.mode.startsWith('d') ? new ArenaDisk(this) : null;
    this.packages = options.packages ?? this.pick([['web'], ['web', 'db'], ['web', 'db']]);
    this.cluster = clusterOf(this.mode, this.packages);
    this.nodes = this.names.map((name) => new SimNode(this, name));
    for (const name of this.packages) {
      this.#holders[name] = new Set();
      this.#top[name] = { term: -1, revision: 0 };
    }
    for (const node of this.nodes) node.disk = options.disks?.[node.name] ?? null;
    const started = this.nodes.filter(({ name }) => options.off?.includes(name) !== true);
    for (const node of started) this.at(options.calm ? 0 : this.uniform(0, 50), () => node.start());
  }

  get hasArbiter(): boolean {
    return /^[akd]/.test(this.mode);
  }

  /** Of the newest cluster file. */
  get names(): string[] {
    return this.cluster.nodes.map(({ name }) => name);
  }

  /** Another cluster file, with these nodes; each gets it when it next starts with `take`. */
  file(names: string[]): void {
    const digest = `d${Number(this.cluster.digest.slice(1) || 0) + 1}`;
    this.cluster = clusterOf(this.mode, this.packages, names, digest);
    for (const name of names)
      if (!this.nodes.some((node) => node.name === name)) this.nodes.push(new SimNode(this, name));
  }

  // --- time and dice

  random(): number {
    return draw(this.#random);
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.random() * of.length)]!;
  }

  at(t: number, run: () => void): void {
    const heap = this.#heap;
    let i = heap.length;
    const event = { t, order: ++this.#order, run };
    heap.push(event);
    while (i > 0) {
      const above = (i - 1) >> 1;
      if (!precedes(event, heap[above]!)) break;
      heap[i] = heap[above]!;
      i = above;
    }
    heap[i] = event;
  }

  after(ms: Ms, run: () => void): void {
    this.at(this.t + ms, run);
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let below = 2 * i + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && precedes(heap[below + 1]!, heap[below]!)) below++;
      if (!precedes(heap[below]!, last)) break;
      heap[i] = heap[below]!;
      i = below;
    }
    heap[i] = last;
    return first;
  }

  runUntil(t: number): void {
    for (let steps = 0; this.#heap.length > 0 && this.#heap[0]!.t <= t; steps++) {
      if (steps > 5e6) throw new Violation('endless');
      const event = this.#pop()!;
      this.t = event.t;
      event.run();
    }
    this.t = t;
  }

  node(name: string): SimNode {
    return this.nodes.find((node) => node.name === name)!;
  }

  coordinator(): SimNode | undefined {
    return this.nodes.find((node) => node.up && this.roleOf(node) === 'coordinator');
  }

  holder(name: string): string | null {
    return [...this.#holders[name]!][0] ?? null;
  }

  count(what: string): void {
    this.stat[what] = (this.stat[what] ?? 0) + 1;
  }

  say(...words: unknown[]): void {
    const line = `${this.t.toFixed(2).padStart(10)} ${words.map(String).join(' ')}`;
    this.log.push(line);
    if (this.options.verbose) console.log(line);
  }

  journal(node: SimNode, { event, from, to, cause, evidence }: JournalEntry): void {
    const change = from === undefined && to === undefined ? '' : ` ${from ?? '-'} → ${to ?? '-'}`;
    this.say(`${node.name} ${event}${change}: ${cause} ${JSON.stringify(evidence ?? {})}`);
    this.count(event);
    if (event === 'formed') this.forget();
  }

  /** All disks were lost, and the cluster begins anew: so do terms and epochs. */
  forget(): void {
    this.#coordinators = {};
    this.#parents = {};
    this.#maxCommitted = null;
    this.#servedBy = {};
    this.#committedSeen = {};
    for (const name of this.packages) this.#top[name] = { term: -1, revision: 0 };
  }

  // --- network

  isCut(a: string, b: string): boolean {
    return !this.healed && this.cut.has(`${a}>${b}`);
  }

  #delay(): number {
    if (!this.healed && this.slow > 0 && this.random() < this.slow) return this.uniform(5, 1500);
    return this.uniform(0.1, 3);
  }

  send(from: string, to: string, said: Datagram): void {
    const datagram = planted.has('up-to-date') ? { ...said, parts: boasting(said.parts, this.packages) } : said;
    if (this.options.tells) this.#tell(from, to, datagram.parts);
    if (this.isCut(from, to) || (!this.healed && this.random() < this.loss)) return;
    const arrive = (): void => {
      if (!this.isCut(from, to)) this.node(to).receive(from, datagram);
    };
    this.after(this.#delay(), arrive);
    if (!this.healed && this.random() < this.duplication) this.after(this.#delay() + this.pick([0, 3, 900]), arrive);
  }

  #tell(from: string, to: string, parts: readonly Part[]): void {
    for (const part of parts) {
      const message = decodeMessage(part, this.packages);
      if (message === null) continue;
      const text = wordsOf(message, (voters) => this.#news(voters));
      const key = `${from}>${to} ${message.kind}`;
      if (this.#told[key] === text) continue;
      this.#told[key] = text;
      this.say(`  ${from} → ${to}${this.isCut(from, to) ? ' (lost)' : ''}: ${text}`);
    }
  }

  /** Who votes, if that is not what the newest document that was told says; else nothing. */
  #news({ next, previous }: Document['voters']): string {
    const named = (voters: readonly Voter[]): string => voters.map(({ name }) => name).join(' ');
    const text = named(next) + (previous === undefined ? '' : ` with ${named(previous)}`);
    if (text === this.#toldVoters) return '';
    const isFirst = this.#toldVoters === '';
    this.#toldVoters = text;
    return isFirst ? '' : `; voters ${text}`;
  }

  askArbiter(node: SimNode, request: ArbiterRequest, withinMs: Ms, take: (answer: ArbiterAnswer) => void): void {
    let done = false;
    const once = (answer: ArbiterAnswer): void => {
      if (!done) take(answer);
      done = true;
    };
    this.after(withinMs, () => once({ outcome: 'unknown', text: 'no answer in time' }));
    if (request.ask === 'look' || request.ask === 'put') return this.#disk!.ask(node.name, request, once);
    if (this.isCut(node.name, ARBITER) || (!this.healed && this.random() < this.loss)) return;
    const late = this.t < this.arbiterDelayTill ? this.uniform(0, 700) : 0;
    this.after(this.#delay() + late, () => {
      if (!this.arbiter.up) return;
      const answer = this.#register(request);
      if (this.isCut(ARBITER, node.name) || (!this.healed && this.random() < this.loss)) return;
      this.after(this.#delay(), () => once(answer));
    });
  }

  #register(request: ArbiterRequest): ArbiterAnswer {
    const { arbiter } = this;
    const shown = (): ArbiterAnswer =>
      arbiter.record === null
        ? { outcome: 'missing' }
        : {
            outcome: 'done',
            stamp: { created: String(arbiter.created), modified: String(arbiter.modified) },
            record: JSON.parse(JSON.stringify(arbiter.record)) as ArbiterRecord,
          };
    const refused = (): ArbiterAnswer => {
      const found = shown();
      return found.outcome === 'done' ? { ...found, outcome: 'refused' } : found;
    };
    switch (request.ask) {
      case 'read':
        return shown();
      case 'create':
        if (arbiter.record !== null) return refused();
        // Its answer may be lost, and with it the founder's journal line.
        if (request.record.document.version.term === 0) this.forget();
        arbiter.created = ++arbiter.modified;
        arbiter.record = request.record;
        return shown();
      case 'write': {
        const { created, modified } = request.expect;
        if (arbiter.record === null || String(arbiter.created) !== created || String(arbiter.modified) !== modified)
          return refused();
        arbiter.modified++;
        arbiter.record = request.record;
        return shown();
      }
      case 'look':
      case 'put':
        return { outcome: 'unknown', text: 'a register has no blocks' };
    }
  }

  // --- the judge

  bad(what: string): never {
    throw new Violation(`${what} at ${this.t.toFixed(1)}, seed ${this.seed}, ${this.mode}`);
  }

  roleOf(node: SimNode): string {
    return node.state.post.role;
  }

  judgeHolders(node: SimNode): void {
    for (const name of this.packages) {
      const holders = this.#holders[name]!;
      if (node.gateTill > this.t && node.addresses[name] !== undefined) {
        if (!holders.has(node.name)) this.say(`  ${node.name} holds ${name}`);
        holders.add(node.name);
      } else {
        if (holders.has(node.name)) this.say(`  ${node.name} holds ${name} no more`);
        holders.delete(node.name);
      }
      if (holders.size > 1 && this.mode === 's2') this.overlapAt = this.t;
      else if (holders.size > 1) this.bad(`S1: two holders of ${name}: ${[...holders].join(', ')}`);
    }
  }

  /** S12: nodes that hold something at the same time do so under one cluster file. */
  judgeFiles(): void {
    const serving = this.nodes.filter((node) => node.gateTill > this.t && Object.keys(node.addresses).length > 0);
    const digests = [...new Set(serving.map(({ gateDigest }) => gateDigest))];
    if (digests.length > 1) this.bad(`S12: leases under ${digests.join(' and ')}`);
  }

  roleChanged(node: SimNode, _before: string): void {
    if (this.roleOf(node) !== 'coordinator') return;
    const { term } = node.state.record;
    const key = `${node.name}/${node.starts}`;
    const known = (this.#coordinators[term] ??= key);
    if (known !== key) this.bad(`two coordinators in term ${term}: ${known} and ${key}`);
    this.count('elections');
    this.atElection?.(node);
  }

  /** Learns which document followed which, and what is committed. */
  documentsOf(node: SimNode): void {
    const { post, record } = node.state;
    if (record.document !== null) this.#parents[showVersion(record.document.version)] ??= null;
    if (post.role !== 'coordinator' || record.document === null) return;
    if (record.document.voters.previous !== undefined && this.atJoint !== null) {
      this.atJoint(node);
      this.atJoint = null;
    }
    if (post.before !== null) this.#parents[showVersion(record.document.version)] ??= showVersion(post.before.version);
    const committed = showVersion(post.committed);
    if (post.committed.term !== record.term || this.#committedSeen[node.name] === committed) return;
    this.#committedSeen[node.name] = committed;
    this.#judgeCommitted(post.committed);
  }

  #judgeCommitted(version: Version): void {
    const max = this.#maxCommitted;
    if (max === null || compareVersions(version, max) === 0) {
      this.#maxCommitted = version;
      return;
    }
    const grows = this.#descends(version, max);
    if (!grows && !this.#descends(max, version))
      this.bad(`committed documents fork: ${showVersion(max)} and ${showVersion(version)}`);
    if (grows) this.#maxCommitted = version;
  }

  #descends(from: Version, ancestor: Version): boolean {
    const wanted = showVersion(ancestor);
    for (let at: string | null = showVersion(from); at !== null; at = this.#parents[at] ?? null)
      if (at === wanted) return true;
    return false;
  }

  served(node: SimNode, name: string, epoch: Version): void {
    const key = `${name}/${showVersion(epoch)}`;
    const by = (this.#servedBy[key] ??= node.name);
    if (by !== node.name) this.bad(`S4: epoch ${key} on ${by} and ${node.name}`);
    const top = this.#top[name]!;
    if (compareVersions(epoch, top) < 0 && this.mode !== 's2')
      this.bad(`S4: epoch of ${name} went back to ${showVersion(epoch)}`);
    if (compareVersions(epoch, top) > 0) this.count('placements');
    this.#top[name] = epoch;
  }

  runsAll(): boolean {
    return this.packages.every((name) => this.#holders[name]!.size === 1);
  }

  /** Only an operator's force helps: a majority of the newest document's voters lost its state. */
  needsForce(): boolean {
    const nodes = this.nodes.filter(({ name }) => this.names.includes(name));
    const documents = nodes.map((node) => node.disk?.document ?? null);
    if (this.arbiter.record !== null) documents.push(this.arbiter.record.document);
    const present = documents.filter((document): document is Document => document !== null);
    const best = present.sort((a, b) => compareVersions(b.version, a.version))[0];
    if (best === undefined) return nodes.some((node) => node.disk?.document) || this.arbiter.record !== null;
    const have = new Set(nodes.map((node) => `${node.name}/${node.disk?.storageId ?? ''}`));
    if (this.arbiter.record !== null) have.add(`${ARBITER}/${this.arbiter.record.storageId}`);
    return !isQuorum(best.voters, (voter) => have.has(voter));
  }

  /** V1: what the voters are to be once everybody is there. */
  judgeVoters(): void {
    const { document } = this.coordinator()!.state.record;
    const keys = this.names.map((name) => `${name}/${this.node(name).state.record.storageId}`);
    if (this.hasArbiter && keys.length % 2 === 0) keys.push(`${ARBITER}/${this.arbiter.record?.storageId}`);
    const { next, previous } = document!.voters;
    const have = next.map(({ name, storageId }) => `${name}/${storageId}`);
    if (previous !== undefined || have.sort().join() !== keys.sort().join())
      this.bad(`V1: the voters are ${have.join(' ')}${previous ? ', joint' : ''}, not ${keys.join(' ')}`);
  }
}

/** What is new in it: without sequences, lengths of leases and ages. */
function wordsOf(message: Message, votersText: (voters: Document['voters']) => string): string {
  const enclosed = (it: Enclosure): string => {
    if (it.how !== 'whole') return it.how === 'none' ? '' : ', document in pieces';
    const { version, placements, voters } = JSON.parse(it.text) as Document;
    const placed = Object.entries(placements).map(
      ([name, { node, state, epoch }]) => `${name} at ${node ?? 'no node'} ${state} ${showVersion(epoch)}`,
    );
    return `, document ${showVersion(version)} (${placed.join('; ')}${votersText(voters)})`;
  };
  switch (message.kind) {
    case 'append':
      return `append, term ${message.term}, committed ${showVersion(message.committed)}${enclosed(message.document)}`;
    case 'answer':
      return `answer, term ${message.term}, has ${showVersion(message.version)}, holds ${message.held.join(' ') || 'nothing'}`;
    case 'grant':
      return `grant, term ${message.term}, needs ${showVersion(message.need)}, committed ${showVersion(message.committed)}${enclosed(message.document)}`;
    case 'ask':
      return `ask${message.pre ? ' before the vote' : ''}, term ${message.term}, has ${showVersion(message.version)}, round ${message.round}`;
    case 'reply':
      return `reply${message.pre ? ' before the vote' : ''}, term ${message.term}: ${message.yes ? 'yes' : 'no'}, round ${message.round}`;
    case 'piece':
      return `piece ${message.index + 1} of ${message.count} of ${showVersion(message.version)}${message.founds ? ', founding' : ''}`;
  }
}

function precedes(a: Event, b: Event): boolean {
  return a.t < b.t || (a.t === b.t && a.order < b.order);
}
