/** Who should run what: placement by the coordinator, operators' requests, departure. The only file of this stage that others call. */
import type { Action } from '../action.js';
import type { HealthState } from '../health/state.js';
import type { Input, Ms } from '../input.js';
import type { MembershipState } from '../membership/member.js';
import type { Alarm, Decision, NodeStatus, PackageStatus } from '../status.js';
import type { World } from '../world.js';

/** Plain data. */
export interface PackagesState {
  dropped: Record<string, number>;
}

export interface PackagesReport {
  packages: PackageStatus[];
  roles: NodeStatus['roles'];
  halted: string[];
  alarms: Alarm[];
  decisions: Decision[];
  dropped: Record<string, number>;
}

export function start(_world: World, _now: Ms): PackagesState {
  return { dropped: {} };
}

export function take(
  _world: World,
  _state: PackagesState,
  _now: Ms,
  _health: HealthState,
  _membership: MembershipState,
  _input: Input,
  _out: Action[],
): void {}

export function deadline(_world: World, _state: PackagesState): Ms {
  return Infinity;
}

export function status(
  _world: World,
  state: PackagesState,
  _now: Ms,
  _health: HealthState,
  _membership: MembershipState,
): PackagesReport {
  return { packages: [], roles: {}, halted: [], alarms: [], decisions: [], dropped: state.dropped };
}

/** After `stop-asked`: nothing is placed here any more, or nobody can receive it, or it took too long. True where there are no packages. */
export function departed(_world: World, _state: PackagesState, _now: Ms): boolean {
  return true;
}
