/** When a node need not look: all that it decides from is as at its last look, and time alone changes nothing yet. */
import { PART } from '../frame/part.js';
import { netUp } from '../health/monitor.js';
import { FAR } from '../health/state.js';
import type { Input, Ms } from '../input.js';
import * as membership from '../membership/member.js';
import type { World } from '../world.js';
import { isCoordinator } from './asked.js';
import { servingNets } from './picture.js';
import type { Turn } from './state.js';

export interface Rest {
  until: Ms;
  /** Of this node itself, and of the whole cluster. */
  own: string;
  all: string;
}

/** `looked`: did the membership look at that input? */
export function rests(turn: Turn, input: Input, looked: boolean): boolean {
  const { world, state, now, health } = turn;
  switch (input.kind) {
    case 'woke':
    case 'gate-written':
    case 'datagram-received':
    case 'serial-received':
      break;
    default:
      return false;
  }
  const { rest } = state;
  if (rest === null || now >= rest.until || now >= state.dueAt || !isCoordinator(turn)) return false;
  for (const { parts } of world.heard)
    for (const { kind } of parts) if (kind === PART.request || kind === PART.outcome) return false;
  if (!looked && world.heard.length === 0) return rest.own === ownGist(world, health);
  return isAsLooked(turn);
}

/** For who only looks, once a heartbeat: is all as at the last look? */
export function isAsLooked(turn: Turn): boolean {
  const { world, state, now } = turn;
  if (state.rest === null || now >= state.rest.until) return false;
  return now < membership.steadyUntil(world, turn.membership, now) && state.rest.all === clusterGist(turn);
}

/** Null: there is something under way. */
export function restFrom(turn: Turn): Rest | null {
  const { world, state, now, health } = turn;
  if (state.leaving !== null || state.asked.length > 0) return null;
  for (const _ in state.tasks) return null;
  let until = Math.min(FAR, membership.steadyUntil(world, turn.membership, now));
  for (const place in state.failed) if (state.failed[place]! > now) until = Math.min(until, state.failed[place]!);
  for (const { name, movesWindowMs } of world.cluster.packages)
    for (const at of state.moves[name] ?? []) if (at + movesWindowMs > now) until = Math.min(until, at + movesWindowMs);
  return { until, own: ownGist(world, health), all: clusterGist(turn) };
}

function jobsGist(jobs: membership.NodeView['jobs']): string {
  let gist = '';
  for (const name in jobs) {
    const { state, epoch, held } = jobs[name]!;
    gist += ` ${name} ${state} ${epoch === null ? '' : `${epoch.term}.${epoch.revision}`} ${held}`;
  }
  return gist;
}

function netsGist(world: World, health: Turn['health'], node: string): string {
  let gist = '';
  for (const net of servingNets(world.cluster)) {
    const isUp = netUp(world, health, node, net);
    gist += isUp === null ? '?' : isUp ? '+' : '-';
  }
  return gist;
}

/** All that a decision takes from this node itself. */
function ownGist(world: World, health: Turn['health']): string {
  return netsGist(world, health, world.self.name) + jobsGist(world.jobs);
}

/** All that it takes from anywhere, time aside. */
function clusterGist({ world, now, health, membership: met }: Turn): string {
  const document = membership.document(met);
  const isChangeable = membership.changeable(world, met, now) !== null;
  let gist = `${document?.version.term} ${document?.version.revision} ${isChangeable} ${membership.coordinator(met)}`;
  for (const { name } of world.cluster.nodes) {
    const view = membership.view(world, met, health, now, name);
    gist += `\n${view.health} ${view.leaving} ${view.isBeingShut} ${netsGist(world, health, name)}${jobsGist(view.jobs)}`;
  }
  for (const { name } of world.cluster.packages) {
    const awaited = membership.fenceAwaited(world, met, now, name) ?? '';
    gist += `\n${membership.isReleased(world, met, now, name)} ${awaited}`;
  }
  return gist;
}
