/** Operators' requests at the node that was asked: on to the coordinator, again and again, until there is an answer. */
import { decodeErrand, decodeOutcome, encodeErrand } from '../frame/errand.js';
import { PART } from '../frame/part.js';
import * as health from '../health/monitor.js';
import { FAR, NEVER } from '../health/state.js';
import type { Ms } from '../input.js';
import * as membership from '../membership/member.js';
import type { ClusterRequest, OperatorAnswer, OperatorRequest } from '../status.js';
import { openTask, taskKey, tellOutcome } from './task.js';
import type { Asked, Turn } from './state.js';

const ASKED_MS: Ms = 10_000;
const ASKED_MAX = 32;

function reply({ out }: Turn, id: number, answer: OperatorAnswer): void {
  out.push({ kind: 'answer-operator', id, answer });
}

/** Null: other stages answer that one. */
export function clusterRequestOf(request: OperatorRequest): ClusterRequest | null {
  switch (request.ask) {
    case 'link-switch':
    case 'link-lock':
    case 'link-unlock':
    case 'poll-now':
      return null;
    default:
      return request;
  }
}

export function ask(turn: Turn, id: number, request: ClusterRequest): void {
  const { world, state, now } = turn;
  const refused = refusal(turn, request);
  if (refused !== null) return reply(turn, id, { ok: false, text: refused });
  if (request.ask === 'cluster-run' && request.force === true) {
    const dryRun = request.dryRun === true;
    const why = membership.force(world, turn.membership, now, dryRun, turn.out);
    if (why !== null) return reply(turn, id, { ok: false, text: why });
    if (dryRun)
      return reply(turn, id, { ok: true, text: 'would be done: a cluster of the nodes that are reachable now' });
  }
  const asked: Asked = {
    id,
    request: request.ask === 'cluster-run' ? withoutForce(request) : request,
    at: placesOf(turn, request),
    since: now,
    sentAt: NEVER,
    aloneSince: now,
  };
  state.asked.push(asked);
}

function withoutForce({ ask, dryRun }: ClusterRequest & { ask: 'cluster-run' }): ClusterRequest {
  return dryRun === undefined ? { ask } : { ask, dryRun };
}

function placesOf({ membership: met }: Turn, request: ClusterRequest): Record<string, string> {
  if (request.ask !== 'package-move') return {};
  const node = membership.document(met)?.placements[request.package]?.node ?? null;
  return node === null ? {} : { [request.package]: node };
}

/** What is wrong with it whoever is coordinator; null: nothing. */
function refusal({ world, state }: Turn, request: ClusterRequest): string | null {
  const packages = world.cluster.packages.map(({ name }) => name);
  const nodes = world.cluster.nodes.map(({ name }) => name);
  if (packages.length === 0) return 'the cluster file has no packages, so there is nothing to steer';
  if (state.asked.length >= ASKED_MAX) return 'too many requests wait for an answer; try again in a moment';
  const unknown = (what: string, name: string | undefined, names: string[]): string | null =>
    name === undefined || names.includes(name) ? null : `there is no ${what} ${name}; there is ${names.join(', ')}`;
  const name = 'package' in request ? request.package : undefined;
  const node = 'node' in request ? request.node : undefined;
  const to = 'to' in request ? request.to : undefined;
  return unknown('package', name, packages) ?? unknown('node', node, nodes) ?? unknown('node', to, nodes);
}

/** Requests of other nodes, and answers to this one's. */
export function takeErrands(turn: Turn): void {
  const { world, state } = turn;
  for (const { node, incarnation, parts } of world.heard) {
    for (const { kind, bytes } of parts) {
      if (kind === PART.request) takeErrand(turn, node, incarnation, bytes);
      else if (kind === PART.outcome) takeOutcome(turn, bytes);
    }
  }
  // Its own need no wire.
  if (!isCoordinator(turn)) return;
  for (const { id, request, at } of state.asked) {
    const key = taskKey(world.self.name, world.incarnation, id);
    if (state.tasks[key] === undefined) openTask(turn, key, { node: world.self.name, request, at });
  }
}

export function isCoordinator({ world, membership: met }: Turn): boolean {
  return membership.coordinator(met) === world.self.name;
}

function drop({ state }: Turn, reason: string): void {
  state.dropped[reason] = (state.dropped[reason] ?? 0) + 1;
}

function takeErrand(turn: Turn, node: string, incarnation: string, bytes: Uint8Array): void {
  const { world, state } = turn;
  const errand = decodeErrand(bytes);
  if (errand === null) return drop(turn, 'errand-damaged');
  // It knows another coordinator than we do; it asks again.
  if (!isCoordinator(turn)) return drop(turn, 'errand-not-coordinator');
  const key = taskKey(node, incarnation, errand.id);
  const known = state.tasks[key];
  if (known !== undefined) return tellOutcome(turn, key, known);
  const names = world.cluster.nodes.map(({ name }) => name);
  const { request } = errand;
  const packages = world.cluster.packages.map(({ name }) => name);
  const isKnown =
    (!('package' in request) || packages.includes(request.package)) &&
    (!('node' in request) || names.includes(request.node)) &&
    (!('to' in request) || request.to === undefined || names.includes(request.to));
  if (!isKnown) return drop(turn, 'errand-unknown-name');
  if (!openTask(turn, key, { node, request, at: errand.at })) drop(turn, 'errand-too-many');
}

function takeOutcome(turn: Turn, bytes: Uint8Array): void {
  const { world, state } = turn;
  const outcome = decodeOutcome(bytes);
  if (outcome === null) return drop(turn, 'outcome-damaged');
  const asked = state.asked.find(({ id }) => id === outcome.id);
  // A late copy, or meant for an earlier run.
  if (asked === undefined || outcome.incarnation !== world.incarnation) return drop(turn, 'outcome-unasked');
  answer(turn, asked, outcome.answer);
}

function answer(turn: Turn, asked: Asked, said: OperatorAnswer): void {
  turn.state.asked = turn.state.asked.filter((one) => one !== asked);
  reply(turn, asked.id, said);
}

/** Sends what is due, answers what is done here, gives up what took too long. */
export function pursue(turn: Turn): void {
  const { world, state, now } = turn;
  const coordinator = membership.coordinator(turn.membership);
  for (const asked of [...state.asked]) {
    const own = state.tasks[taskKey(world.self.name, world.incarnation, asked.id)]?.answer ?? null;
    if (own !== null) {
      answer(turn, asked, own);
      continue;
    }
    asked.aloneSince = coordinator === null ? (asked.aloneSince ?? now) : null;
    if (asked.aloneSince !== null && now - asked.aloneSince >= aloneMs(turn)) answer(turn, asked, noQuorum(turn));
    else if (now - asked.since >= ASKED_MS) answer(turn, asked, late(coordinator));
    else if (coordinator !== null && coordinator !== world.self.name) send(turn, asked, coordinator);
  }
}

/** So long without a coordinator is more than an election. */
function aloneMs({ world }: Turn): Ms {
  return Math.min(5000, 2000 + 2 * world.cluster.timing.nodeTimeoutMs);
}

function noQuorum({ world, membership: met, now }: Turn): OperatorAnswer {
  const waiting = membership.status(world, met, now).membership?.waiting;
  const why = waiting === undefined ? '' : ` (${waiting})`;
  return {
    ok: false,
    text: `no quorum${why}: nobody may decide now\nbring back who is missing; only if they are surely off: baton cluster run --force`,
    why: 'no-quorum',
  };
}

function late(coordinator: string | null): OperatorAnswer {
  return { ok: false, text: `no answer from the coordinator ${coordinator ?? ''} within ${ASKED_MS / 1000} s` };
}

function send(turn: Turn, asked: Asked, coordinator: string): void {
  const { world, now } = turn;
  if (now - asked.sentAt < world.cluster.timing.heartbeatMs) return;
  const bytes = encodeErrand({ id: asked.id, request: asked.request, at: asked.at });
  if (bytes === null) return answer(turn, asked, { ok: false, text: 'the request is too long' });
  asked.sentAt = now;
  health.speak(world, turn.health, now, coordinator, [{ kind: PART.request, bytes }], turn.out);
}

/** When `pursue` is due again. What could not be sent, for nobody or only this node is coordinator, waits a heartbeat more. */
export function askedDeadline({ world, state, now }: Turn): Ms {
  const { heartbeatMs } = world.cluster.timing;
  const dues = state.asked.map(({ since, sentAt }) => {
    const dueAt = Math.max(since, sentAt) + heartbeatMs;
    return dueAt > now ? dueAt : now + heartbeatMs;
  });
  return Math.min(FAR, ...dues);
}
