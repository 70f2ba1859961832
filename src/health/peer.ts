/**
 * Is another node there?
 *
 *   unheard ──▶ alive ──silent for half of nodeTimeout──▶ suspect ──for the whole──▶ lost
 *                 ▲ └──────────── it says so ────────────────────────▶ left         │
 *                 └──────────────────────────── heard ─────────────────────────────┘
 *
 * A suspect is asked over every path at four times the rate. Silence during the own stall counts against nobody.
 */
import type { Action } from '../action.js';
import type { ClusterNode } from '../config/cluster.js';
import type { Ms } from '../input.js';
import type { PeerHealth } from '../status.js';
import type { World } from '../world.js';
import { clear, raise } from './account.js';
import { forgetAlarm, startClock } from './clock-rate.js';
import { startPaths } from './path.js';
import { nicNames } from './place.js';
import { seenNone } from './replay.js';
import { FAR, NEVER, type HealthState, type PathState, type PeerState } from './state.js';

export function startPeers(world: World, now: Ms): Pick<HealthState, 'peers' | 'paths'> {
  const paths = startPaths(world, now);
  const peers: Record<string, PeerState> = {};
  for (const node of world.cluster.nodes) {
    if (node.name === world.self.name) continue;
    const own = Object.entries(paths).filter(([, path]) => path.peer === node.name);
    peers[node.name] = startPeer(node, own, now);
  }
  return { peers, paths };
}

function startPeer(node: ClusterNode, paths: [string, PathState][], now: Ms): PeerState {
  const nics = nicNames(node);
  const places = node.nets.map((part) => [part.net, [part.primary, ...part.standby].map((nic) => nics.indexOf(nic))]);
  return {
    node: node.name,
    health: 'unheard',
    since: now,
    heardAt: NEVER,
    silentFrom: now,
    dueAt: paths.length > 0 ? now : FAR,
    sequence: 0,
    seen: seenNone(),
    paths: paths.map(([key]) => key),
    hasPrivate: paths.some(([, path]) => path.kind === 'private'),
    privateSilentFrom: now,
    privateRunFrom: now,
    reroutedAt: null,
    rerouteTold: false,
    asksReroute: false,
    challengedAt: NEVER,
    nets: Object.fromEntries(places) as PeerState['nets'],
    nics: [],
    nicCount: nics.length,
    targetAt: {},
    badSeals: 0,
    badSealAt: NEVER,
    otherFileAt: NEVER,
    keys: [],
    keysSince: now,
    keysSettled: false,
    sealedWith: '',
    clock: startClock(),
  };
}

/** Another daemon speaks for that node from now on: its sequences begin anew, and it has to say its own words. */
export function forgetBeats(state: HealthState, node: string): void {
  const peer = state.peers[node];
  if (peer === undefined) return;
  peer.seen = seenNone();
  peer.asksReroute = false;
  peer.nics = [];
  peer.targetAt = {};
  peer.clock = startClock();
  for (const key of peer.paths) {
    const path = state.paths[key]!;
    path.seen = seenNone();
    path.heardAt = NEVER;
  }
}

/** A beat of it was admitted. */
export function heardBeat(state: HealthState, peer: PeerState, left: boolean, now: Ms, out: Action[]): void {
  peer.heardAt = now;
  peer.silentFrom = now;
  if (left) become(state, peer, 'left', 'said-so', now, out);
  else if (peer.health !== 'alive') become(state, peer, 'alive', 'heard', now, out);
}

/** What its silence says by now. */
export function reviewSilence(world: World, state: HealthState, peer: PeerState, now: Ms, out: Action[]): void {
  // By the very moments that it asks to be woken at: a difference of times rounds otherwise than their sum.
  const isDue = (): boolean => now >= silenceDueAt(world, peer);
  if (peer.health === 'alive' && isDue()) become(state, peer, 'suspect', 'silent', now, out);
  if (peer.health === 'suspect' && isDue()) become(state, peer, 'lost', 'silent', now, out);
}

/** When its silence says more than now. */
export function silenceDueAt(world: World, { health, silentFrom }: PeerState): Ms {
  const { nodeTimeoutMs } = world.cluster.timing;
  if (health === 'alive') return silentFrom + nodeTimeoutMs / 2;
  return health === 'suspect' ? silentFrom + nodeTimeoutMs : FAR;
}

function become(state: HealthState, peer: PeerState, to: PeerHealth, cause: string, now: Ms, out: Action[]): void {
  if (peer.health === to) return;
  const { node, health: from } = peer;
  const evidence = { forMs: now - peer.since, ...(peer.heardAt === NEVER ? {} : { heardAgoMs: now - peer.heardAt }) };
  out.push({ kind: 'journal', entry: { at: now, event: 'peer-health', peer: node, from, to, cause, evidence } });
  peer.health = to;
  peer.since = now;
  if (to === 'suspect') peer.dueAt = now;
  if (to === 'lost' || to === 'left') forgetAlarm(state, peer, now, out);
  const key = `node-lost ${node}`;
  if (to === 'lost') raise({ state, now, out }, key, 'node-lost', `${node} is silent on all paths`, { peer: node });
  else if (to !== 'suspect') clear({ state, now, out }, key, { peer: node });
}
