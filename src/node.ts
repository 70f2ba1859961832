/**
 * One node of the cluster as a pure machine: inputs and time in, actions out.
 *
 *            ┌───────────────────────────── step(now, input) ─────────────────────────────┐
 *   input ──▶│ host (latest observation) ──▶ health ──▶ membership ──▶ package ──▶ takeover │──▶ actions
 *            │                               what is up  who is the     who runs   how it  │
 *            │                                           cluster        what       moves   │
 *            └───────────────────────── deadline(): when to wake ─────────────────────────┘
 *
 * Stages run in the order of the data and look at the verdicts of those before them, never at events of theirs,
 * so that a stage which missed one (a restart, a snapshot) decides the same. The state is plain data.
 */
import type { Action } from './action.js';
import type { Cluster } from './config/cluster.js';
import type { PollMemory } from './frame/poll.js';
import * as health from './health/monitor.js';
import type { Input, Ms, NicObservation } from './input.js';
import { draw } from './random.js';
import type { NodeStatus } from './status.js';
import * as membership from './membership/member.js';
import * as packages from './package/packages.js';
import * as takeover from './takeover/takeover.js';
import type { Cipher, Job, KeyId, Seal, World } from './world.js';

export interface NodeOptions {
  cluster: Cluster;
  /** This node's name in the cluster file; throws a RangeError if it is not there. */
  node: string;
  seal: Seal;
  cipher: Cipher;
  /** As `World.polls`. */
  polls?: PollMemory;
  /** As `World.keys`. */
  keys: readonly KeyId[];
  /** 16 hex digits, random per start. */
  incarnation: string;
  seed: number;
}

export interface NodeState {
  random: { seed: number };
  host: Record<string, NicObservation>;
  /** As `World.moving`. */
  moving: Record<string, number>;
  health: health.HealthState;
  membership: membership.MembershipState;
  packages: packages.PackagesState;
  takeover: takeover.TakeoverState;
  /** As `World.jobs`. */
  jobs: Record<string, Job>;
}

export class Node {
  readonly state: NodeState;
  /** What it was made with. */
  readonly options: NodeOptions;
  readonly #world: World;

  /** `restored` is the state of a snapshot, to go on from there. */
  constructor(options: NodeOptions, now: Ms, restored?: NodeState) {
    const self = options.cluster.nodes.find((node) => node.name === options.node);
    if (!self) throw new RangeError(`node ${options.node} is not in the cluster file`);
    this.options = options;
    const random = restored?.random ?? { seed: options.seed };
    const host = restored?.host ?? {};
    const moving = restored?.moving ?? {};
    const jobs = restored?.jobs ?? {};
    this.#world = {
      cluster: options.cluster,
      self,
      incarnation: options.incarnation,
      seal: options.seal,
      cipher: options.cipher,
      ...(options.polls && { polls: options.polls }),
      keys: options.keys,
      random: () => draw(random),
      host,
      moving,
      heard: [],
      jobs,
    };
    this.state = restored ?? {
      random,
      host,
      moving,
      health: health.start(this.#world, now),
      membership: membership.start(this.#world, now),
      packages: packages.start(this.#world, now),
      takeover: takeover.start(this.#world, now),
      jobs,
    };
  }

  /** Ids of all cluster keys that it takes messages under and speaks under. */
  get keys(): readonly KeyId[] {
    return health.takenKeys(this.state.health);
  }

  step(now: Ms, input: Input): Action[] {
    const actions: Action[] = [];
    this.#follow(input);
    if (input.kind === 'started') {
      const entry = {
        at: now,
        event: 'node-started',
        cause: 'started',
        evidence: { incarnation: this.#world.incarnation },
      } as const;
      actions.push({ kind: 'journal', entry });
    } else if (input.kind === 'host-observed') {
      for (const missing of input.missing) delete this.state.host[missing];
      for (const observed of input.nics) this.state.host[observed.nic] = observed;
    } else if (input.kind === 'stalled') {
      actions.push({
        kind: 'journal',
        entry: { at: now, event: 'stalled', cause: 'own-stall', evidence: { forMs: input.forMs } },
      });
    }
    const { state } = this;
    this.#world.heard.length = 0;
    health.take(this.#world, state.health, now, input, actions);
    const looked = membership.take(this.#world, state.membership, now, state.health, input, actions);
    packages.take(this.#world, state.packages, now, state.health, state.membership, input, actions, looked);
    takeover.take(
      this.#world,
      state.takeover,
      now,
      state.health,
      state.membership,
      state.packages,
      input,
      actions,
      looked,
    );
    if (actions.length === 0) return actions;
    this.#sayFarewell(now, actions);
    return this.#heldBack(actions);
  }

  /** The last word before a clean stop: nobody waits for this node. */
  #sayFarewell(now: Ms, actions: Action[]): void {
    const exit = actions.findIndex((action) => action.kind === 'exit');
    if (exit < 0 || !this.state.health.stopping) return;
    const words: Action[] = [];
    health.leave(this.#world, this.state.health, now, words);
    actions.splice(exit, 0, ...words);
  }

  #follow(input: Input): void {
    const { moving } = this.state;
    if (input.kind === 'host-changed') {
      for (const nic of Object.keys(moving)) if (moving[nic] === input.id) moving[nic] = 0;
    } else if (input.kind === 'host-observed') {
      for (const nic of [...input.nics.map((observed) => observed.nic), ...input.missing])
        if (moving[nic] === 0) delete moving[nic];
    }
  }

  /**
   * Without the echo requests of NICs whose addresses are on the move: the kernel sends one from a NIC that has just lost
   * its address under that very address, asks by ARP first, and so tells the whole net the wrong MAC. And without frames
   * under the MAC that a NIC had: another one may have it by now.
   */
  #heldBack(actions: Action[]): Action[] {
    const { moving } = this.state;
    for (const action of actions) {
      if (action.kind !== 'change-host') continue;
      for (const step of action.steps) moving['route' in step ? step.route.nic : step.nic] = action.id;
    }
    return actions.filter((action) => {
      if (action.kind === 'send-echo') return moving[action.nic] === undefined;
      return action.kind !== 'send-frame' || !takeover.isFormerMac(this.#world, this.state.takeover, action);
    });
  }

  /** When `woke` is due at the latest; Infinity if nothing waits. */
  deadline(): Ms {
    return Math.min(
      health.deadline(this.#world, this.state.health),
      membership.deadline(this.#world, this.state.membership),
      packages.deadline(this.#world, this.state.packages),
      takeover.deadline(this.#world, this.state.takeover),
    );
  }

  status(now: Ms): NodeStatus {
    const { state } = this;
    const seen = health.status(this.#world, state.health, now);
    const met = membership.status(this.#world, state.membership, now);
    const run = packages.status(this.#world, state.packages, now, state.health, state.membership);
    const moved = takeover.status(this.#world, state.takeover, now, state.health);
    const stages = [seen, met, run, moved];
    return {
      cluster: this.#world.cluster.name,
      node: this.#world.self.name,
      now,
      alarms: stages.flatMap((stage) => stage.alarms).sort((a, b) => a.since - b.since),
      nics: seen.nics.map((nic) => ({ carrying: [], ...nic, ...moved.nics[nic.name] })),
      nets: seen.nets.map((net) => ({ switching: false, switches: 0, ...net, ...moved.nets[net.name] })),
      peers: seen.peers,
      paths: seen.paths,
      membership: met.membership,
      gate: moved.gate,
      packages: run.packages,
      roles: run.roles,
      halted: run.halted,
      decisions: stages.flatMap((stage) => stage.decisions).sort((a, b) => a.at - b.at),
      dropped: Object.assign({}, ...stages.map((stage) => stage.dropped)) as Record<string, number>,
      keys: seen.keys,
    };
  }
}
