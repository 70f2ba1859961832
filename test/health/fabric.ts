/**
 * A tiny net in memory for the health stage alone: nodes that run the real monitor, switches joined by one trunk each,
 * a target, and faults. Frames take TRANSIT_MS. Virtual time.
 */
import { BARE, BARE_NET } from '../bare-cluster.js';
import { KEY_ID, noCipher } from '../no-cipher.js';
import type { Action } from '../../src/action.js';
import type { Cluster, Net, Timing } from '../../src/config/cluster.js';
import { profiles } from '../../src/config/timing.js';
import { arpReply, decodeArp } from '../../src/frame/arp.js';
import { decodeEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV6 } from '../../src/frame/ethernet.js';
import { decodeNdp, neighbourAnswer } from '../../src/frame/ndp.js';
import * as health from '../../src/health/monitor.js';
import { describe as describeVerdict } from '../../src/health/verdict.js';
import type { Input, NicObservation } from '../../src/input.js';
import type { JournalEntry } from '../../src/status.js';
import type { Fault } from './faults.js';
import type { World } from '../../src/world.js';

export const TRANSIT_MS = 0.2;

export const DEFAULT: Timing = profiles.default;
export const FAST: Timing = { ...DEFAULT, pollMs: 20, carrierPollMs: 10 };

export interface FabricOptions {
  /** node → NIC → switch; the first NIC is the primary. Net `public`, or the net named before a colon: `private:A`. */
  nodes: Record<string, Record<string, string>>;
  timing?: Timing;
  net?: Partial<Net>;
  targets?: string[];
  /** Switch on which the targets sit. */
  side?: string;
  seed?: number;
  /** NICs without a link-local address. */
  withoutLinkLocal?: boolean;
}

interface Card {
  node: string;
  nic: string;
  net: string;
  switch: string;
  key: string;
  mac: string;
  carrier: boolean;
  dropIn: boolean;
  dropOut: boolean;
  loss: number;
  rxPackets: number;
}

interface Event {
  at: number;
  order: number;
  run: () => void;
}

/** Mulberry32. */
export function dice(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const seal = (bytes: Uint8Array): Uint8Array => {
  // FNV-1a, four times: the tests of the frame judge the real seal.
  const out = new Uint8Array(16);
  for (let part = 0; part < 4; part++) {
    let hash = 0x811c9dc5 ^ part;
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    out.set([hash >>> 24, hash >>> 16, hash >>> 8, hash], 4 * part);
  }
  return out;
};

export class Host {
  readonly world: World;
  readonly host: Record<string, NicObservation> = {};
  state: health.HealthState;
  journal: JournalEntry[] = [];
  woken = 0;
  stopped = false;

  constructor(
    readonly fabric: Fabric,
    readonly name: string,
    incarnation: string,
  ) {
    const self = fabric.cluster.nodes.find((node) => node.name === name)!;
    this.world = {
      cluster: fabric.cluster,
      self,
      incarnation,
      keys: [KEY_ID],
      seal,
      random: fabric.random,
      host: this.host,
      moving: {},
      cipher: noCipher,
      heard: [],
      jobs: {},
    };
    this.state = health.start(this.world, fabric.now);
  }

  observe(...cards: Card[]): void {
    for (const card of cards) this.host[card.nic] = this.fabric.observation(card);
    this.take({ kind: 'host-observed', nics: cards.map((card) => this.host[card.nic]!), missing: [] });
  }

  take(input: Input): void {
    if (this.stopped) return;
    const out: Action[] = [];
    health.take(this.world, this.state, this.fabric.now, input, out);
    for (const action of out) this.fabric.perform(this, action);
  }

  verdict(nic: string): string {
    return describeVerdict(health.verdict(this.state, nic));
  }

  events(event: JournalEntry['event'], nic?: string): JournalEntry[] {
    return this.journal.filter((entry) => entry.event === event && (nic === undefined || entry.nic === nic));
  }
}

export class Fabric {
  now = 1000;
  readonly cluster: Cluster;
  readonly cards: Card[] = [];
  readonly hosts: Record<string, Host> = {};
  readonly random: () => number;
  trunk = true;
  targetAlive = true;
  loss = 0;
  jitterMs = 0;
  /** Share of frames that arrive twice. */
  duplicate = 0;
  probesBlocked = false;
  readonly frames: { from: string; to: string; bytes: Uint8Array; at: number }[] = [];
  recording = false;
  sent = 0;
  #queue: Event[] = [];
  #order = 0;

  constructor(readonly options: FabricOptions) {
    this.random = dice(options.seed ?? 1);
    for (const [node, nics] of Object.entries(options.nodes)) {
      for (const [nic, place] of Object.entries(nics)) {
        const [net, where] = place.includes(':') ? (place.split(':') as [string, string]) : ['public', place];
        const mac = `02:00:00:00:00:${(this.cards.length + 1).toString(16).padStart(2, '0')}`;
        const fresh = { carrier: true, dropIn: false, dropOut: false, loss: 0, rxPackets: 0 };
        this.cards.push({ node, nic, net, switch: where, key: `${node}/${nic}`, mac, ...fresh });
      }
    }
    this.cluster = this.#cluster();
    for (const node of Object.keys(options.nodes)) this.boot(node, `00000000000000${this.#hex(node)}`);
  }

  #hex(node: string): string {
    return (Object.keys(this.options.nodes).indexOf(node) + 16).toString(16);
  }

  boot(node: string, incarnation: string): Host {
    const old = this.hosts[node];
    if (old !== undefined) old.stopped = true;
    const host = new Host(this, node, incarnation);
    this.hosts[node] = host;
    host.observe(...this.cards.filter((card) => card.node === node));
    return host;
  }

  #cluster(): Cluster {
    const nets = [...new Set(this.cards.map((card) => card.net))];
    const targets = (this.options.targets ?? []).map((address) => ({
      family: address.includes(':') ? (6 as const) : (4 as const),
      address,
    }));
    return {
      ...BARE,
      nets: nets.map((name) => ({ ...BARE_NET, ...this.options.net, targets, name })),
      nodes: Object.keys(this.options.nodes).map((name, i) => ({
        name,
        nets: nets.flatMap((net) => {
          const [primary, ...standby] = this.cards.filter((card) => card.node === name && card.net === net);
          if (primary === undefined) return [];
          const address = { family: 4 as const, address: `10.77.0.${i + 1}`, prefixLength: 24 };
          return [{ net, primary: primary.nic, standby: standby.map((card) => card.nic), addresses: [address] }];
        }),
      })),
      timing: this.options.timing ?? DEFAULT,
    };
  }

  observation(card: Card): NicObservation {
    const part = this.cluster.nodes
      .find((node) => node.name === card.node)!
      .nets.find((it) => [it.primary, ...it.standby].includes(card.nic))!;
    const plain = { scope: 0, flags: 0 };
    const addresses: NicObservation['addresses'] = [];
    if (this.options.withoutLinkLocal !== true)
      addresses.push({ family: 6, local: `fe80::${card.mac.slice(-2)}`, prefixLength: 64, scope: 253, flags: 0 });
    if (part.primary === card.nic)
      for (const { family, address, prefixLength } of part.addresses)
        addresses.push({ family, local: address, prefixLength, ...plain });
    return {
      nic: card.nic,
      ifindex: this.cards.indexOf(card) + 2,
      mac: card.mac,
      mtu: 1500,
      linkType: 1,
      admin: true,
      carrier: card.carrier,
      addresses,
      routes: [],
      neighbours: [],
      groups: [],
      settings: {},
      children: [],
    };
  }

  card(key: string): Card {
    return this.cards.find((card) => card.key === key)!;
  }

  cut(key: string): void {
    this.card(key).carrier = false;
    this.hosts[this.card(key).node]!.take({ kind: 'carrier-changed', nic: this.card(key).nic, state: 'down' });
  }

  mend(key: string): void {
    this.card(key).carrier = true;
    this.hosts[this.card(key).node]!.take({ kind: 'carrier-changed', nic: this.card(key).nic, state: 'up' });
  }

  readonly deadSwitches = new Set<string>();

  /** Carriers stay. */
  inflict(fault: Fault): void {
    switch (fault.kind) {
      case 'trunk':
        this.trunk = false;
        return;
      case 'target':
        this.targetAlive = false;
        return;
      case 'switch':
        this.deadSwitches.add(fault.at);
        return;
      default: {
        const card = this.card(fault.at);
        card.dropIn = fault.kind !== 'out';
        card.dropOut = fault.kind !== 'in';
      }
    }
  }

  #joined(a: string, b: string): boolean {
    if (this.deadSwitches.has(a) || this.deadSwitches.has(b)) return false;
    return a === b || this.trunk;
  }

  #later(inMs: number, run: () => void): void {
    const event = { at: this.now + inMs, order: this.#order++, run };
    let i = this.#queue.length;
    while (i > 0 && this.#queue[i - 1]!.at > event.at) i--;
    this.#queue.splice(i, 0, event);
  }

  perform(host: Host, action: Action): void {
    switch (action.kind) {
      case 'send-frame':
        return this.#transmit(host.name, action.nic, action.bytes);
      case 'send-echo':
        return this.#echo(host, action.nic, action.target);
      case 'journal':
        host.journal.push(action.entry);
        return;
      default:
        throw new Error(`the health stage asked for ${action.kind}`);
    }
  }

  #lost(card: Card): boolean {
    const loss = Math.max(this.loss, card.loss);
    return loss > 0 && this.random() < loss;
  }

  #transmit(node: string, nic: string, bytes: Uint8Array): void {
    const from = this.card(`${node}/${nic}`);
    this.sent++;
    if (!from.carrier || from.dropOut || this.#lost(from)) return;
    const frame = decodeEthernet(bytes);
    if (typeof frame === 'string') throw new Error(frame);
    if (frame.etherType === ETHERTYPE_ARP || frame.etherType === ETHERTYPE_IPV6) {
      this.#askTarget(from, bytes);
      return;
    }
    const group = (parseInt(frame.destination.slice(0, 2), 16) & 1) === 1;
    for (const to of this.cards) {
      if (to === from || !this.#joined(from.switch, to.switch)) continue;
      if (!group && to.mac !== frame.destination) continue;
      this.deliver(to, bytes, from.key);
    }
  }

  deliver(to: Card, bytes: Uint8Array, from: string): void {
    if (this.recording) this.frames.push({ from, to: to.key, bytes, at: this.now });
    const times = this.duplicate > 0 && this.random() < this.duplicate ? 2 : 1;
    for (let i = 0; i < times; i++) {
      if (!to.carrier || to.dropIn || this.#lost(to)) continue;
      const delay = TRANSIT_MS + (this.jitterMs > 0 ? this.random() * this.jitterMs : 0);
      this.#later(delay, () => {
        if (!to.carrier) return;
        to.rxPackets++;
        this.hosts[to.node]!.take({ kind: 'frame-received', nic: to.nic, bytes });
      });
    }
  }

  #reachesTarget(card: Card): boolean {
    return this.targetAlive && card.carrier && !card.dropOut && this.#joined(card.switch, this.options.side ?? 'A');
  }

  #echo(host: Host, nic: string, target: string): void {
    const card = this.card(`${host.name}/${nic}`);
    this.sent++;
    if (!this.#reachesTarget(card) || card.dropIn || this.#lost(card) || this.#lost(card)) return;
    this.#later(2 * TRANSIT_MS, () => host.take({ kind: 'echo-answered', nic, target }));
  }

  #askTarget(card: Card, bytes: Uint8Array): void {
    if (!this.#reachesTarget(card) || this.probesBlocked) return;
    const frame = decodeEthernet(bytes);
    if (typeof frame === 'string') return;
    const mac = '02:00:00:00:ff:fe';
    if (frame.etherType === ETHERTYPE_ARP) {
      const arp = decodeArp(frame.payload);
      if (typeof arp === 'string' || !this.options.targets?.includes(arp.tpa)) return;
      this.deliver(card, arpReply(mac, arp.tpa, arp.sha, arp.spa), 'target');
      return;
    }
    const ndp = decodeNdp(frame.payload);
    if (typeof ndp === 'string' || ndp.type !== 'neighbour-solicitation') return;
    if (!this.options.targets?.includes(ndp.target)) return;
    const answer = neighbourAnswer(mac, ndp, card.mac, false);
    if (ndp.source !== '::') return this.deliver(card, answer, 'target');
    for (const to of this.cards)
      if (this.#joined(to.switch, this.options.side ?? 'A')) this.deliver(to, answer, 'target');
  }

  /** Runs until that many milliseconds from now, or until `stop` says so. */
  run(forMs: number, stop?: () => boolean): void {
    const end = this.now + forMs;
    for (;;) {
      const wakes = Object.values(this.hosts).filter((host) => !host.stopped);
      const due = wakes.reduce((first, host) => Math.min(first, health.deadline(host.world, host.state)), Infinity);
      const next = Math.min(this.#queue[0]?.at ?? Infinity, Math.max(due, this.now));
      if (next > end) break;
      this.now = next;
      if (this.#queue[0] !== undefined && this.#queue[0].at <= next) this.#queue.shift()!.run();
      else
        for (const host of wakes)
          if (health.deadline(host.world, host.state) <= next) {
            host.woken++;
            host.take({ kind: 'woke' });
          }
      if (stop?.() === true) return;
    }
    this.now = end;
  }

  /** Milliseconds until it is so; the limit if it never is. */
  until(limitMs: number, stop: () => boolean): number {
    const from = this.now;
    this.run(limitMs, stop);
    return this.now - from;
  }

  readCounters(): void {
    for (const host of Object.values(this.hosts)) {
      const cards = this.cards.filter((card) => card.node === host.name);
      const counters = cards.map(({ nic, rxPackets }) => ({ nic, rxPackets, txPackets: 0, rxLinkLocal: 0 }));
      host.take({ kind: 'counters-read', counters });
    }
  }

  verdicts(): Record<string, string> {
    return Object.fromEntries(this.cards.map((card) => [card.key, this.hosts[card.node]!.verdict(card.nic)]));
  }
}
