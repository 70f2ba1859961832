/**
 * How addresses move: between the NICs of this node (local switch), and between nodes (takeover and surrender). The only
 * file of this stage that others call.
 */
import type { Action } from '../action.js';
import { MAC_LENGTH, readMac } from '../frame/mac.js';
import { PART } from '../frame/part.js';
import { netUp, nodeOfMac, peer, speak, verdict } from '../health/monitor.js';
import type { HealthState } from '../health/state.js';
import type { Input, Ms } from '../input.js';
import * as member from '../membership/member.js';
import { departed, type PackagesState } from '../package/packages.js';
import type { NodeStatus } from '../status.js';
import type { World } from '../world.js';
import type { Mandate, Peers } from './floating-state.js';
import { concerns } from './concern.js';
import { gateStatus } from './gate-order.js';
import { startJobs } from './job.js';
import * as localSwitch from './local-switch.js';
import { isQuiet } from './net-switch.js';
import { isSameStand, stands } from './stand.js';
import { takeTurn } from './turn.js';

export type { TakeoverState } from './local-switch.js';

export interface TakeoverReport extends localSwitch.TakeoverStatus {
  gate: NodeStatus['gate'];
}

export function start(world: World, now: Ms): localSwitch.TakeoverState {
  startJobs(world, now);
  return localSwitch.start(world, now);
}

/** `looked`: did the membership look at that input? */
export function take(
  world: World,
  state: localSwitch.TakeoverState,
  now: Ms,
  health: HealthState,
  membership: member.MembershipState,
  packages: PackagesState,
  input: Input,
  out: Action[],
  looked: boolean,
): void {
  const isRestful = mayRest(world, state, input) && isAtRest(world, state, now, health);
  if (isRestful && !looked && (tellsOfNics(input) || isStanding(world, state, now))) return;
  const mandate = mandateOf(world, now, membership, packages, state.stopping !== null || input.kind === 'stop-asked');
  if (isRestful && looked && isStanding(world, state, now, mandate)) return prolong(state, mandate);
  const peers = peersOf(world, health, membership, now, out);
  takeTurn({ world, state, now, verdict: (nic) => verdict(health, nic), mandate, peers, out }, input);
  const dueAt = localSwitch.deadline(world, state);
  state.dueAt = dueAt === Infinity ? null : dueAt;
  // What it has just done may change what it may do.
  if (!isStanding(world, state, now, mandateOf(world, now, membership, packages, false))) state.floating.stand = null;
}

/**
 * May that input be none of this stage's business? Counters, echoes, polls and most beats concern it by the verdicts of the
 * carriers and by what the membership makes of them; all else that it decides from changes by its own doing only, and then
 * `deadline` says when.
 */
function mayRest(world: World, state: localSwitch.TakeoverState, input: Input): boolean {
  switch (input.kind) {
    case 'counters-read':
    case 'echo-answered':
    case 'woke':
    case 'persisted':
    case 'arbiter-answered':
      return true;
    case 'datagram-received':
    case 'serial-received':
      return !world.heard.some(({ parts }) => parts.some(({ kind }) => kind >= PART.inquiry));
    case 'frame-received':
      return !concerns(world, state, input.nic, input.bytes);
    default:
      return false;
  }
}

function tellsOfNics({ kind }: Input): boolean {
  return kind === 'frame-received' || kind === 'counters-read' || kind === 'echo-answered';
}

/** Is the mandate that of the last look at floating addresses? Absent: it has not changed but by time. */
function isStanding(world: World, { floating }: localSwitch.TakeoverState, now: Ms, mandate?: Mandate): boolean {
  const { stand } = floating;
  if (world.cluster.packages.length === 0) return true;
  return stand !== null && stands(stand, now) && (mandate === undefined || isSameStand(stand, mandate));
}

/** All that a lease changes by which nothing is served. */
function prolong({ floating }: localSwitch.TakeoverState, { leaseEnd }: Mandate): void {
  floating.leaseEnd = leaseEnd;
  if (floating.stand !== null) floating.stand.leaseEnd = leaseEnd;
}

/** Nothing is due, and every net is as at its last look. */
function isAtRest(world: World, state: localSwitch.TakeoverState, now: Ms, health: HealthState): boolean {
  if (!state.ready || state.stopping !== null || now >= deadline(world, state)) return false;
  for (const own of world.self.nets) {
    const net = state.nets[own.net];
    if (net && !isQuiet(now, own, net, verdict(health, net.carrier))) return false;
  }
  return true;
}

/** Nothing is served, and nobody waited for: the cluster file has no packages. */
const NO_MANDATE: Mandate = { may: {}, leaseEnd: null, document: null, departed: true };

function mandateOf(
  world: World,
  now: Ms,
  membership: member.MembershipState,
  packages: PackagesState,
  stops: boolean,
): Mandate {
  if (world.cluster.packages.length === 0) return NO_MANDATE;
  return new PresentMandate(world, now, membership, stops && departed(world, packages, now));
}

class PresentMandate implements Mandate {
  readonly leaseEnd: Mandate['leaseEnd'];
  readonly document: Mandate['document'];
  readonly departed: boolean;
  readonly #reckon: () => Mandate['may'];
  #may: Mandate['may'] | null = null;

  constructor(world: World, now: Ms, membership: member.MembershipState, departed: boolean) {
    this.leaseEnd = member.leaseEnd(world, membership, now);
    this.document = member.document(membership);
    this.departed = departed;
    this.#reckon = () => member.mayServe(world, membership, now);
  }

  /** Reckoned when asked for: most inputs do not. */
  get may(): Mandate['may'] {
    return (this.#may ??= this.#reckon());
  }
}

function peersOf(world: World, health: HealthState, membership: member.MembershipState, now: Ms, out: Action[]): Peers {
  return {
    askable: (net) =>
      world.cluster.nodes
        .filter(({ name }) => name !== world.self.name)
        .filter(({ name, nets }) => nets.some((x) => x.net === net) && peer(health, name).health === 'alive')
        .filter(({ name }) => netUp(world, health, name, net) === true)
        .map(({ name }) => name),
    tell: (node, part) => speak(world, health, now, node, [part], out),
    nodeOf: (mac) => nodeOfMac(health, mac),
    mayServe: (one) => member.mayBeShared(world, membership, one),
  };
}

/** Does that frame wear a MAC which its NIC is losing, as far as is known? */
export function isFormerMac(
  world: World,
  state: localSwitch.TakeoverState,
  { nic, bytes }: Action & { kind: 'send-frame' },
): boolean {
  return state.remade.includes(nic) && readMac(bytes, MAC_LENGTH) === world.host[nic]?.mac;
}

export function deadline(_world: World, state: localSwitch.TakeoverState): Ms {
  return state.dueAt ?? Infinity;
}

export function status(world: World, state: localSwitch.TakeoverState, now: Ms, health: HealthState): TakeoverReport {
  return { ...localSwitch.status(world, state, now, health), gate: gateStatus({ world, state }, now) };
}
