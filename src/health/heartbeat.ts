/** The heartbeats of this node: when they are due, and what is judged then. */
import type { Action } from '../action.js';
import { healthIn } from '../frame/nic-report.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { sendDue } from './beat.js';
import { judgePath } from './path.js';
import { reviewSilence, silenceDueAt } from './peer.js';
import { rerouteDueAt, reviewReroute } from './reroute.js';
import { reviewStrangers } from './stranger.js';
import { FAR, type HealthState, type PeerState } from './state.js';

/** With more peers, to be woken once too often costs less than to look at all of them with each beat. */
const EXACT_PEERS_MAX = 16;

/** All that is due. */
export function beatOn(world: World, state: HealthState, now: Ms, out: Action[]): void {
  if (now < state.beatDueAt) return;
  for (const name in state.peers) {
    const peer = state.peers[name]!;
    if (now < peerDueAt(world, peer)) continue;
    reviewPeer(world, state, peer, now, out);
    if (now >= peer.dueAt) sendDue(world, state, peer, now, out);
  }
  planBeats(world, state);
}

/** All that is judged of one peer; at least once an interval. */
export function reviewPeer(world: World, state: HealthState, peer: PeerState, now: Ms, out: Action[]): void {
  reviewSilence(world, state, peer, now, out);
  if (reviewReroute(world, state, peer, now, out)) peer.dueAt = now;
  for (const key of peer.paths) judgePath(world, state, state.paths[key]!, now, out);
  reviewStrangers(world, state, peer, now, out);
}

/** From all peers. */
export function planBeats(world: World, state: HealthState): void {
  let dueAt = FAR;
  for (const name in state.peers) dueAt = Math.min(dueAt, peerDueAt(world, state.peers[name]!));
  state.beatDueAt = dueAt;
}

/** After something that concerns one peer: never too late, and not too early where that is cheap. */
export function planPeer(world: World, state: HealthState, peer: PeerState): void {
  if (world.cluster.nodes.length <= EXACT_PEERS_MAX) planBeats(world, state);
  else state.beatDueAt = Math.min(state.beatDueAt, peerDueAt(world, peer));
}

function peerDueAt(world: World, peer: PeerState): Ms {
  if (peer.paths.length === 0) return FAR;
  const reroutes = peer.hasPrivate && peer.reroutedAt === null ? rerouteDueAt(world, peer) : FAR;
  return Math.min(peer.dueAt, silenceDueAt(world, peer), reroutes);
}

/** Silence during the own stall is evidence against nobody. */
export function forgiveSilence(state: HealthState, forMs: Ms, now: Ms): void {
  const later = (at: Ms): Ms => Math.min(now, at + forMs);
  for (const name in state.peers) {
    const peer = state.peers[name]!;
    peer.silentFrom = later(peer.silentFrom);
    peer.privateSilentFrom = later(peer.privateSilentFrom);
    for (const key of peer.paths) {
      const path = state.paths[key]!;
      path.silentFrom = later(path.silentFrom);
      if (path.state === 'up') path.echoedAt = later(path.echoedAt);
    }
  }
}

/** Has that peer a NIC of the net that is not down, as it last said? Null: unknown. */
export function peerNetUp(state: HealthState, node: string, net: string): boolean | null {
  const peer = state.peers[node];
  let unknown = true;
  for (const place of peer?.nets[net] ?? []) {
    const packed = peer!.nics[place] ?? -1;
    unknown = packed < 0;
    if (unknown) break;
    if (healthIn(packed) !== 'down') return true;
  }
  return unknown ? null : false;
}
