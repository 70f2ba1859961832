/** What the stages after this one say to other nodes, and ask of them. */
import type { Action } from '../action.js';
import type { Part } from '../frame/part.js';
import type { Ms } from '../input.js';
import type { PeerHealth } from '../status.js';
import type { World } from '../world.js';
import { keepWords, sayFarewell, sendSpoken } from './beat.js';
import { peerNetUp, planPeer, reviewPeer } from './heartbeat.js';
import { drop, NEVER, type HealthState } from './state.js';

/** What every beat says from now on, besides what this stage says by itself. */
export function setWords(state: HealthState, parts: readonly Part[]): void {
  keepWords(state, parts);
}

/**
 * One beat to that peer now, with these parts beside the standing words, over every path that carries its heartbeats;
 * more than one if they do not fit. It stands for the periodic one.
 */
export function speak(
  world: World,
  state: HealthState,
  now: Ms,
  node: string,
  parts: readonly Part[],
  out: Action[],
): void {
  const peer = state.peers[node];
  if (peer === undefined) return drop(state, 'unknown-peer');
  // Where it speaks each interval no periodic beat is ever due, and this is the time to look.
  reviewPeer(world, state, peer, now, out);
  sendSpoken(world, state, peer, parts, now, out);
  planPeer(world, state, peer);
}

/** This node stops on purpose: every beat says so from now on, the first two at once. Nobody waits for it any more. */
export function leave(world: World, state: HealthState, now: Ms, out: Action[]): void {
  sayFarewell(world, state, now, out);
}

/** What is known of another node. */
export interface PeerView {
  health: PeerHealth | 'unheard';
  /** Since when it is so. */
  since: Ms;
  /** When its last admitted beat came; NEVER before the first. */
  heardAt: Ms;
  /** When it was last heard under another cluster file; NEVER: not at all. */
  otherFileAt: Ms;
  /** The one that counts; '' before it proved itself. */
  incarnation: string;
}

export function peer(state: HealthState, node: string): PeerView {
  const known = state.peers[node];
  if (known === undefined) return { health: 'unheard', since: 0, heardAt: NEVER, otherFileAt: NEVER, incarnation: '' };
  const { health, since, heardAt, otherFileAt } = known;
  return { health, since, heardAt, otherFileAt, incarnation: state.sessions[node]?.accepted ?? '' };
}

/** Has that node a NIC of the net that is not down? Of other nodes as they last said; null: unknown. */
export function netUp(world: World, state: HealthState, node: string, net: string): boolean | null {
  if (node !== world.self.name) return peerNetUp(state, node, net);
  const own = world.self.nets.find((part) => part.net === net);
  if (own === undefined) return null;
  return [own.primary, ...own.standby].some((nic) => state.nics[nic]!.verdict.health !== 'down');
}

/** The node one of whose NICs last polled under that MAC; null: none that was heard. */
export function nodeOfMac(state: HealthState, mac: string): string | null {
  const key = Object.keys(state.macs).find((each) => state.macs[each] === mac);
  return key === undefined ? null : key.slice(0, key.indexOf('/'));
}
