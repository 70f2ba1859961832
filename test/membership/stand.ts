/** One membership stage on a table: what is said to it and when is written by the test, and what it says is read back. */
import type { Action } from '../../src/action.js';
import type { Cluster } from '../../src/config/cluster.js';
import { decodeMessage, documentText, encodeMessage, type Message } from '../../src/frame/dialogue.js';
import { PART } from '../../src/frame/part.js';
import { encodeStanding, type Standing } from '../../src/frame/standing.js';
import type { Input, Ms } from '../../src/input.js';
import type { ArbiterAnswer } from '../../src/membership/arbiter-record.js';
import type { Document, Version, Voter } from '../../src/membership/document.js';
import * as member from '../../src/membership/member.js';
import type { DurableRecord } from '../../src/membership/state.js';
import type { JournalEntry } from '../../src/status.js';
import type { Job, World } from '../../src/world.js';
import type { FakeHealth } from './fake-health.js';
import { clusterOf, type Mode } from './world.js';
import { KEY_ID } from '../no-cipher.js';

export const ids: Record<string, string> = {
  alpha: 'a'.repeat(32),
  beta: 'b'.repeat(32),
  gamma: 'c'.repeat(32),
  delta: 'd'.repeat(32),
  epsilon: 'e'.repeat(32),
  '@arbiter': 'f'.repeat(32),
};
export const voter = (name: string): Voter => ({ name, storageId: ids[name]! });
export const v = (term: number, revision: number): Version => ({ term, revision });

export function documentOf(version: Version, placements: Document['placements'] = {}, voters?: string[]): Document {
  return {
    version,
    voters: { next: (voters ?? ['alpha', 'beta', 'gamma']).map(voter) },
    placements: { web: { node: null, epoch: version, state: 'run' }, ...placements },
    orders: { clusterHalted: false, haltedNodes: [], removedNodes: [], packages: {} },
    digest: 'd',
  };
}

export const on = (node: string, epoch: Version, state: 'run' | 'halt' = 'run'): Document['placements'] => ({
  web: { node, epoch, state },
});

export function whole(document: Document): { how: 'whole'; text: string } {
  return { how: 'whole', text: documentText(document) };
}

const NONE = { how: 'none' } as const;

export interface StandOptions {
  mode?: Mode;
  name?: string;
  packages?: string[];
  /** On the disk at start; null: nothing. */
  record?: Partial<DurableRecord> | null;
  hostUpMs?: Ms;
  damaged?: boolean;
  /** Uniform in [0, 1), always this. */
  random?: number;
  /** What the cluster file has otherwise. */
  change?: (cluster: Cluster) => Cluster;
}

export class Stand {
  now = 1000;
  readonly world: World;
  readonly state: member.MembershipState;
  readonly health: FakeHealth;
  readonly said: { to: string; message: Message }[] = [];
  readonly journal: JournalEntry[] = [];
  readonly actions: Action[] = [];
  readonly packages: string[];
  readonly name: string;
  syncs = true;

  constructor({
    mode = 'n3',
    name = 'alpha',
    packages = ['web'],
    record,
    hostUpMs = 1e6,
    damaged = false,
    random = 0.5,
    change = (cluster) => cluster,
  }: StandOptions = {}) {
    this.packages = packages;
    this.name = name;
    const cluster = change(clusterOf(mode, packages));
    this.world = {
      cluster,
      self: cluster.nodes.find((node) => node.name === name)!,
      incarnation: '00000000000000aa',
      keys: [KEY_ID],
      seal: () => new Uint8Array(),
      cipher: { seal: () => new Uint8Array(), open: () => null },
      random: () => random,
      host: {},
      moving: {},
      heard: [],
      jobs: {},
    };
    for (const each of packages) this.job(each, false);
    this.health = {
      peers: {},
      words: [],
      spokeAt: {},
      reaches: null,
      send: (to, parts) => {
        for (const part of parts) {
          const message = part.kind === PART.standing ? null : decodeMessage(part, packages);
          if (message !== null) this.said.push({ to, message });
        }
      },
    };
    this.state = member.start(this.world, this.now);
    const full = { storageId: ids[name]!, term: 0, votedFor: null, document: documentOf(v(0, 0)), ...record };
    const durable = record === null ? null : (JSON.parse(JSON.stringify(full)) as unknown);
    this.take({ kind: 'started', run: null, durable, damaged, hostUpMs });
  }

  take(input: Input): void {
    const out: Action[] = [];
    member.take(this.world, this.state, this.now, this.health as never, input, out);
    this.world.heard.length = 0;
    this.actions.push(...out);
    for (const action of out) if (action.kind === 'journal') this.journal.push(action.entry);
    if (this.syncs) this.sync();
  }

  /** All that was given to the disk is on it. */
  sync(): void {
    const id = this.state.storing.at(-1)?.id;
    if (id !== undefined) this.take({ kind: 'persisted', id });
  }

  to(now: Ms): this {
    this.now = now;
    return this;
  }

  /** Wakes at each deadline until then. */
  wakeUntil(now: Ms): this {
    for (let i = 0; i < 10_000; i++) {
      const dueAt = member.deadline(this.world, this.state);
      if (dueAt > now) break;
      this.now = Math.max(this.now, dueAt);
      this.take({ kind: 'woke' });
    }
    this.now = now;
    this.take({ kind: 'woke' });
    return this;
  }

  hear(from: string, message: Message, incarnation = `${from}-1`): this {
    return this.hearParts(from, [encodeMessage(message, this.packages)], incarnation);
  }

  hearParts(from: string, parts: { kind: number; bytes: Uint8Array }[], incarnation = `${from}-1`): this {
    this.health.peers[from] = { health: 'alive', since: this.now, heardAt: this.now, incarnation };
    this.world.heard.push({ node: from, incarnation, sequence: 1, parts });
    this.take({ kind: 'datagram-received', nic: 'eth0', to: '', from: '', bytes: new Uint8Array() });
    return this;
  }

  hearWords(from: string, words: Partial<Standing> = {}): this {
    const standing: Standing = {
      storageId: ids[from]!,
      term: 0,
      role: 'follower',
      version: v(-1, 0),
      leaving: false,
      jobs: {},
      ...words,
    };
    return this.hearParts(from, [encodeStanding(standing, this.packages)]);
  }

  hearAppend(from: string, term: number, sequence: number, document?: Document, committed = v(-1, 0)): this {
    const enclosed = document === undefined ? NONE : whole(document);
    return this.hear(from, { kind: 'append', term, sequence, committed, document: enclosed });
  }

  /** To the newest append that went to that node. */
  hearAnswer(
    from: string,
    sequence: number,
    version: Version,
    held: string[] = [],
    change: { term?: number; echo?: number; incarnation?: string } = {},
  ): this {
    const append = this.last(from, 'append');
    return this.hear(from, {
      kind: 'answer',
      term: change.term ?? append.term,
      echo: { incarnation: change.incarnation ?? this.world.incarnation, sequence: change.echo ?? append.sequence },
      sequence,
      storageId: ids[from]!,
      version,
      held,
    });
  }

  /** To the newest answer that went to that node. */
  hearGrant(
    from: string,
    durationMs: Ms,
    { need = v(1, 1), committed = v(1, 1), echo = 0, term = 1, incarnation = this.world.incarnation } = {},
  ): this {
    const sequence = echo || this.last(from, 'answer').sequence;
    return this.hear(from, {
      kind: 'grant',
      term,
      echo: { incarnation, sequence },
      durationMs,
      need,
      committed,
      document: NONE,
    });
  }

  hearAsk(from: string, term: number, version: Version, pre = false, storageId = ids[from]!): this {
    return this.hear(from, { kind: 'ask', pre, term, version, storageId, round: 77 });
  }

  hearReply(from: string, { pre = false, yes = true, term = 1, ageMs = 5000 } = {}): this {
    const round = this.last(from, 'ask').round;
    return this.hear(from, { kind: 'reply', pre, yes, term, storageId: ids[from]!, round, ageMs });
  }

  answerArbiter(answer: ArbiterAnswer): this {
    const asked = this.actions.filter((action) => action.kind === 'ask-arbiter').at(-1)!;
    this.take({ kind: 'arbiter-answered', id: asked.id, answer });
    return this;
  }

  get asked(): Extract<Action, { kind: 'ask-arbiter' }>[] {
    return this.actions.filter((action) => action.kind === 'ask-arbiter');
  }

  messages<K extends Message['kind']>(to: string, kind: K): Extract<Message, { kind: K }>[] {
    return this.said
      .filter((each) => each.to === to && each.message.kind === kind)
      .map(({ message }) => message as Extract<Message, { kind: K }>);
  }

  last<K extends Message['kind']>(to: string, kind: K): Extract<Message, { kind: K }> {
    const found = this.messages(to, kind).at(-1);
    if (found === undefined) throw new Error(`nothing of the kind ${kind} went to ${to}`);
    return found;
  }

  job(name: string, held: boolean, state: Job['state'] = 'halted', epoch: Version | null = null): void {
    this.world.jobs[name] = { state, epoch, since: 0, held };
  }

  get role(): string {
    return this.state.post.role;
  }

  /** Elected in term 1 by beta, whose age is given, with the first document committed as 1.1. */
  static coordinator(options: StandOptions = {}, ageMs = 5000): Stand {
    const stand = new Stand(options);
    const peer = stand.world.cluster.nodes.find(({ name }) => name !== stand.name)!.name;
    stand.wakeUntil(1600);
    stand.hearReply(peer, { pre: true, term: 0 });
    stand.hearReply(peer, { ageMs });
    stand.hearAnswer(peer, 1, v(1, 1));
    return stand;
  }
}
