/**
 * Floating addresses on a test stand: the model kernel and a model gate below, membership's word set by hand. Hands and
 * gate work in order, each when it is let to; the gate closes by itself when its lease ends, as the kernel's does.
 */
import type { Action, Step } from '../../src/action.js';
import type { Cluster, Package } from '../../src/config/cluster.js';
import type { Verdict } from '../../src/health/state.js';
import type { GateOutcome, Input, Ms } from '../../src/input.js';
import type { Document, Version } from '../../src/membership/document.js';
import { formatIp } from '../../src/frame/ip.js';
import type { Part } from '../../src/frame/part.js';
import type { HealthReason, JournalEntry, NicHealth } from '../../src/status.js';
import { floatingOf } from '../../src/takeover/floating-address.js';
import { floatingDeadline } from '../../src/takeover/floating.js';
import type { Mandate } from '../../src/takeover/floating-state.js';
import { startJobs } from '../../src/takeover/job.js';
import * as localSwitch from '../../src/takeover/local-switch.js';
import { startState, type TakeoverState } from '../../src/takeover/state.js';
import { takeTurn } from '../../src/takeover/turn.js';
import type { Job, World } from '../../src/world.js';
import { BARE_PACKAGE } from '../bare-cluster.js';
import type { ModelKernel } from './model-kernel.js';
import { attempt, cluster, noteHost, ordinaryKernel, worldOf } from './stand.js';

export const V4 = '10.77.0.100';
export const V6 = 'fd77::100';
export const LEASE: Ms = 900;

export function packageOf(name: string, ...addresses: string[]): Package {
  return {
    name,
    nodes: ['alpha', 'beta'],
    ...BARE_PACKAGE,
    resources: addresses.map((text) => {
      const [address = '', length] = text.split('/');
      const family = address.includes(':') ? 6 : 4;
      const prefixLength = length === undefined ? (family === 6 ? 128 : 32) : Number(length);
      return { kind: 'address', address: { family, address, prefixLength }, net: 'public', source: false };
    }),
  };
}

export interface FloatingOptions {
  packages?: Package[];
  fence?: Cluster['fence'];
  announceRate?: number;
  announceEveryMs?: Ms;
}

export interface GateOrder {
  id: number;
  held: string[];
  leaseEnd: Ms | null;
}

export class FloatingStand {
  now: Ms = 10_000;
  state: TakeoverState;
  readonly world: World;
  readonly mandate: { -readonly [K in keyof Mandate]: Mandate[K] } = {
    may: {},
    leaseEnd: null,
    document: null,
    departed: false,
  };
  readonly verdicts: Record<string, Verdict> = {};
  readonly journal: JournalEntry[] = [];
  /** Announcements of floating addresses. */
  readonly frames: { nic: string; at: Ms; address: string; until: Ms | undefined }[] = [];
  /** ARP probes and solicitations. */
  readonly probes: { nic: string; at: Ms; address: string }[] = [];
  readonly told: { node: string; part: Part }[] = [];
  peers: string[] = [];
  /** Packages that another node may serve, too. */
  alsoServed: string[] = [];
  /** All that was ordered, in order. */
  readonly orders: string[] = [];
  readonly hands: Extract<Action, { kind: 'change-host' }>[] = [];
  readonly gateOrders: GateOrder[] = [];
  handsIdle = true;
  gateIdle = true;
  /** What the kernel's gate lets speak. */
  gate: { held: string[]; leaseEnd: Ms | null } = { held: [], leaseEnd: null };
  gateAnswer: (order: GateOrder) => GateOutcome = () => ({ ok: true });
  refuses: (step: Step) => boolean = () => false;
  exited: number | null = null;
  /** Looked at after every input. */
  check: () => void = () => undefined;

  constructor(
    options: FloatingOptions = {},
    readonly kernel: ModelKernel = ordinaryKernel(),
  ) {
    const file = cluster({});
    file.packages = options.packages ?? [packageOf('web', V4, V6)];
    if (options.fence) file.fence = options.fence;
    if (options.announceRate !== undefined) file.nets[0]!.announceRate = options.announceRate;
    if (options.announceEveryMs !== undefined) file.nets[0]!.announceEveryMs = options.announceEveryMs;
    file.nodes.push({ name: 'beta', nets: [{ net: 'public', primary: 'eth0', standby: ['eth1'], addresses: [] }] });
    this.world = worldOf(file);
    for (const nic of ['eth0', 'eth1']) this.health(nic, 'up');
    this.state = startState(this.world, this.now);
  }

  health(nic: string, health: NicHealth, reason?: HealthReason): void {
    const rank = { up: 0, suspect: 3, down: 4 }[health];
    this.verdicts[nic] = { health, since: this.now, rank, holdUntil: -1e15, ...(reason && { reason }) };
  }

  /** A new run of the daemon: gate and kernel stay as they are. */
  start(): this {
    for (const name of Object.keys(this.world.jobs)) delete this.world.jobs[name];
    for (const nic of Object.keys(this.world.host)) delete (this.world.host as Record<string, unknown>)[nic];
    this.hands.length = 0;
    this.gateOrders.length = 0;
    this.exited = null;
    Object.assign(this.mandate, { may: {}, leaseEnd: null, departed: false });
    startJobs(this.world, this.now);
    this.state = startState(this.world, this.now);
    this.give({ kind: 'started', run: null, durable: null, damaged: false, hostUpMs: 0 });
    this.observe();
    this.work();
    return this;
  }

  /** The document places these here under that epoch, and the lease allows it. */
  grant(epoch: Record<string, number>, leaseMs: Ms = LEASE): void {
    this.place(epoch);
    this.mandate.may = Object.fromEntries(Object.entries(epoch).map(([name, revision]) => [name, version(revision)]));
    this.mandate.leaseEnd = this.now + leaseMs;
    this.wake();
  }

  /** The document alone; `else` is where the others are. */
  place(epoch: Record<string, number>, elsewhere: string | null = 'beta', state: 'run' | 'halt' = 'run'): void {
    const names = this.world.cluster.packages.map(({ name }) => name);
    const newest = (this.mandate.document?.version.revision ?? 0) + 1;
    const document: Document = {
      version: { term: 1, revision: newest },
      voters: { next: [] },
      placements: Object.fromEntries(
        names.map((name) => {
          const here = epoch[name];
          return [name, { node: here === undefined ? elsewhere : 'alpha', epoch: version(here ?? 1), state }];
        }),
      ),
      orders: { clusterHalted: false, haltedNodes: [], removedNodes: [], packages: {} },
      digest: '00',
    };
    this.mandate.document = document;
  }

  /** The lease is prolonged, and nothing else. */
  renew(leaseMs: Ms = LEASE): void {
    this.mandate.leaseEnd = this.now + leaseMs;
    this.wake();
  }

  /** The lease is over, as membership knows it. */
  lose(): void {
    this.mandate.may = {};
    this.mandate.leaseEnd = null;
    this.wake();
  }

  /** A document that halts everything here. */
  halt(): void {
    this.place({}, 'alpha', 'halt');
    this.mandate.may = {};
    this.wake();
  }

  wake(): void {
    this.give({ kind: 'woke' });
  }

  /** Time passes, in which the lease is prolonged each heartbeat if there is one. */
  pass(ms: Ms, renewing = true): void {
    const until = this.now + ms;
    for (let i = 0; i < 100_000; i++) {
      const beat = renewing && this.mandate.leaseEnd !== null ? Math.floor(this.now / 200) * 200 + 200 : Infinity;
      const at = Math.min(localSwitch.deadline(this.world, this.state), beat);
      if (at > until) break;
      if (at < this.now) throw new Error(`deadline ${at} is behind ${this.now}`);
      this.now = at;
      if (at === beat) this.renew();
      else this.expire();
      if (floatingDeadline(this.world, this.state.floating) < this.now) throw new Error('the deadline does not move');
    }
    this.now = until;
    this.expire();
  }

  private expire(): void {
    if (this.mandate.leaseEnd !== null && this.mandate.leaseEnd <= this.now) this.lose();
    else this.wake();
  }

  observe(): void {
    this.give(this.kernel.look(['eth0', 'eth1']));
  }

  give(input: Input): void {
    const actions: Action[] = [];
    noteHost(this.world, input);
    const { world, state, now, mandate } = this;
    const verdict = (nic: string): Verdict => this.verdicts[nic]!;
    const peers = {
      askable: () => this.peers,
      tell: (node: string, part: Part) => void this.told.push({ node, part }),
      nodeOf: (mac: string) => (mac.endsWith(':bb') ? 'beta' : null),
      mayServe: ({ name }: Package) => this.alsoServed.includes(name),
    };
    takeTurn({ world, state, now, verdict, mandate, peers, out: actions }, input);
    this.state = JSON.parse(JSON.stringify(this.state)) as TakeoverState;
    for (const action of actions) this.perform(action);
    this.check();
    this.work();
  }

  /** Hands and gate do what waits, as far as they are idle. */
  work(): void {
    for (let i = 0; i < 1000; i++) {
      if (this.handsIdle && this.hands.length > 0) this.change();
      else if (this.gateIdle && this.gateOrders.length > 0) this.writeGate();
      else return;
    }
    throw new Error('the hands are never done');
  }

  private perform(action: Action): void {
    switch (action.kind) {
      case 'change-host':
        this.orders.push(...action.steps.map((step) => `${step.do} ${'nic' in step ? step.nic : ''} ${subject(step)}`));
        this.hands.push(action);
        return;
      case 'write-gate':
        this.orders.push(`gate ${action.leaseEnd === null ? 'closed' : action.held.join(' ')}`);
        this.gateOrders.push(action);
        return;
      case 'observe':
        this.observe();
        return;
      case 'journal':
        this.journal.push(action.entry);
        return;
      case 'send-frame':
        this.sent(action.nic, action.bytes, action.until);
        return;
      case 'exit':
        this.exited = action.code;
        return;
      default:
        return;
    }
  }

  private sent(nic: string, bytes: Uint8Array, until?: Ms): void {
    const isArp = bytes[13] === 0x06;
    const address = formatIp(isArp ? bytes.subarray(38, 42) : bytes.subarray(62, 78));
    if (!floatingOf(this.world.cluster, address)) return;
    const asks = isArp ? bytes.subarray(28, 32).every((octet) => octet === 0) : bytes[54] === 135;
    if (asks) this.probes.push({ nic, at: this.now, address });
    else this.frames.push({ nic, at: this.now, address, until });
  }

  /** The eldest change. */
  change(): void {
    this.give(this.kernel.change(this.hands.shift()!, (step) => attempt(this, step)));
    this.observe();
  }

  /** The newest of those that wait. */
  writeGate(): void {
    const order = this.gateOrders.splice(0).at(-1)!;
    const outcome = this.gateAnswer(order);
    if (outcome.ok) this.gate = { held: order.held, leaseEnd: order.leaseEnd };
    this.give({ kind: 'gate-written', id: order.id, outcome, tookMs: 1 });
  }

  job(name = 'web'): Job {
    return this.world.jobs[name]!;
  }

  addresses(nic = 'eth0'): string[] {
    return this.kernel.nics[nic]!.addresses.map((x) => x.local)
      .filter((x) => floatingOf(this.world.cluster, x) !== undefined)
      .sort();
  }

  /** Does a client get an answer from here: address there, gate open? */
  speaks(address: string): boolean {
    const there = Object.values(this.kernel.nics).some((nic) => nic.addresses.some((x) => x.local === address));
    const { held, leaseEnd } = this.gate;
    return there && held.includes(address) && leaseEnd !== null && leaseEnd > this.now;
  }

  events(...names: string[]): string[] {
    return this.journal.filter((x) => names.includes(x.event)).map((x) => `${x.event} ${x.cause}`);
  }
}

export function version(revision: number): Version {
  return { term: 1, revision };
}

function subject(step: Step): string {
  return 'address' in step ? step.address.local : '';
}
