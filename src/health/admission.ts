/**
 * Which datagrams count as heartbeats: cheapest checks first, each refusal a named reason. Nothing is kept of a bad one
 * but its count; where many come, an alarm says from whom.
 *
 *   length, magic, version, cluster ─▶ addresses ─▶ names ─▶ incarnation, replay ─▶ seal ─▶ proof ─▶ file ─▶ duplicate
 */
import type { Action } from '../action.js';
import {
  channelText,
  checkNames,
  checkStart,
  decodeBeat,
  headerLength,
  incarnationIn,
  keysFor,
  openBeat,
  sequenceIn,
  type Beat,
} from '../frame/heartbeat.js';
import {
  checkShortBeat,
  decodeShortBeat,
  lineText,
  openShortBeat,
  shortBeatIncarnation,
  shortBeatSequence,
} from '../frame/short-beat.js';
import { CLOCK } from '../frame/clock.js';
import { keyWordIn } from '../frame/key-word.js';
import type { Input, Ms } from '../input.js';
import type { World } from '../world.js';
import { bridgedNet } from './bridged.js';
import { challenge, digestOf, OWN_KINDS, sendBeat } from './beat.js';
import { takeClock } from './clock-rate.js';
import { planPeer } from './heartbeat.js';
import { hearKeys, takenKeys } from './keys.js';
import { judgePath } from './path.js';
import { heardBeat } from './peer.js';
import { markSeen, wasSeen } from './replay.js';
import { forgetPublicSilence, heardPrivately, isRerouted } from './reroute.js';
import { admitSession, isRetired } from './session.js';
import { drop, type HealthState, type PathState, type PeerState } from './state.js';
import { takeTestimony } from './testimony.js';

export type Datagram = Extract<Input, { kind: 'datagram-received' }>;

export function takeDatagram(world: World, state: HealthState, datagram: Datagram, now: Ms, out: Action[]): void {
  const { bytes } = datagram;
  const bad = checkStart(bytes, state.clusterTag);
  if (bad === 'heartbeat-other-cluster') state.otherClusterAt = now;
  if (bad !== null) return drop(state, bad);
  const path = pathOf(world, state, datagram);
  if (typeof path === 'string') return drop(state, path);
  const peer = state.peers[path.peer]!;
  const misnamed = checkNames(bytes, peer.node, world.self.name, path.net);
  if (misnamed !== null) return drop(state, misnamed);
  const incarnation = incarnationIn(bytes);
  if (isRetired(state, peer.node, incarnation)) return drop(state, 'heartbeat-retired');
  const isPresent = state.sessions[peer.node]?.accepted === incarnation;
  if (isPresent && wasSeen(path.seen, sequenceIn(bytes))) return drop(state, 'heartbeat-replayed');
  const beat = unseal(world, state, peer, path, incarnation, bytes);
  if (beat === 'heartbeat-seal' || beat === 'heartbeat-key') {
    peer.badSeals++;
    peer.badSealAt = now;
  }
  if (typeof beat === 'string') return drop(state, beat);
  peer.badSeals = 0;
  takeBeat(world, state, peer, path, incarnation, sequenceIn(bytes), beat, now, out);
}

/** As `takeDatagram`. The line itself says from whom; it may be joined to another node, or to itself. */
export function takeSerial(world: World, state: HealthState, bytes: Uint8Array, now: Ms, out: Action[]): void {
  const path = Object.values(state.paths).find(({ kind }) => kind === 'serial');
  if (path === undefined) return drop(state, 'serial-without-line');
  const bad = checkShortBeat(bytes);
  if (bad !== null) return drop(state, bad);
  const peer = state.peers[path.peer]!;
  const incarnation = shortBeatIncarnation(bytes);
  if (incarnation === world.incarnation) {
    state.serial.ownAt = now;
    return drop(state, 'serial-looped');
  }
  if (isRetired(state, peer.node, incarnation)) return drop(state, 'heartbeat-retired');
  const sequence = shortBeatSequence(bytes);
  const isPresent = state.sessions[peer.node]?.accepted === incarnation;
  if (isPresent && wasSeen(path.seen, sequence)) return drop(state, 'heartbeat-replayed');
  const channel = { cluster: world.cluster.name, source: peer.node, destination: world.self.name, incarnation };
  const text = lineText(channel);
  let plain: Uint8Array | null = null;
  for (const key of takenKeys(state)) {
    plain = openShortBeat(bytes, text, world.cipher, key);
    if (plain !== null) peer.sealedWith = key;
    if (plain !== null) break;
  }
  if (plain === null) {
    peer.badSeals++;
    peer.badSealAt = now;
    return drop(state, 'heartbeat-seal');
  }
  const beat = decodeShortBeat(plain);
  if (beat === null) return drop(state, 'heartbeat-malformed');
  peer.badSeals = 0;
  takeBeat(world, state, peer, path, incarnation, sequence, beat, now, out);
}

/** By net of the NIC and both addresses: all must be as the cluster file says. */
function pathOf(world: World, state: HealthState, { nic, to, from }: Datagram): PathState | string {
  const net = state.nics[nic]?.net;
  if (net === undefined) return 'heartbeat-unknown-nic';
  let known = false;
  for (const key in state.paths) {
    const path = state.paths[key]!;
    if (path.to !== from) continue;
    if (path.from === to && bridgedNet(world, path.net) === net) return path;
    known = true;
  }
  return known ? 'heartbeat-wrong-net' : 'heartbeat-unknown-node';
}

function unseal(
  world: World,
  state: HealthState,
  peer: PeerState,
  { net }: PathState,
  incarnation: string,
  bytes: Uint8Array,
): Beat | 'heartbeat-key' | 'heartbeat-seal' | 'heartbeat-malformed' {
  const keys = keysFor(bytes, takenKeys(state));
  if (keys.length === 0) return 'heartbeat-key';
  const channel = { cluster: world.cluster.name, source: peer.node, destination: world.self.name, net, incarnation };
  const length = headerLength(peer.node, world.self.name, net);
  const text = channelText(channel);
  for (const key of keys) {
    const plain = openBeat(bytes, length, text, world.cipher, key);
    if (plain === null) continue;
    peer.sealedWith = key;
    return decodeBeat(plain) ?? 'heartbeat-malformed';
  }
  return 'heartbeat-seal';
}

function takeBeat(
  world: World,
  state: HealthState,
  peer: PeerState,
  path: PathState,
  incarnation: string,
  sequence: number,
  beat: Beat,
  now: Ms,
  out: Action[],
): void {
  const isNewClaim = state.sessions[peer.node]?.claimed !== incarnation;
  const namesUs = beat.accepted === world.incarnation || beat.claimed === world.incarnation;
  const echoed = beat.accepted === world.incarnation ? beat.echo.sequence : 0;
  const refused = admitSession(state, peer.node, incarnation, { namesUs, echoed, by: 'beat' });
  if (refused === 'unproven' && isNewClaim) challenge(world, state, peer, path, now, out);
  if (refused !== null) return drop(state, `heartbeat-${refused}`);
  const isNewest = sequence > peer.seen.highest;
  if (isNewest) hearKeys(peer, keyWordIn(beat.parts, peer.sealedWith), now);
  heardOver(world, state, peer, path, sequence, beat, now, out);
  if (!digestOf(world).startsWith(beat.digest)) {
    peer.otherFileAt = now;
    return drop(state, 'heartbeat-other-file');
  }
  // Each copy, for the way that brought the first may not lead back.
  if (beat.asks) sendBeat(world, state, peer, [], path, now, out);
  if (wasSeen(peer.seen, sequence)) return drop(state, 'heartbeat-duplicate');
  markSeen(peer.seen, sequence);
  if (isNewest) takeFlags(state, peer, beat, now);
  heardBeat(state, peer, isNewest ? beat.left : peer.health === 'left', now, out);
  judgePath(world, state, path, now, out);
  handOn(world, state, peer, incarnation, sequence, beat, now, out);
  if (!beat.asks && beat.accepted !== world.incarnation) sendBeat(world, state, peer, [], path, now, out);
  planPeer(world, state, peer);
}

/** Whatever its content: the way works in this direction, and maybe in the other. */
function heardOver(
  world: World,
  state: HealthState,
  peer: PeerState,
  path: PathState,
  sequence: number,
  beat: Beat,
  now: Ms,
  out: Action[],
): void {
  markSeen(path.seen, sequence);
  path.heardAt = now;
  path.silentFrom = now;
  const { sequence: echoed, agoMs } = beat.echo;
  const isOurs = beat.accepted === world.incarnation && echoed > 0 && echoed <= peer.sequence;
  if (isOurs) path.echoedAt = Math.max(path.echoedAt, now - agoMs);
  if (path.kind === 'private') heardPrivately(world, state, peer, now, out);
  if (path.state === 'down') judgePath(world, state, path, now, out);
}

function takeFlags(state: HealthState, peer: PeerState, beat: Beat, now: Ms): void {
  const before = isRerouted(peer);
  peer.asksReroute = beat.rerouted;
  if (!before && isRerouted(peer)) {
    forgetPublicSilence(state, peer, now);
    peer.dueAt = Math.min(peer.dueAt, now);
  }
}

function handOn(
  world: World,
  state: HealthState,
  peer: PeerState,
  incarnation: string,
  sequence: number,
  beat: Beat,
  now: Ms,
  out: Action[],
): void {
  const answersUs = beat.accepted === world.incarnation;
  for (const part of beat.parts)
    if (part.kind === CLOCK) takeClock(state, peer, part, answersUs, now, out);
    else takeTestimony(world, state, peer, part, now);
  const parts = beat.parts.filter(({ kind }) => kind >= OWN_KINDS);
  world.heard.push({ node: peer.node, incarnation, sequence, parts });
}
