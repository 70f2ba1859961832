/**
 * Whose frames are worth listening to. A frame under a good seal may still be an old one played again, so
 * - a peer's incarnation counts only after a frame under it named our own present incarnation, which no recording from
 *   before our start can do; one that was replaced never counts again;
 * - a present incarnation is replaced only by a message whose sender has heard something of ours that was sent after its claim
 *   was first seen: what a daemon that is gone left waiting for a MAC in its kernel may leave after its successor's first
 *   word, and what was recorded of it may be played again; both name us as well;
 * - under one incarnation the sequence of a sending NIC only rises.
 */
import type { Poll, Session } from '../frame/poll.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { forgetBeats } from './peer.js';
import type { HealthState, NetState, NicKey, NicState, PeerSession } from './state.js';

/** Each replaced incarnation is one restart of a peer's daemon. */
const RETIRED_MAX = 1000;

export type SessionDrop = 'poll-loop' | 'poll-foreign-incarnation' | 'poll-retired' | 'poll-unproven' | 'poll-stale';

/** Null: the sender is who it says it is, now. */
export function admit(
  world: World,
  state: HealthState,
  nic: NicState,
  key: NicKey,
  poll: Poll,
  now: Ms,
): SessionDrop | null {
  if (poll.node === world.self.name) {
    if (poll.incarnation !== world.incarnation) return 'poll-foreign-incarnation';
    if (poll.nic === nic.nic) return 'poll-loop';
    return admitSequence(world, state, nic, key, poll, now);
  }
  const isPresent = state.sessions[poll.node]?.accepted === poll.incarnation;
  const refused = isPresent ? null : admitFrame(world, state, poll);
  if (refused !== null) return `poll-${refused}`;
  const stale = admitSequence(world, state, nic, key, poll, now);
  const session = state.sessions[poll.node]!;
  if (stale === null) session.heard = Math.max(session.heard, poll.sequence);
  return stale;
}

function admitFrame(world: World, state: HealthState, poll: Poll): 'retired' | 'unproven' | null {
  const { node, incarnation, sequence, sessions } = poll;
  const ours = sessions.find((it) => namesUs(world, it));
  const proof: Proof = { namesUs: ours !== undefined, echoed: ours?.heard ?? 0, by: 'frame' };
  const refused = admitSession(state, node, incarnation, proof);
  const session = state.sessions[node]!;
  if (refused === 'unproven') session.claimedHeard = Math.max(session.claimedHeard, sequence);
  return refused;
}

function namesUs({ self, incarnation }: World, session: Session): boolean {
  return session.node === self.name && session.incarnation === incarnation;
}

/** What a message under a good seal says for its sender. */
export interface Proof {
  /** It named our present incarnation. */
  namesUs: boolean;
  /** The highest sequence of ours that its sender has heard, in beats or in frames. */
  echoed: number;
  by: 'beat' | 'frame';
}

export function admitSession(
  state: HealthState,
  node: string,
  incarnation: string,
  { namesUs, echoed, by }: Proof,
): 'retired' | 'unproven' | null {
  const session = (state.sessions[node] ??= newSession());
  if (session.accepted === incarnation) return null;
  if (session.retired.includes(incarnation)) return 'retired';
  if (session.claimed !== incarnation) {
    session.claimed = incarnation;
    session.claimedHeard = 0;
    session.claimedFrom = { beat: state.peers[node]?.sequence ?? 0, frame: levelSequences(state) };
  }
  if (!namesUs || (session.accepted !== '' && echoed <= session.claimedFrom[by])) return 'unproven';
  if (session.accepted !== '') session.retired.push(session.accepted);
  if (session.retired.length > RETIRED_MAX) session.retired.shift();
  session.accepted = incarnation;
  session.heard = session.claimedHeard;
  session.claimed = '';
  forgetPeer(state, node);
  return null;
}

function newSession(): PeerSession {
  return { accepted: '', claimed: '', claimedFrom: { beat: 0, frame: 0 }, heard: 0, claimedHeard: 0, retired: [] };
}

/** From now on any frame has a higher sequence than all before, whichever NIC sends it. Returns the highest so far. */
function levelSequences({ nics }: HealthState): number {
  const all = Object.values(nics);
  const highest = Math.max(0, ...all.map(({ sequence }) => sequence));
  for (const nic of all) nic.sequence = highest;
  return highest;
}

export function isRetired(state: HealthState, node: string, incarnation: string): boolean {
  return state.sessions[node]?.retired.includes(incarnation) === true;
}

/** What was known of its NICs came from a daemon that is gone, as did its sequences. */
function forgetPeer(state: HealthState, node: string): void {
  forgetBeats(state, node);
  const theirs = (key: string): boolean => key.startsWith(`${node}/`);
  for (const key of Object.keys(state.senders)) if (theirs(key)) delete state.senders[key];
  for (const net of Object.values(state.nets))
    for (const key of Object.keys(net.reports)) if (theirs(key)) delete net.reports[key];
  for (const nic of Object.values(state.nics)) {
    for (const [key, heard] of Object.entries(nic.hears))
      if (theirs(key)) {
        heard.sequence = 0;
        heard.round = 0;
      }
    for (const key of Object.keys(nic.expects)) if (theirs(key)) delete nic.expects[key];
  }
}

/**
 * The same frame reaches several of our NICs, so each keeps its own last sequence; what any of them knew a poll ago is
 * old on all, or a recording made on one could be played to another.
 */
function admitSequence(
  world: World,
  state: HealthState,
  nic: NicState,
  key: NicKey,
  poll: Poll,
  now: Ms,
): SessionDrop | null {
  const sender = (state.senders[key] ??= { mark: 0, markedAt: now, settled: 0, poller: false, polls: false });
  if (poll.sequence <= (nic.hears[key]?.sequence ?? 0) || poll.sequence <= sender.settled) return 'poll-stale';
  if (poll.sequence > sender.mark && now - sender.markedAt >= world.cluster.timing.pollMs) {
    sender.settled = sender.mark;
    sender.mark = poll.sequence;
    sender.markedAt = now;
  }
  return null;
}

/** What our frames on that net say: each peer with the incarnation that counts and the one that wants to. */
export function sessionsOf(world: World, state: HealthState, net: NetState): Session[] {
  const peers = new Set(net.members.map((member) => member.node));
  peers.delete(world.self.name);
  const sessions: Session[] = [];
  for (const node of peers) {
    const session = state.sessions[node];
    if (session === undefined) continue;
    if (session.claimed !== '') sessions.push({ node, incarnation: session.claimed, heard: session.claimedHeard });
    if (session.accepted !== '') sessions.push({ node, incarnation: session.accepted, heard: session.heard });
  }
  return sessions;
}
