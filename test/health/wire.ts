/** Nodes that run the real monitor and hear each other by datagrams alone, in virtual time: each net is one wire that can fail. */
import type { Action } from '../../src/action.js';
import type { Cluster, ClusterNode, Timing } from '../../src/config/cluster.js';
import type { Part } from '../../src/frame/part.js';
import { serialFrameLength } from '../../src/frame/serial.js';
import * as health from '../../src/health/monitor.js';
import type { Input, NicObservation } from '../../src/input.js';
import type { JournalEntry } from '../../src/status.js';
import type { Cipher, HeardBeat, World } from '../../src/world.js';
import { BARE, BARE_NET } from '../bare-cluster.js';
import { cipherWith } from '../../drivers/cipher.js';
import { DEFAULT, dice, seal } from './fabric.js';
import { KEY_ID } from '../no-cipher.js';

export const KEY = new Uint8Array(32).fill(7);

export interface WireOptions {
  /** Names; the first is alpha. */
  nodes?: string[];
  nets?: Record<string, 'private' | 'public' | undefined>;
  timing?: Partial<Timing>;
  seed?: number;
  family?: 4 | 6;
  /** Of every net. */
  targets?: string[];
  /** Baud rate of a serial line between the first two. */
  serial?: number;
}

export interface Sent {
  at: number;
  node: string;
  nic: string;
  from: string;
  to: string;
  bytes: Uint8Array;
}

export function clusterOf(options: WireOptions = {}): Cluster {
  const nets = options.nets ?? { private: 'private', public: 'public' };
  const names = options.nodes ?? ['alpha', 'beta'];
  return {
    ...BARE,
    nets: Object.entries(nets).map(([name, heartbeat]) => ({
      ...BARE_NET,
      name,
      targets: (options.targets ?? []).map((address) => ({ family: 4, address })),
      ...(heartbeat === undefined ? {} : { heartbeat }),
    })),
    nodes: names.map((name, i): ClusterNode => ({
      name,
      ...(options.serial !== undefined && { serial: { device: `/dev/ttyS${i}`, baud: options.serial } }),
      nets: Object.keys(nets).map((net, n) => ({
        net,
        primary: `eth${n}`,
        standby: [],
        addresses: [
          options.family === 6
            ? { family: 6, address: `fd77:${n}::${i + 1}`, prefixLength: 64 }
            : { family: 4, address: `10.${n}.0.${i + 1}`, prefixLength: 24 },
        ],
      })),
    })),
    timing: { ...DEFAULT, ...options.timing },
    digest: '0123456789abcdef'.repeat(4),
  };
}

export class Peer {
  readonly host: Record<string, NicObservation> = {};
  readonly world: World;
  readonly state: health.HealthState;
  readonly journal: JournalEntry[] = [];
  readonly heard: (HeardBeat & { at: number })[] = [];
  /** It sleeps, and what comes waits. */
  asleep = false;
  off = false;
  readonly waiting: Input[] = [];

  constructor(
    readonly wire: Wire,
    readonly name: string,
    readonly incarnation: string,
    cluster: Cluster,
    cipher: Cipher,
  ) {
    const self = cluster.nodes.find((node) => node.name === name)!;
    this.world = {
      cluster,
      self,
      incarnation,
      keys: [KEY_ID],
      seal,
      cipher,
      random: wire.random,
      host: this.host,
      moving: {},
      heard: [],
      jobs: {},
    };
    this.state = health.start(this.world, wire.now);
    for (const [i, part] of self.nets.entries()) {
      const addresses = part.addresses.map(({ family, address, prefixLength }) => ({
        family,
        local: address,
        prefixLength,
        scope: 0,
        flags: 0,
      }));
      this.host[part.primary] = {
        nic: part.primary,
        ifindex: i + 2,
        mac: `02:00:00:00:00:0${i + 1}`,
        mtu: 1500,
        linkType: 1,
        admin: true,
        carrier: true,
        addresses,
        routes: [],
        neighbours: [],
        groups: [],
        settings: {},
        children: [],
      };
    }
    this.observe();
    if (self.serial !== undefined) this.take({ kind: 'serial-changed', state: 'up', text: '' });
  }

  observe(): void {
    this.take({ kind: 'host-observed', nics: Object.values(this.host), missing: [] });
  }

  take(input: Input): void {
    if (this.off) return;
    if (this.asleep) {
      this.waiting.push(input);
      return;
    }
    const out: Action[] = [];
    this.world.heard.length = 0;
    health.take(this.world, this.state, this.wire.now, input, out);
    for (const beat of this.world.heard) this.heard.push({ ...beat, at: this.wire.now });
    this.perform(out);
  }

  speak(node: string, parts: readonly Part[] = []): void {
    const out: Action[] = [];
    health.speak(this.world, this.state, this.wire.now, node, parts, out);
    this.perform(out);
  }

  perform(out: Action[]): void {
    for (const action of out) {
      if (action.kind === 'journal') this.journal.push(action.entry);
      else if (action.kind === 'send-datagram') this.wire.carry(this, action);
      else if (action.kind === 'send-serial') this.wire.carryOverLine(this, action.bytes);
      else if (action.kind === 'send-echo' && this.wire.answers(this.name, action.nic)) {
        const { nic, target } = action;
        this.wire.later(2 * this.wire.transitMs, () => this.take({ kind: 'echo-answered', nic, target }));
      }
    }
  }

  wake(forMs: number): void {
    this.asleep = false;
    this.take({ kind: 'stalled', forMs });
    for (const input of this.waiting.splice(0)) this.take(input);
    this.take({ kind: 'woke' });
  }

  peer(node: string): health.PeerView {
    return health.peer(this.state, node);
  }

  status(): ReturnType<typeof health.status> {
    return health.status(this.world, this.state, this.wire.now);
  }

  path(node: string, net: string): string {
    const { state, rerouted } = this.status().paths.find((it) => it.peer === node && it.net === net)!;
    return rerouted ? `${state} rerouted` : state;
  }

  events(event: JournalEntry['event']): string[] {
    return this.journal
      .filter((entry) => entry.event === event)
      .map(({ peer, net, from, to, cause }) => [peer, net, `${from}→${to}`, cause].filter(Boolean).join(' '));
  }

  alarms(): string[] {
    return this.status().alarms.map(({ what }) => what);
  }
}

export class Wire {
  now = 1000;
  readonly random: () => number;
  readonly cluster: Cluster;
  readonly peers: Record<string, Peer> = {};
  readonly sent: Sent[] = [];
  /** Does that datagram get lost? */
  loses: (from: string, to: string, net: string) => boolean = () => false;
  /** Does a target answer that node through that NIC? */
  answers: (node: string, nic: string) => boolean = () => true;
  transitMs = 0.2;
  lineCut = false;
  /** Each end hears itself. */
  lineLoops = false;
  readonly lineBusyUntil: Record<string, number> = {};
  readonly lineSent: { at: number; node: string; bytes: Uint8Array; lineMs: number }[] = [];
  jitterMs = 0;
  duplicate = 0;
  #queue: { at: number; run: () => void }[] = [];
  #starts = 0;

  constructor(readonly options: WireOptions = {}) {
    this.random = dice(options.seed ?? 1);
    this.cluster = clusterOf(options);
    for (const { name } of this.cluster.nodes) this.boot(name);
  }

  boot(name: string, cluster = this.cluster, key = KEY): Peer {
    const old = this.peers[name];
    if (old) old.off = true;
    const incarnation = (++this.#starts).toString(16).padStart(16, 'a');
    return (this.peers[name] = new Peer(this, name, incarnation, cluster, cipherWith(key)));
  }

  carry(from: Peer, action: Extract<Action, { kind: 'send-datagram' }>): void {
    this.sent.push({ at: this.now, node: from.name, ...action });
    const net = from.world.self.nets.find((part) => [part.primary, ...part.standby].includes(action.nic))!.net;
    for (const name in this.peers) {
      const part = this.peers[name]!.world.self.nets.find((it) => it.net === net);
      if (!part?.addresses.some(({ address }) => address === action.to)) continue;
      const copies = this.random() < this.duplicate ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (this.loses(from.name, name, net)) continue;
        const { from: source, to, bytes } = action;
        this.later(this.transitMs + this.random() * this.jitterMs, () =>
          this.peers[name]!.take({ kind: 'datagram-received', nic: part.primary, to, from: source, bytes }),
        );
      }
    }
  }

  carryOverLine(from: Peer, bytes: Uint8Array): void {
    const lineMs = (serialFrameLength(bytes.length) * 10_000) / this.options.serial!;
    const begins = Math.max(this.now, this.lineBusyUntil[from.name] ?? 0);
    this.lineBusyUntil[from.name] = begins + lineMs;
    this.lineSent.push({ at: this.now, node: from.name, bytes, lineMs });
    const to = this.lineLoops ? from.name : Object.keys(this.peers).find((name) => name !== from.name)!;
    if (!this.lineCut)
      this.later(begins + lineMs - this.now, () => this.peers[to]!.take({ kind: 'serial-received', bytes }));
  }

  later(inMs: number, run: () => void): void {
    const at = this.now + inMs;
    let i = this.#queue.length;
    while (i > 0 && this.#queue[i - 1]!.at > at) i--;
    this.#queue.splice(i, 0, { at, run });
  }

  run(forMs: number): void {
    const end = this.now + forMs;
    for (;;) {
      const awake = Object.values(this.peers).filter(({ off, asleep }) => !off && !asleep);
      const next = awake.map((it) => ({ it, at: health.deadline(it.world, it.state) })).sort((a, b) => a.at - b.at)[0];
      const first = this.#queue[0];
      const at = Math.min(next?.at ?? Infinity, first?.at ?? Infinity);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      if (first !== undefined && first.at <= (next?.at ?? Infinity)) this.#queue.shift()!.run();
      else next!.it.take({ kind: 'woke' });
    }
    this.now = end;
  }
}
