/**
 * Over which paths the heartbeats to a peer go. While no private path to it was heard for 1.5 intervals they go over the
 * public ones too, at once and without a word; told only when it lasts. One end that does not hear is enough: it says so,
 * and both reroute, or the deaf one would hear the standing check alone and take the other for lost.
 */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { clear, raise } from './account.js';
import type { HealthState, PeerState } from './state.js';

const SILENT_INTERVALS = 1.5;
const BACK_INTERVALS = 10;
const TOLD_INTERVALS = 5;

export function isRerouted(peer: PeerState): boolean {
  return peer.hasPrivate && (peer.reroutedAt !== null || peer.asksReroute);
}

/** When its private paths have been silent for too long; only while they are not rerouted. */
export function rerouteDueAt(world: World, peer: PeerState): Ms {
  return peer.privateSilentFrom + SILENT_INTERVALS * world.cluster.timing.heartbeatMs;
}

/** A beat came over a private path. */
export function heardPrivately(world: World, state: HealthState, peer: PeerState, now: Ms, out: Action[]): void {
  const { heartbeatMs } = world.cluster.timing;
  if (now - peer.privateSilentFrom > SILENT_INTERVALS * heartbeatMs) peer.privateRunFrom = now;
  peer.privateSilentFrom = Math.max(peer.privateSilentFrom, now);
  if (peer.reroutedAt === null || now - peer.privateRunFrom < BACK_INTERVALS * heartbeatMs) return;
  const forMs = now - peer.reroutedAt;
  peer.reroutedAt = null;
  if (peer.rerouteTold) tell(peer, 'public', 'private', 'heard-again', { forMs }, now, out);
  peer.rerouteTold = false;
  clear({ state, now, out }, alarmKey(peer), { peer: peer.node });
}

/** Returns whether it was rerouted just now: then a beat is due. */
export function reviewReroute(world: World, state: HealthState, peer: PeerState, now: Ms, out: Action[]): boolean {
  if (!peer.hasPrivate) return false;
  const begins = peer.reroutedAt === null && now >= rerouteDueAt(world, peer);
  if (begins) {
    peer.reroutedAt = now;
    peer.privateRunFrom = now;
    forgetPublicSilence(state, peer, now);
  }
  reviewTelling(world, state, peer, now, out);
  return begins;
}

/** Until now its public paths owed a standing check only. */
export function forgetPublicSilence(state: HealthState, peer: PeerState, now: Ms): void {
  for (const key of peer.paths) {
    const path = state.paths[key]!;
    if (path.kind !== 'public' || path.state !== 'up') continue;
    path.silentFrom = now;
    path.echoedAt = now;
  }
}

function reviewTelling(world: World, state: HealthState, peer: PeerState, now: Ms, out: Action[]): void {
  if (peer.health !== 'alive') return clear({ state, now, out }, alarmKey(peer), { peer: peer.node });
  if (peer.reroutedAt === null) return;
  const forMs = now - Math.max(peer.privateSilentFrom, peer.since);
  if (forMs < TOLD_INTERVALS * world.cluster.timing.heartbeatMs) return;
  if (!peer.rerouteTold) tell(peer, 'private', 'public', 'silent', { forMs }, now, out);
  peer.rerouteTold = true;
  const text = `the private paths to ${peer.node} are silent, heartbeats go over the public net`;
  raise({ state, now, out }, alarmKey(peer), 'rerouted', text, { peer: peer.node });
}

function alarmKey(peer: PeerState): string {
  return `rerouted ${peer.node}`;
}

function tell(
  { node }: PeerState,
  from: string,
  to: string,
  cause: string,
  evidence: Record<string, unknown>,
  now: Ms,
  out: Action[],
): void {
  out.push({ kind: 'journal', entry: { at: now, event: 'rerouted', peer: node, from, to, cause, evidence } });
}
