/**
 * How addresses move: between the NICs of this node (local switch), and between nodes (takeover and surrender). The only
 * file of this stage that others call.
 */
import type { Action } from '../action.js';
import { MAC_LENGTH, readMac } from '../frame/mac.js';
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
import { takeTurn } from './turn.js';

export type { TakeoverState } from './local-switch.js';

export interface TakeoverReport extends localSwitch.TakeoverStatus {
  gate: NodeStatus['gate'];
}

export function start(world: World, now: Ms): localSwitch.TakeoverState {
  startJobs(world, now);
  return localSwitch.start(world, now);
}

export function take(
  world: World,
  state: localSwitch.TakeoverState,
  now: Ms,
  health: HealthState,
  membership: member.MembershipState,
  packages: PackagesState,
  input: Input,
  out: Action[],
): void {
  const mandate = mandateOf(world, now, membership, packages, state.stopping !== null || input.kind === 'stop-asked');
  const peers = peersOf(world, health, now, out);
  takeTurn({ world, state, now, verdict: (nic) => verdict(health, nic), mandate, peers, out }, input);
  const dueAt = localSwitch.deadline(world, state);
  state.dueAt = dueAt === Infinity ? null : dueAt;
}

/**
 * Has this stage nothing to do with that input? Counters, echoes, polls, and beats that brought nothing concern it by the
 * verdicts of the carriers alone; all else that it decides from has changed only if the membership looked, or by its own
 * doing, and then `deadline` says when.
 */
export function rests(
  world: World,
  state: localSwitch.TakeoverState,
  now: Ms,
  health: HealthState,
  input: Input,
): boolean {
  switch (input.kind) {
    case 'counters-read':
    case 'echo-answered':
    case 'woke':
      break;
    case 'datagram-received':
    case 'serial-received':
      if (world.heard.length > 0) return false;
      break;
    case 'frame-received':
      if (concerns(world, state, input.nic, input.bytes)) return false;
      break;
    default:
      return false;
  }
  return isAtRest(world, state, now, health);
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
  let may: Mandate['may'] | undefined;
  return {
    // Reckoned when asked for: most inputs do not.
    get may() {
      return (may ??= member.mayServe(world, membership, now));
    },
    leaseEnd: member.leaseEnd(world, membership, now),
    document: member.document(membership),
    departed: stops && departed(world, packages, now),
  };
}

function peersOf(world: World, health: HealthState, now: Ms, out: Action[]): Peers {
  return {
    askable: (net) =>
      world.cluster.nodes
        .filter(({ name }) => name !== world.self.name)
        .filter(({ name, nets }) => nets.some((x) => x.net === net) && peer(health, name).health === 'alive')
        .filter(({ name }) => netUp(world, health, name, net) === true)
        .map(({ name }) => name),
    tell: (node, part) => speak(world, health, now, node, [part], out),
    nodeOf: (mac) => nodeOfMac(health, mac),
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
