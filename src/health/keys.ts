/**
 * The cluster's key, and how another takes its place without a message lost. Nobody coordinates it: each node says which keys
 * it takes, and does what that allows.
 *
 *   one key ──the file holds two──▶ both are taken; each peer is spoken to under the newest that it takes
 *      ▲                              │ every node of the cluster file takes the newest, and knows that all do
 *      │                              ▼
 *      └──the file holds one────── the older is given up, by all
 */
import type { Action } from '../action.js';
import { encodeKeys, type KeyWord } from '../frame/key-word.js';
import type { Part } from '../frame/part.js';
import type { Input, Ms } from '../input.js';
import type { KeysStatus } from '../status.js';
import type { KeyId, World } from '../world.js';
import { clear, journal, raise, record } from './account.js';
import type { HealthState, KeyState, PeerState } from './state.js';

/** What was sealed before everybody knew still arrives: it waits for a MAC, or in the queue of a daemon that sleeps. */
const GIVE_UP_AFTER_MS = 1000;
/** A key that is out of the file is taken for so long: the others have to hear that it is gone. */
const LEAVING_MS = 10_000;
/** No more of them at a time: a rotation takes out one. */
const LEAVING_MAX = 4;
/** Whoever copies the file to many nodes takes his time. */
const ALARM_AFTER_MS = 10_000;
/** Of decisions, for `why`. */
const SUBJECT = 'key';
/** More that a peer says it knows are not kept. */
const KNOWN_MAX = 4;

export function startKeys(world: World, now: Ms): KeyState {
  const file = [...world.keys];
  return { file, taken: file, since: now, settled: false, readySince: null, leaving: {}, trouble: null, reviewAt: now };
}

/** Those under which a message is taken. */
export function takenKeys(state: HealthState): readonly KeyId[] {
  const { taken, leaving } = state.keys;
  const gone = Object.keys(leaving);
  return gone.length === 0 ? taken : [...taken, ...gone];
}

function newest({ file }: KeyState): KeyId {
  return file.at(-1)!;
}

/** While two are taken it is told which; a node that takes one needs no words for that. */
export function keyPart({ keys }: HealthState): Part[] {
  return keys.taken.length > 1 ? [encodeKeys({ known: keys.taken, settled: keys.settled })] : [];
}

export function keyWord({ keys }: HealthState, sealedWith: KeyId): KeyWord {
  return { sealedWith, known: keys.taken, settled: keys.settled };
}

/** For what goes to that peer alone. Of one that is not known to be there nothing is known: each of both has its turn. */
export function keyTo({ keys, sessions }: HealthState, peer: PeerState): KeyId {
  const [older, newer] = keys.taken;
  if (newer === undefined) return older!;
  const isThere = peer.health === 'alive' || peer.health === 'suspect';
  const isSure = isThere && peer.keys.length > 0 && (sessions[peer.node]?.claimed ?? '') === '';
  if (isSure) return peer.keys.includes(newer) ? newer : older!;
  return peer.sequence % 2 === 0 ? older! : newer;
}

/** For an answer over the way that a message came: as that was sealed. */
export function keyBack(state: HealthState, peer: PeerState): KeyId {
  return state.keys.taken.includes(peer.sealedWith) ? peer.sealedWith : keyTo(state, peer);
}

/** For what all hear. Who has given up the older one is not waited for by those who know no other. */
export function keyToAll(state: HealthState): KeyId {
  const [older, newer] = state.keys.taken;
  if (newer === undefined) return older!;
  const peers = Object.values(state.peers);
  const heard = peers.filter(isHeard);
  if (heard.every(({ keys }) => keys.includes(newer))) return heard.length > 0 || peers.length === 0 ? newer : older!;
  return heard.every(({ keys }) => keys.includes(older!)) ? older! : newer;
}

function isHeard({ health, keys }: PeerState): boolean {
  return keys.length > 0 && health !== 'lost' && health !== 'left';
}

/** What an admitted message says. */
export function hearKeys(peer: PeerState, { known, settled }: KeyWord, now: Ms): void {
  const said = known.slice(0, KNOWN_MAX);
  if (said.length !== peer.keys.length || said.some((key, i) => key !== peer.keys[i])) peer.keysSince = now;
  peer.keys = said;
  peer.keysSettled = settled;
}

export function takeKeys(
  world: World,
  state: HealthState,
  now: Ms,
  { keys: found, trouble }: Extract<Input, { kind: 'keys-read' }>,
  out: Action[],
): void {
  const { keys } = state;
  const bad = found.length === 0 ? (trouble ?? 'it holds no key') : strangeIn(keys, found);
  keys.trouble = bad === null ? null : `${world.cluster.key}: ${bad}`;
  keys.reviewAt = now;
  if (bad !== null || found.join() === keys.file.join()) return;
  const evidence = { from: keys.file, to: found };
  journal({ state, now, out }, { event: 'keys', cause: 'key-file', evidence });
  record({ state, now, out }, SUBJECT, `the key file holds ${found.join(' and ')}`, 'key-file', evidence);
  for (const key of keys.taken) if (!found.includes(key)) keys.leaving[key] = now + LEAVING_MS;
  for (const key of found) delete keys.leaving[key];
  forgetSurplus(world, state, now, out);
  Object.assign(keys, { file: found, taken: found, since: now, settled: false, readySince: null });
}

/** A file that changes each second would make many keys good; whoever still speaks under the first of them has to hear. */
function forgetSurplus(world: World, state: HealthState, now: Ms, out: Action[]): void {
  const { leaving } = state.keys;
  const surplus = Object.keys(leaving)
    .sort((a, b) => leaving[b]! - leaving[a]!)
    .slice(LEAVING_MAX);
  for (const key of surplus) delete leaving[key];
  if (surplus.length === 0) return;
  const text = `${world.cluster.key} changes too often: ${surplus.join()} is refused from now on; wait ten seconds between two changes`;
  raise({ state, now, out }, 'key-file-changes', 'key-file', text);
}

/** A file with nothing but strange keys is that of another cluster, or of a rotation that went on without this node: a start takes it. */
function strangeIn({ file }: KeyState, found: readonly KeyId[]): string | null {
  if (found.some((key) => file.includes(key))) return null;
  return 'it holds another key than before; it is not taken while batond runs: restart it if that is meant';
}

/** All that is judged of keys; at most once an interval. */
export function reviewKeys(world: World, state: HealthState, now: Ms, out: Action[]): void {
  const { keys } = state;
  if (now < keys.reviewAt) return;
  keys.reviewAt = now + world.cluster.timing.heartbeatMs;
  for (const key of Object.keys(keys.leaving)) if (now >= keys.leaving[key]!) delete keys.leaving[key];
  if (Object.keys(keys.leaving).length === 0) clear({ state, now, out }, 'key-file-changes');
  if (keys.trouble !== null) raise({ state, now, out }, 'key-file', 'key-file', keys.trouble);
  else clear({ state, now, out }, 'key-file');
  if (keys.taken.length > 1) reviewRotation(state, now, out);
  for (const name in state.peers) reviewKnown(world, state, state.peers[name]!, now, out);
}

function reviewRotation(state: HealthState, now: Ms, out: Action[]): void {
  const { keys } = state;
  const fresh = newest(keys);
  const peers = Object.values(state.peers);
  const settled = peers.every((peer) => peer.keys.includes(fresh));
  if (settled && !keys.settled) tell(state, now, out, { to: fresh, cause: 'all-know', evidence: { file: keys.file } });
  keys.settled = settled;
  if (!isReady(state, fresh)) {
    keys.readySince = null;
    return;
  }
  keys.readySince ??= now;
  if (now - keys.readySince < GIVE_UP_AFTER_MS) return;
  const gone = keys.taken.filter((key) => key !== fresh);
  keys.taken = [fresh];
  tell(state, now, out, { from: gone.join(), to: fresh, cause: 'given-up', evidence: { taken: takenBy(peers) } });
}

const SAID = {
  'all-know': (fresh: KeyId) => `every node takes ${fresh}`,
  'given-up': (fresh: KeyId, gone = '') => `${gone} is given up, ${fresh} alone is taken`,
};

interface Told {
  from?: KeyId;
  to: KeyId;
  cause: keyof typeof SAID;
  evidence: Record<string, unknown>;
}

function tell(state: HealthState, now: Ms, out: Action[], { from, to, cause, evidence }: Told): void {
  const turn = { state, now, out };
  journal(turn, { event: 'keys', ...(from !== undefined && { from }), to, cause, evidence });
  record(turn, SUBJECT, SAID[cause](to, from), cause, evidence);
}

function takenBy(peers: readonly PeerState[]): Record<string, KeyId[]> {
  return Object.fromEntries(peers.map(({ node, keys }) => [node, keys]));
}

/** May the older key go? Never while a node that is there takes no other. */
function isReady(state: HealthState, fresh: KeyId): boolean {
  const peers = Object.values(state.peers);
  const hasGivenUp = ({ keys }: PeerState): boolean => keys.length === 1 && keys[0] === fresh;
  if (peers.some((peer) => isHeard(peer) && !peer.keys.includes(fresh))) return false;
  if (peers.some((peer) => isHeard(peer) && hasGivenUp(peer))) return true;
  return state.keys.settled && peers.every((peer) => peer.keysSettled || hasGivenUp(peer));
}

/** Its key file, or that of this node, is old. */
function reviewKnown(world: World, state: HealthState, peer: PeerState, now: Ms, out: Action[]): void {
  const { keys } = state;
  const { node } = peer;
  const { key: path } = world.cluster;
  const isTime = isHeard(peer) && now - Math.max(keys.since, peer.keysSince) >= ALARM_AFTER_MS;
  const isOlder = keys.taken.length > 1 && !peer.keys.includes(newest(keys));
  const isNewer = !keys.file.includes(peer.keys.at(-1) ?? newest(keys));
  const older = `${node} does not know the new cluster key ${newest(keys)}; copy ${path} from this node to it`;
  const newer = `${node} knows the cluster key ${peer.keys.at(-1)}, which this node does not; copy ${path} from there`;
  const about = { peer: node };
  if (isTime && isOlder) raise({ state, now, out }, `key-old ${node}`, 'key-old', older, about);
  else clear({ state, now, out }, `key-old ${node}`, about);
  if (isTime && isNewer) raise({ state, now, out }, `key-newer ${node}`, 'key-newer', newer, about);
  else clear({ state, now, out }, `key-newer ${node}`, about);
}

export function keysStatus(state: HealthState): KeysStatus {
  const { file, taken } = state.keys;
  const fresh = newest(state.keys);
  const peers = file.length > 1 ? Object.values(state.peers) : [];
  return {
    file,
    taken: [...taken],
    speaks: keyToAll(state),
    lacking: peers.filter((peer) => peer.keys.length > 0 && !peer.keys.includes(fresh)).map(({ node }) => node),
    unheard: peers.filter(({ keys }) => keys.length === 0).map(({ node }) => node),
    leaving: Object.keys(state.keys.leaving),
    peers: Object.values(state.peers).map((peer) => ({
      node: peer.node,
      takes: peer.keys,
      sends: peer.keys.length === 0 ? null : peer.sealedWith,
      spokenTo: keyTo(state, peer),
    })),
  };
}
