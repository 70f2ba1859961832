/**
 * The ways to a peer: every net with heartbeats on which both nodes have an address of the cluster file, and the serial
 * line of two nodes. A path over a net lies on the NIC that has this node's address now, and on no other: where that NIC
 * has no carrier, nothing is sent elsewhere.
 */
import type { Action } from '../action.js';
import type { ClusterNode } from '../config/cluster.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { clear, raise } from './account.js';
import { bridgedNet } from './bridged.js';
import { isRerouted } from './reroute.js';
import { seenNone } from './replay.js';
import { hasLine, lineTrouble, SERIAL } from './serial.js';
import { NEVER, type HealthState, type PathState, type PeerState } from './state.js';

/** Standing checks of a public path, in intervals. */
export const CHECK_EVERY = 5;
/** A path is down after that many beats in a row that should have come over it. */
const SILENT_BEATS = 5;
/** Standing checks are few: fewer of them must be missing. */
const SILENT_CHECKS = 3;
/** An outage is told to the operator after that many intervals. */
export const TOLD_AFTER = 5;

export function pathKey(peer: string, net: string): string {
  return `${peer}/${net}`;
}

/** To every other node of the cluster file, in its order. */
export function startPaths(world: World, now: Ms): Record<string, PathState> {
  const paths: Record<string, PathState> = {};
  for (const node of world.cluster.nodes) {
    if (node.name === world.self.name) continue;
    for (const { name, heartbeat } of world.cluster.nets) {
      const pair = heartbeat === undefined ? null : addressesOn(world.self, node, name);
      if (heartbeat !== undefined && pair !== null)
        paths[pathKey(node.name, name)] = startPath(node.name, name, heartbeat, pair, now);
    }
    if (hasLine(world, node)) paths[pathKey(node.name, SERIAL)] = startPath(node.name, SERIAL, 'serial', ['', ''], now);
  }
  return paths;
}

function startPath(
  peer: string,
  net: string,
  kind: PathState['kind'],
  [from, to]: [string, string],
  now: Ms,
): PathState {
  return {
    peer,
    net,
    kind,
    from,
    to,
    nic: '',
    usable: false,
    seen: seenNone(),
    heardAt: NEVER,
    silentFrom: now,
    echoedAt: NEVER,
    checkDueAt: now,
    state: 'down',
    since: now,
  };
}

/** The first of each in the first family that both have; both ends come to the same pair. */
function addressesOn(own: ClusterNode, other: ClusterNode, net: string): [string, string] | null {
  for (const family of [4, 6]) {
    const [from, to] = [own, other].map((node) =>
      node.nets.find((part) => part.net === net)?.addresses.find((address) => address.family === family),
    );
    if (from !== undefined && to !== undefined) return [from.address, to.address];
  }
  return null;
}

/** Where the own addresses lie now, and whether the line's device is open. A path that can be used from now on has its first beat at once. */
export function locatePaths(world: World, state: HealthState, now: Ms, out: Action[]): void {
  for (const key in state.paths) {
    const path = state.paths[key]!;
    if (path.kind !== 'serial') path.nic = nicWith(world, state, path);
    const usable = isUsable(state, path);
    if (usable === path.usable) continue;
    path.usable = usable;
    if (!usable) {
      judgePath(world, state, path, now, out);
      continue;
    }
    path.checkDueAt = Math.min(path.checkDueAt, now);
    const peer = state.peers[path.peer]!;
    peer.dueAt = Math.min(peer.dueAt, now);
  }
}

/** During a local switch two NICs have it; then the one with carrier. */
function nicWith(world: World, state: HealthState, path: PathState): string {
  let found = '';
  for (const nic of state.nets[bridgedNet(world, path.net)]?.nics ?? []) {
    const has = world.host[nic]?.addresses.some(({ local }) => local === path.from) === true;
    if (has && (found === '' || state.nics[nic]!.link === 'up')) found = nic;
  }
  return found;
}

function isUsable(state: HealthState, path: PathState): boolean {
  if (path.kind === 'serial') return state.serial.isUp;
  return path.nic !== '' && state.nics[path.nic]!.link === 'up';
}

/** Does it carry the peer's heartbeats now, all of them? */
export function isCarrying(peer: PeerState, path: PathState): boolean {
  return path.kind !== 'public' || !peer.hasPrivate || isRerouted(peer);
}

/** How old a word over it may be while it is up. */
function patienceMs(world: World, peer: PeerState, path: PathState): Ms {
  const { heartbeatMs } = world.cluster.timing;
  return (isCarrying(peer, path) ? SILENT_BEATS : SILENT_CHECKS * CHECK_EVERY) * heartbeatMs;
}

/** Up: heard, and heard at the other end. */
export function judgePath(world: World, state: HealthState, path: PathState, now: Ms, out: Action[]): void {
  const peer = state.peers[path.peer]!;
  const patience = patienceMs(world, peer, path);
  const heard = now - path.silentFrom <= patience;
  const echoed = now - path.echoedAt <= patience;
  const { usable } = path;
  // What was said before it went down is no proof that it works again.
  const proven = path.state === 'up' || path.echoedAt >= path.since;
  const is = usable && heard && echoed && proven ? 'up' : 'down';
  if (is !== path.state) {
    const silent = now - path.silentFrom > patience / 2;
    const cause =
      is === 'up'
        ? 'heard-both-ways'
        : !usable
          ? path.kind === 'serial'
            ? 'no-line'
            : 'no-nic'
          : silent
            ? 'silent'
            : 'not-heard-there';
    become(path, is, cause, now, out);
  }
  reviewAlarm(world, state, peer, path, now, out);
}

function become(path: PathState, is: PathState['state'], cause: string, now: Ms, out: Action[]): void {
  const evidence = { kind: path.kind, nic: path.nic, forMs: now - path.since };
  const { peer, net, state: from } = path;
  out.push({ kind: 'journal', entry: { at: now, event: 'path', peer, net, from, to: is, cause, evidence } });
  path.state = is;
  path.since = now;
}

function reviewAlarm(world: World, state: HealthState, peer: PeerState, path: PathState, now: Ms, out: Action[]): void {
  const key = `path-down ${pathKey(path.peer, path.net)}`;
  const { net, peer: node } = path;
  if (path.state === 'up' || peer.health !== 'alive') return clear({ state, now, out }, key, { net, peer: node });
  const sinceMs = now - Math.max(path.since, peer.since);
  if (sinceMs <= TOLD_AFTER * world.cluster.timing.heartbeatMs) return;
  const text =
    path.kind === 'serial'
      ? lineTrouble(world, state, path)
      : `no heartbeats go both ways between this node and ${node} over ${path.kind} net ${net}`;
  raise({ state, now, out }, key, 'path-down', text, { net, peer: node });
}
