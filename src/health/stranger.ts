/** Alarms of heartbeats that do not belong here: another key, another cluster, another cluster file. Each clears when they stop. */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { clear, raise } from './account.js';
import type { HealthState, PeerState } from './state.js';

/** Bad seals in a row before they are told: single ones are noise. */
const BAD_SEALS_MIN = 5;
/** They have stopped when none came for that many intervals. */
const STOPPED_AFTER = 15;

export function reviewStrangers(world: World, state: HealthState, peer: PeerState, now: Ms, out: Action[]): void {
  const recent = (at: Ms): boolean => now - at < STOPPED_AFTER * world.cluster.timing.heartbeatMs;
  const foreign = 'heartbeats of another cluster come to this node: do two clusters share a net and a port?';
  if (recent(state.otherClusterAt)) raise({ state, now, out }, 'other-cluster', 'other-cluster', foreign);
  else clear({ state, now, out }, 'other-cluster');
  reviewKey(state, peer, recent(peer.badSealAt), now, out);
  reviewFile(state, peer, recent(peer.otherFileAt), now, out);
}

function reviewKey(state: HealthState, peer: PeerState, recent: boolean, now: Ms, out: Action[]): void {
  const { node } = peer;
  const text = `heartbeats in the name of ${node} are sealed with another key; compare the key files`;
  if (!recent) peer.badSeals = 0;
  if (peer.badSeals >= BAD_SEALS_MIN)
    raise({ state, now, out }, `other-key ${node}`, 'other-key', text, { peer: node });
  else if (peer.badSeals === 0) clear({ state, now, out }, `other-key ${node}`, { peer: node });
}

function reviewFile(state: HealthState, peer: PeerState, recent: boolean, now: Ms, out: Action[]): void {
  const { node } = peer;
  const text = `${node} has another cluster file: it counts for nothing until both have the same`;
  if (recent) raise({ state, now, out }, `other-file ${node}`, 'other-file', text, { peer: node });
  else clear({ state, now, out }, `other-file ${node}`, { peer: node });
}
