/**
 * One node of the arena: the real membership stage on a clock of its own, one thread that can be stopped between any two
 * steps, a disk, and a holder and gate by MEMBERSHIP G1 to G5.
 */
import type { Action } from '../../src/action.js';
import type { Cluster } from '../../src/config/cluster.js';
import type { Input, Ms } from '../../src/input.js';
import * as member from '../../src/membership/member.js';
import { compareVersions, type Version } from '../../src/membership/document.js';
import type { DurableRecord } from '../../src/membership/state.js';
import { draw } from '../../src/random.js';
import type { HeardBeat, Job, World } from '../../src/world.js';
import type { Part } from '../../src/frame/part.js';
import type { Arena } from './world.js';
import { planted } from './plants.js';
import type { FakeHealth } from './fake-health.js';
import { KEY_ID } from '../no-cipher.js';

type Task = () => void;

interface Pending {
  id: number;
  record: DurableRecord;
  failed: boolean;
}

const BLANK_DISK = { term: 0, votedFor: null, document: null };

export interface Datagram {
  /** Counts the sender's starts. */
  start: number;
  digest: string;
  parts: readonly Part[];
}

export class SimNode {
  up = false;
  starts = 0;
  pausedTill = 0;
  wokeAt = 0;
  readonly rate: number;
  readonly offset: number;
  disk: DurableRecord | null = null;
  /** The kernel's own: outlives the daemon, not the host. */
  gateTill = 0;
  gateGeneration = 0;
  addresses: Record<string, Version> = {};
  /** Of the cluster file under which the gate was last opened. */
  gateDigest = '';
  /** Its cluster file. */
  cluster: Cluster;
  hostSince = 0;
  world!: World;
  state!: member.MembershipState;
  health!: FakeHealth;
  moves = new Set<string>();
  #queue: Task[] = [];
  #running = false;
  #pending: Pending[] = [];
  #syncedAt = 0;
  #wakeAt = Infinity;
  #token = 0;
  #plan: { may: Record<string, Version>; left: Ms; end: Ms } | null = null;
  #wroteEnd: { start: number; generation: number; end: Ms } = { start: 0, generation: 0, end: 0 };
  #busy = false;
  #halting = new Set<string>();
  #heldBeats: HeardBeat[] = [];

  constructor(
    readonly arena: Arena,
    readonly name: string,
  ) {
    this.cluster = arena.cluster;
    this.rate = 1 + arena.pick([-1, 1, arena.uniform(-1, 1)]) * 0.001;
    this.offset = arena.uniform(0, 1e6);
  }

  get now(): Ms {
    return this.offset + this.arena.t * this.rate;
  }

  get incarnation(): string {
    return this.starts.toString(16).padStart(16, '0');
  }

  // --- the process

  start(): void {
    if (this.up) return;
    const { arena } = this;
    this.up = true;
    this.starts++;
    this.#queue = [];
    this.#running = false;
    this.pausedTill = 0;
    this.#pending = [];
    this.#wakeAt = Infinity;
    this.#busy = false;
    this.#halting.clear();
    this.moves.clear();
    const random = { seed: Math.floor(arena.random() * 2 ** 31) };
    const self = this.cluster.nodes.find(({ name }) => name === this.name)!;
    this.world = {
      cluster: this.cluster,
      self,
      incarnation: this.incarnation,
      keys: [KEY_ID],
      seal: () => new Uint8Array(),
      cipher: { seal: () => new Uint8Array(), open: () => null },
      random: () => draw(random),
      host: {},
      moving: {},
      heard: [],
      jobs: {},
    };
    this.health = {
      peers: {},
      words: [],
      spokeAt: {},
      reaches: null,
      send: (to, parts) => arena.send(this.name, to, { start: this.starts, digest: this.cluster.digest, parts }),
    };
    this.state = member.start(this.world, this.now);
    this.#showJobs();
    const hostUpMs = (arena.t - this.hostSince) * this.rate;
    const durable: unknown = this.disk === null ? null : JSON.parse(JSON.stringify(this.disk));
    this.task(() => this.#take({ kind: 'started', run: null, durable, damaged: false, hostUpMs }));
    this.#beat(this.starts);
  }

  crash(host: boolean, lost = false): void {
    const { arena } = this;
    this.up = false;
    this.#queue = [];
    // A prefix of the unsynced writes may have reached the disk.
    for (const { record } of this.#pending) {
      if (arena.random() < 0.5) this.disk = record;
      else break;
    }
    this.#pending = [];
    if (host) {
      this.gateTill = 0;
      this.addresses = {};
      this.gateGeneration++;
      this.hostSince = arena.t;
    }
    if (lost)
      this.disk = planted.has('storage-id') && this.disk ? { ...BLANK_DISK, storageId: this.disk.storageId } : null;
    arena.judgeHolders(this);
  }

  pause(forMs: Ms): void {
    this.pausedTill = Math.max(this.pausedTill, this.arena.t + forMs);
  }

  unpause(): void {
    this.pausedTill = Math.min(this.pausedTill, this.arena.t);
  }

  task(task: Task): void {
    this.#queue.push(task);
    this.#kick();
  }

  #kick(): void {
    if (this.#running || this.#queue.length === 0) return;
    this.#running = true;
    const { starts } = this;
    this.arena.after(this.arena.uniform(0.01, 0.1), () => this.#loop(starts));
  }

  #loop(start: number): void {
    const { arena } = this;
    if (!this.up || start !== this.starts) return;
    if (arena.microPauses > 0 && arena.random() < arena.microPauses) this.pause(Math.exp(arena.uniform(2, 8.3)));
    if (this.pausedTill > arena.t) {
      const from = arena.t;
      arena.at(this.pausedTill, () => {
        const slept = arena.t - from;
        if (this.up && start === this.starts && slept > 100)
          this.#queue.unshift(() => this.#take({ kind: 'stalled', forMs: slept * this.rate }));
        this.#loop(start);
      });
      return;
    }
    this.#queue.shift()?.();
    this.#running = false;
    this.#kick();
  }

  /** The standing heartbeat of the health stage. */
  #beat(start: number): void {
    const { arena } = this;
    if (!this.up || start !== this.starts) return;
    const { heartbeatMs } = arena.cluster.timing;
    this.task(() => {
      for (const { name } of this.cluster.nodes) {
        if (name === this.name || this.now - (this.health.spokeAt[name] ?? -1e15) < heartbeatMs * 0.9) continue;
        this.health.spokeAt[name] = this.now;
        this.health.send(name, this.health.words);
      }
    });
    arena.after(heartbeatMs / this.rate, () => this.#beat(start));
  }

  receive(from: string, { start, digest, parts }: Datagram): void {
    if (!this.up) return;
    this.task(() => {
      const known = this.health.peers[from];
      if (digest !== this.cluster.digest) {
        const unheard = { health: 'unheard', since: 0, heardAt: -1e15, incarnation: '' } as const;
        this.health.peers[from] = { ...(known ?? unheard), otherFileAt: this.now };
        return;
      }
      const incarnation = start.toString(16).padStart(16, '0');
      if (known !== undefined && Number.parseInt(known.incarnation, 16) > start) return;
      this.health.peers[from] = { health: 'alive', since: this.now, heardAt: this.now, incarnation };
      this.#heldBeats.push({ node: from, incarnation, sequence: 0, parts: [...parts] });
      this.#take({ kind: 'datagram-received', nic: 'eth0', to: '', from: '', bytes: new Uint8Array() });
    });
  }

  // --- the stage

  #take(input: Input): void {
    const { world, state, arena, now } = this;
    const { nodeTimeoutMs } = arena.cluster.timing;
    for (const [name, peer] of Object.entries(this.health.peers)) {
      const silentMs = now - peer.heardAt;
      if (arena.left.has(name)) peer.health = 'left';
      else peer.health = silentMs >= nodeTimeoutMs ? 'lost' : silentMs >= nodeTimeoutMs / 2 ? 'suspect' : 'alive';
    }
    world.heard.push(...this.#heldBeats.splice(0));
    const out: Action[] = [];
    const before = arena.roleOf(this);
    member.take(world, state, now, this.health as never, input, out);
    world.heard.length = 0;
    if (before !== state.post.role) arena.roleChanged(this, before);
    arena.documentsOf(this);
    this.#place(out);
    arena.documentsOf(this);
    this.#perform(out);
    this.#reconcile();
    this.#armWake();
  }

  #armWake(): void {
    const dueAt = member.deadline(this.world, this.state);
    const at = Math.max(this.arena.t, (dueAt - this.offset) / this.rate) + 0.001;
    if (at === this.#wakeAt || dueAt === Infinity) return;
    this.#wakeAt = at;
    const { starts } = this;
    this.arena.at(at, () => {
      if (!this.up || starts !== this.starts || this.#wakeAt !== at) return;
      this.#wakeAt = Infinity;
      this.task(() => this.#take({ kind: 'woke' }));
    });
  }

  #perform(actions: Action[]): void {
    const { arena, starts } = this;
    for (const action of actions) {
      if (action.kind === 'store') this.#store(action.id, action.record as DurableRecord);
      else if (action.kind === 'ask-arbiter')
        arena.askArbiter(this, action.request, action.withinMs / this.rate, (answer) => {
          if (this.up && starts === this.starts)
            this.task(() => this.#take({ kind: 'arbiter-answered', id: action.id, answer }));
        });
      else if (action.kind === 'journal') arena.journal(this, action.entry);
    }
  }

  #store(id: number, record: DurableRecord): void {
    const { arena, starts } = this;
    const failed = arena.t < arena.diskFullTill && arena.diskFull === this.name;
    const entry = { id, record, failed };
    this.#pending.push(entry);
    const slow = !arena.healed && arena.random() < arena.slowDisks;
    this.#syncedAt = Math.max(this.#syncedAt, arena.t + (slow ? arena.uniform(50, 1500) : arena.uniform(0.2, 8)));
    // A disk that says so before it has.
    const isFalse = planted.has('sync');
    if (isFalse) arena.at(this.#syncedAt + 500, () => this.#write(entry));
    arena.at(this.#syncedAt, () => {
      if (!this.up || starts !== this.starts || !this.#pending.includes(entry)) return;
      if (!isFalse) this.#write(entry);
      const failure = { code: 'ENOSPC', text: 'No space left on device' };
      this.task(() => this.#take({ kind: 'persisted', id, ...(failed && { failed: failure }) }));
    });
  }

  #write(entry: Pending): void {
    if (!this.#pending.includes(entry)) return;
    this.#pending = this.#pending.filter((it) => it !== entry);
    if (!entry.failed) this.disk = entry.record;
  }

  // --- placement: anywhere that answers, moved at random

  #place(out: Action[]): void {
    const { world, state, now, arena } = this;
    const document = member.changeable(world, state, now);
    if (document === null || state.post.role !== 'coordinator') return;
    const { answered } = state.post;
    const { heartbeatMs } = arena.cluster.timing;
    const good = this.cluster.nodes
      .map(({ name }) => name)
      .filter((name) => name === this.name || now - (answered[name]?.at ?? -1e15) < 2 * heartbeatMs);
    const placements: Record<string, { node: string | null; state: 'run' | 'halt' }> = {};
    for (const [name, { node, state: ordered }] of Object.entries(document.placements)) {
      const isFree = member.isReleased(world, state, now, name);
      if (isFree && (node === null || node !== this.name || ordered === 'halt')) {
        const choice = good.filter((it) => it !== node);
        placements[name] = { node: arena.pick(choice.length > 0 ? choice : good), state: 'run' };
        this.moves.delete(name);
      } else if (this.moves.has(name) && ordered === 'run' && good.length > 1) {
        placements[name] = { node, state: 'halt' };
        this.moves.delete(name);
      }
    }
    const isOrdered = document.orders.removedNodes.join() === arena.removed.join();
    const orders = { ...document.orders, removedNodes: [...arena.removed] };
    if (isOrdered && Object.keys(placements).length === 0) return;
    member.propose(world, state, now, { placements, ...(!isOrdered && { orders }) }, 'placed', out);
  }

  // --- holder and gate

  #showJobs(): void {
    for (const name of this.arena.packages) {
      const epoch = this.addresses[name];
      const known = this.world.jobs[name];
      const job: Job = {
        state: known?.state ?? 'halted',
        epoch: known?.epoch ?? null,
        since: 0,
        held: epoch !== undefined,
      };
      this.world.jobs[name] = job;
    }
  }

  #setJob(name: string, state: Job['state'], epoch: Version | null): void {
    const held = this.addresses[name] !== undefined;
    this.world.jobs[name] = { state, epoch: epoch ?? this.world.jobs[name]?.epoch ?? null, since: 0, held };
  }

  #isStopping(name: string): boolean {
    const placement = member.document(this.state)?.placements[name];
    const epoch = this.addresses[name];
    return (
      placement?.node === this.name &&
      placement.state === 'halt' &&
      epoch !== undefined &&
      compareVersions(placement.epoch, epoch) === 0
    );
  }

  #reconcile(): void {
    const { arena, world, state, now } = this;
    const end = member.leaseEnd(world, state, now);
    const may = member.mayServe(world, state, now);
    for (const [name, epoch] of Object.entries(this.addresses)) {
      if (this.#isStopping(name)) {
        if (this.#halting.has(name)) continue;
        this.#halting.add(name);
        const { starts } = this;
        arena.after(arena.uniform(0, 120), () => {
          if (this.up && starts === this.starts) this.task(() => this.#halted(name, epoch));
        });
      } else if (end !== null && (may[name] === undefined || compareVersions(may[name], epoch) !== 0)) {
        delete this.addresses[name];
        this.#setJob(name, 'halted', null);
      }
    }
    arena.judgeHolders(this);
    if (end === null) {
      for (const name of Object.keys(this.addresses)) {
        delete this.addresses[name];
        this.#setJob(name, this.world.jobs[name]?.state === 'running' ? 'suspended' : 'halted', null);
      }
      arena.judgeHolders(this);
      return;
    }
    if (this.#busy) return;
    const missing = Object.keys(may).some((name) => this.addresses[name] === undefined);
    if (Object.keys(may).length === 0 && Object.keys(this.addresses).length === 0) return;
    const { start, generation, end: wrote } = this.#wroteEnd;
    const known = start === this.starts && generation === this.gateGeneration ? wrote : 0;
    if (known >= end - 1 && !missing) return;
    this.#busy = true;
    this.#queue.unshift(
      () => this.#arm(),
      () => this.#check(),
      () => this.#act(),
      () => this.#verify(),
    );
    this.#kick();
  }

  #halted(name: string, epoch: Version): void {
    this.#halting.delete(name);
    const now = this.addresses[name];
    if (now === undefined || compareVersions(now, epoch) !== 0 || !this.#isStopping(name)) return;
    delete this.addresses[name];
    this.#setJob(name, 'halted', null);
    this.arena.judgeHolders(this);
    this.#armWake();
  }

  #arm(): void {
    this.#token = this.arena.t + this.arena.cluster.timing.renewLateMaxMs / this.rate + this.arena.uniform(0, 1);
  }

  #check(): void {
    const end = member.leaseEnd(this.world, this.state, this.now);
    const may = member.mayServe(this.world, this.state, this.now);
    const left = (end ?? 0) - this.now - this.arena.cluster.timing.renewLateMaxMs - 2;
    this.#plan = end !== null && left > 0 ? { may, left, end } : null;
  }

  #act(): void {
    const { arena } = this;
    if (this.#plan === null) return;
    if (arena.t >= this.#token) {
      arena.count('token-refusals');
      this.#plan = null;
      return;
    }
    const { may, left, end } = this.#plan;
    for (const name of Object.keys(this.addresses))
      if (may[name] === undefined && !this.#isStopping(name)) {
        delete this.addresses[name];
        this.#setJob(name, 'halted', null);
      }
    for (const [name, epoch] of Object.entries(may)) {
      this.addresses[name] = epoch;
      this.#setJob(name, 'running', epoch);
    }
    this.gateDigest = this.cluster.digest;
    this.gateTill = arena.t + left / this.rate + arena.uniform(0, arena.cluster.timing.marginMs - 1);
    const generation = ++this.gateGeneration;
    this.#wroteEnd = { start: this.starts, generation, end };
    arena.at(this.gateTill + 0.001, () => {
      if (generation === this.gateGeneration) arena.judgeHolders(this);
    });
    arena.judgeHolders(this);
    arena.judgeFiles();
    for (const [name, epoch] of Object.entries(may)) arena.served(this, name, epoch);
  }

  #verify(): void {
    this.#busy = false;
    if (this.#plan !== null && this.now >= this.#plan.end) {
      this.gateTill = 0;
      this.addresses = {};
      this.gateGeneration++;
      this.#showJobs();
      this.arena.judgeHolders(this);
    }
  }
}
