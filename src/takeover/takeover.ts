/**
 * How addresses move: between the NICs of this node (local switch), and between nodes (takeover and surrender). The only
 * file of this stage that others call.
 */
import type { Action } from '../action.js';
import type { HealthState } from '../health/state.js';
import type { Input, Ms } from '../input.js';
import type { MembershipState } from '../membership/member.js';
import type { PackagesState } from '../package/packages.js';
import type { NodeStatus } from '../status.js';
import type { World } from '../world.js';
import * as localSwitch from './local-switch.js';

export type { TakeoverState } from './local-switch.js';

export interface TakeoverReport extends localSwitch.TakeoverStatus {
  gate: NodeStatus['gate'];
}

export function start(world: World, now: Ms): localSwitch.TakeoverState {
  return localSwitch.start(world, now);
}

export function take(
  world: World,
  state: localSwitch.TakeoverState,
  now: Ms,
  health: HealthState,
  _membership: MembershipState,
  _packages: PackagesState,
  input: Input,
  out: Action[],
): void {
  localSwitch.take(world, state, now, health, input, out);
}

export function deadline(world: World, state: localSwitch.TakeoverState): Ms {
  return localSwitch.deadline(world, state);
}

export function status(world: World, state: localSwitch.TakeoverState, now: Ms, health: HealthState): TakeoverReport {
  return { ...localSwitch.status(world, state, now, health), gate: 'off' };
}
