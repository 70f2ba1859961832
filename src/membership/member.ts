/** Who is the cluster: election, document, quorum, lease (MEMBERSHIP.md). The only file of this stage that others call. */
import type { Action } from '../action.js';
import type { HealthState } from '../health/state.js';
import type { Input, Ms } from '../input.js';
import type { Alarm, Decision, MembershipStatus, PeerHealth } from '../status.js';
import type { Job, World } from '../world.js';
import type { Document, Orders, Placement, Version } from './document.js';

/** Plain data. */
export interface MembershipState {
  dropped: Record<string, number>;
}

export interface MembershipReport {
  membership: MembershipStatus | null;
  alarms: Alarm[];
  decisions: Decision[];
  dropped: Record<string, number>;
}

/** What the coordinator knows of a node, itself included. */
export interface NodeView {
  health: PeerHealth | 'unheard';
  /** It says that it is about to stop: it wants to be rid of its packages. */
  leaving: boolean;
  /** Package → what it says of it. */
  jobs: Record<string, Pick<Job, 'state' | 'epoch' | 'held'>>;
}

export interface DocumentChange {
  placements?: Record<string, Pick<Placement, 'node' | 'state'>>;
  orders?: Orders;
}

export function start(_world: World, _now: Ms): MembershipState {
  return { dropped: {} };
}

export function take(
  _world: World,
  _state: MembershipState,
  _now: Ms,
  _health: HealthState,
  _input: Input,
  _out: Action[],
): void {}

export function deadline(_world: World, _state: MembershipState): Ms {
  return Infinity;
}

export function status(_world: World, state: MembershipState, _now: Ms): MembershipReport {
  return { membership: null, alarms: [], decisions: [], dropped: state.dropped };
}

/** N3: the packages that this node may serve now, with the epoch of their placement. Empty without a lease. */
export function mayServe(_world: World, _state: MembershipState, _now: Ms): Record<string, Version> {
  return {};
}

/** Until when this node may serve, on its own clock; null: it has no lease, or that is over. */
export function leaseEnd(_world: World, _state: MembershipState, _now: Ms): Ms | null {
  return null;
}

/** The newest stored document, committed or not; null: none. */
export function document(_state: MembershipState): Document | null {
  return null;
}

export function coordinator(_state: MembershipState): string | null {
  return null;
}

/** The committed document that may be changed now; null: this node is not coordinator, or a proposal is under way (C3, E9). */
export function changeable(_world: World, _state: MembershipState, _now: Ms): Document | null {
  return null;
}

/** May that package be placed on another node than its present one (C6)? */
export function isReleased(_world: World, _state: MembershipState, _now: Ms, _package: string): boolean {
  return false;
}

export function view(_world: World, _state: MembershipState, _health: HealthState, _now: Ms, _node: string): NodeView {
  return { health: 'unheard', leaving: false, jobs: {} };
}

/** The next document. A placement that C6 or C7 does not allow is left as it is, and counted. Null: nothing may be changed now. */
export function propose(
  _world: World,
  _state: MembershipState,
  _now: Ms,
  _change: DocumentChange,
  _cause: string,
  _out: Action[],
): Version | null {
  return null;
}

/** This node wants to stop: says so with every beat until the end. */
export function leave(_world: World, _state: MembershipState): void {}

/** P3: a document of a higher term with the voters that are reachable now. A text says why not. */
export function force(
  _world: World,
  _state: MembershipState,
  _now: Ms,
  _health: HealthState,
  _out: Action[],
): string | null {
  return 'there is no cluster';
}
