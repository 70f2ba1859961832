/** The heartbeats that this node sends: one sequence a beat, the same over all paths that it takes. */
import type { Action } from '../action.js';
import {
  channelText,
  encodeBeat,
  putEcho,
  roomForParts,
  sealBeat,
  type Beat,
  type Channel,
} from '../frame/heartbeat.js';
import { lengthOf, type Part } from '../frame/part.js';
import type { Ms } from '../input.js';
import type { KeyId, World } from '../world.js';
import { clockPart } from './clock-rate.js';
import { keyBack, keyPart, keyTo } from './keys.js';
import { CHECK_EVERY, isCarrying } from './path.js';
import { sendOverLine } from './serial.js';
import { NEVER, type HealthState, type PathState, type PeerState } from './state.js';
import { testimony } from './testimony.js';

/** Over which paths. One: as an answer over the way that a beat came, if it can be used, and nothing is asked by it. */
export type Ways = 'carrying' | 'all' | PathState;

/** Part kinds below are the health stage's own. */
export const OWN_KINDS = 16;

export function keepWords(state: HealthState, parts: readonly Part[]): void {
  state.words = parts.map(({ kind, bytes }) => ({ kind, text: String.fromCharCode(...bytes) }));
}

/** The same words go out many times. Reckoned from the state alone, so it is none. */
const partsByWords = new WeakMap<HealthState['words'], Part[]>();

function wordsOf({ words }: HealthState): readonly Part[] {
  let parts = partsByWords.get(words);
  if (parts === undefined) {
    parts = words.map(({ kind, text }) => ({ kind, bytes: Uint8Array.from(text, (it) => it.charCodeAt(0)) }));
    partsByWords.set(words, parts);
  }
  return parts;
}

/** One beat to that peer; several if the parts do not fit into one. A suspect is asked over all paths. */
export function sendBeat(
  world: World,
  state: HealthState,
  peer: PeerState,
  parts: readonly Part[],
  ways: Ways,
  now: Ms,
  out: Action[],
): void {
  const asks = peer.health === 'suspect' && typeof ways === 'string';
  const chosen =
    typeof ways === 'object'
      ? [ways].filter(({ usable }) => usable)
      : pathsFor(state, peer, asks || ways === 'all', now);
  if (chosen.length === 0) return;
  for (const batch of batches(world, state, peer, chosen, parts, now)) {
    peer.sequence++;
    const beat = beatTo(world, state, peer, asks, batch);
    const plain = encodeBeat(beat);
    const key = typeof ways === 'object' ? keyBack(state, peer) : keyTo(state, peer);
    for (const path of chosen)
      if (path.kind === 'serial') sendOverLine(world, state, peer, { ...beat, echo: echoOf(path, now) }, key, now, out);
      else sendOver(world, peer, path, plain, key, now, out);
  }
  const { heartbeatMs } = world.cluster.timing;
  // Half an interval early, for beats are not sent to the microsecond.
  for (const path of chosen) if (path.kind === 'public') path.checkDueAt = now + (CHECK_EVERY - 0.5) * heartbeatMs;
}

function pathsFor(state: HealthState, peer: PeerState, all: boolean, now: Ms): PathState[] {
  const chosen: PathState[] = [];
  for (const key of peer.paths) {
    const path = state.paths[key]!;
    if (path.usable && (all || path.state === 'down' || isCarrying(peer, path) || now >= path.checkDueAt))
      chosen.push(path);
  }
  return chosen;
}

/** The standing words lead; what this stage has to say of NICs goes where room is left. */
function batches(
  world: World,
  state: HealthState,
  peer: PeerState,
  chosen: PathState[],
  parts: readonly Part[],
  now: Ms,
): Part[][] {
  const longest = chosen.reduce((longest, { net }) => (net.length > longest.length ? net : longest), '');
  const room = roomForParts(world.self.name, peer.node, longest);
  const all: Part[][] = [[]];
  let left = room;
  const add = (part: Part): void => {
    if (lengthOf(part) > left) {
      all.push([]);
      left = room;
    }
    all.at(-1)!.push(part);
    left -= lengthOf(part);
  };
  for (const part of keyPart(state)) add(part);
  for (const part of wordsOf(state)) add(part);
  for (const part of parts) add(part);
  const clock = clockPart(peer, now);
  if (clock !== null && lengthOf(clock) <= left) add(clock);
  for (const part of testimony(world, state, peer.sequence + all.length, now)) if (lengthOf(part) <= left) add(part);
  return all;
}

function beatTo(world: World, state: HealthState, peer: PeerState, asks: boolean, parts: Part[]): Beat {
  const session = state.sessions[peer.node];
  return {
    digest: digestOf(world),
    asks,
    left: state.leaving,
    rerouted: peer.reroutedAt !== null,
    accepted: session?.accepted ?? '',
    claimed: session?.claimed ?? '',
    echo: { sequence: 0, agoMs: 0 },
    parts,
  };
}

/** First half of the cluster file's digest. */
export function digestOf(world: World): string {
  return world.cluster.digest.slice(0, 32).padEnd(32, '0');
}

function echoOf({ heardAt, seen }: PathState, now: Ms): Beat['echo'] {
  return heardAt === NEVER ? { sequence: 0, agoMs: 0 } : { sequence: seen.highest, agoMs: now - heardAt };
}

function sendOver(
  world: World,
  peer: PeerState,
  path: PathState,
  plain: Uint8Array,
  key: KeyId,
  now: Ms,
  out: Action[],
): void {
  putEcho(plain, echoOf(path, now));
  const channel: Channel = {
    cluster: world.cluster.name,
    source: world.self.name,
    destination: peer.node,
    net: path.net,
    incarnation: world.incarnation,
  };
  const bytes = sealBeat(channel, channelText(channel), peer.sequence, plain, world.cipher, key);
  out.push({ kind: 'send-datagram', nic: path.nic, from: path.from, to: path.to, bytes });
}

/** The periodic one. */
export function sendDue(world: World, state: HealthState, peer: PeerState, now: Ms, out: Action[]): void {
  const { heartbeatMs } = world.cluster.timing;
  const everyMs = peer.health === 'suspect' ? heartbeatMs / 4 : heartbeatMs;
  sendBeat(world, state, peer, [], 'carrying', now, out);
  peer.dueAt = peer.dueAt + everyMs > now ? peer.dueAt + everyMs : now + everyMs;
}

/** A spoken beat stands for the periodic one, and a little later than that, or both go out where one is spoken each interval. */
export function sendSpoken(
  world: World,
  state: HealthState,
  peer: PeerState,
  parts: readonly Part[],
  now: Ms,
  out: Action[],
): void {
  sendBeat(world, state, peer, parts, 'carrying', now, out);
  if (peer.health !== 'suspect') peer.dueAt = now + 1.1 * world.cluster.timing.heartbeatMs;
}

/** Names the incarnation that it claims, so that it can prove itself. Whoever plays old beats again is not answered each time. */
export function challenge(
  world: World,
  state: HealthState,
  peer: PeerState,
  path: PathState,
  now: Ms,
  out: Action[],
): void {
  if (now - peer.challengedAt < world.cluster.timing.heartbeatMs / 8) return;
  peer.challengedAt = now;
  sendBeat(world, state, peer, [], path, now, out);
}

/** Twice at once, for nothing follows. */
export function sayFarewell(world: World, state: HealthState, now: Ms, out: Action[]): void {
  state.leaving = true;
  for (const name in state.peers)
    for (let times = 0; times < 2; times++) sendBeat(world, state, state.peers[name]!, [], 'all', now, out);
}
