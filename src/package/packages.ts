/**
 * Who should run what: placement by the coordinator, operators' requests, departure. The only file of this stage that
 * others call.
 *
 *   operator-asked ─▶ asked ──errand──▶ task ─▶ order ─┐
 *                                                      ▼
 *   health, membership ─▶ picture ─▶ candidate ─▶ placement ─▶ steering ──one change──▶ membership
 *                                        └▶ report (status, alarms)
 */
import type { Action } from '../action.js';
import type { HealthState } from '../health/state.js';
import { FAR, NEVER } from '../health/state.js';
import type { Input, Ms } from '../input.js';
import * as membership from '../membership/member.js';
import type { MembershipState } from '../membership/member.js';
import type { Alarm, Decision, NodeStatus, PackageStatus } from '../status.js';
import type { World } from '../world.js';
import { ask, askedDeadline, clusterRequestOf, isCoordinator, pursue, takeErrands } from './asked.js';
import { depart, leave } from './departure.js';
import { gather, type Holding } from './picture.js';
import { decide } from './placement.js';
import { observe, packageStatus, reviewAlarms, rolesOf } from './report.js';
import type { PackagesState, Turn } from './state.js';
import { isAsLooked, restFrom, rests } from './rest.js';
import { steer } from './steering.js';
import { dropTasks, expireTasks } from './task.js';

export type { PackagesState } from './state.js';

export interface PackagesReport {
  packages: PackageStatus[];
  roles: NodeStatus['roles'];
  halted: string[];
  alarms: Alarm[];
  decisions: Decision[];
  dropped: Record<string, number>;
}

export function start(_world: World, _now: Ms): PackagesState {
  return {
    dropped: {},
    asked: [],
    tasks: {},
    wishes: {},
    moves: {},
    failed: {},
    since: {},
    seen: {},
    leaving: null,
    alarms: {},
    decisions: [],
    lookedAt: NEVER,
    rest: null,
    dueAt: FAR,
  };
}

/** `looked`: did the membership look at that input? */
export function take(
  world: World,
  state: PackagesState,
  now: Ms,
  health: HealthState,
  met: MembershipState,
  input: Input,
  out: Action[],
  looked: boolean,
): void {
  // These tell of NICs; what follows from them for packages is told by the next beat.
  if (input.kind === 'frame-received' || input.kind === 'counters-read' || input.kind === 'echo-answered') return;
  const turn: Turn = { world, state, now, health, membership: met, out };
  if (input.kind === 'operator-asked') {
    const request = clusterRequestOf(input.request);
    if (request !== null) ask(turn, input.id, request);
  } else if (input.kind === 'stop-asked') {
    if (input.how === 'stop') leave(turn);
  }
  if (world.cluster.packages.length === 0) return;
  if (rests(turn, input, looked)) return;
  takeErrands(turn);
  if (mayRest(turn, input)) return;
  state.lookedAt = now;
  const document = membership.document(met);
  const holding: Holding = { since: {}, dueAt: FAR };
  look(turn, holding);
  expireTasks(turn);
  pursue(turn);
  depart(turn);
  const { heartbeatMs } = world.cluster.timing;
  const isBusy = state.leaving?.departed === false || Object.values(state.tasks).some(({ answer }) => answer === null);
  state.dueAt = Math.min(askedDeadline(turn), holding.dueAt, isBusy ? now + heartbeatMs : FAR);
  // What was just proposed is to be looked at as well.
  state.rest = membership.document(met) === document ? restFrom(turn) : null;
}

function mayRest(turn: Turn, input: Input): boolean {
  const { world, state, now } = turn;
  if (isCoordinator(turn) || state.leaving !== null || state.asked.length > 0) return false;
  if (Object.keys(state.tasks).length > 0 || now >= state.dueAt) return false;
  const isRoutine = input.kind === 'woke' || input.kind === 'datagram-received' || input.kind === 'gate-written';
  if (!isRoutine || now - state.lookedAt < world.cluster.timing.heartbeatMs) return isRoutine;
  if (!isAsLooked(turn)) return false;
  state.lookedAt = now;
  return true;
}

/** Decides, if this node is coordinator and may; else only looks, so that every node has the alarms. */
function look(turn: Turn, holding: Holding): void {
  const { state } = turn;
  if (!isCoordinator(turn)) dropTasks(turn);
  const steered = isCoordinator(turn) ? steer(turn, holding) : null;
  const document = membership.document(turn.membership);
  // Without a coordinator nothing can start either, however long: it counts anew from the next one on.
  if (steered === null && (document === null || membership.coordinator(turn.membership) === null))
    return void (state.since = {});
  // Under another cluster file nothing can start yet, so nothing is late.
  if (document?.digest !== turn.world.cluster.digest) return void (state.since = {});
  const picture = steered?.picture ?? gather(turn, document, holding);
  observe(turn, picture);
  reviewAlarms(turn, picture, steered?.decided ?? decide(picture, picture.document.orders));
  state.since = holding.since;
}

export function deadline(_world: World, state: PackagesState): Ms {
  return state.dueAt >= FAR ? Infinity : state.dueAt;
}

export function status(
  world: World,
  state: PackagesState,
  now: Ms,
  health: HealthState,
  met: MembershipState,
): PackagesReport {
  const turn: Turn = { world, state, now, health, membership: met, out: [] };
  const { dropped, decisions } = state;
  const alarms = Object.values(state.alarms);
  const document = membership.document(met);
  if (world.cluster.packages.length === 0) {
    const roles = Object.fromEntries(world.cluster.nodes.map(({ name }) => [name, 'idle' as const]));
    return { packages: [], roles, halted: [], alarms, decisions, dropped };
  }
  const blank = {
    version: { term: -1, revision: 0 },
    voters: { next: [] },
    placements: {},
    orders: { clusterHalted: false, haltedNodes: [], removedNodes: [], packages: {} },
    digest: '',
  };
  const picture = gather(turn, document ?? blank, { since: {}, dueAt: FAR });
  const { orders } = picture.document;
  const names = world.cluster.nodes.map(({ name }) => name);
  const halted = names.filter(
    (name) => orders.clusterHalted || orders.haltedNodes.includes(name) || orders.removedNodes.includes(name),
  );
  return { packages: packageStatus(turn, picture), roles: rolesOf(picture), halted, alarms, decisions, dropped };
}

/** After `stop-asked`: nothing is held here any more, or nobody can receive it, or it took too long. True where there are no packages. */
export function departed(_world: World, state: PackagesState, _now: Ms): boolean {
  return state.leaving?.departed ?? true;
}
