/** Standing, asking, voting, winning (MEMBERSHIP E1 to E10). */
import type { Action } from '../action.js';
import type { AskMessage, ReplyMessage } from '../frame/dialogue.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { arbiterMayAgree, arbiterVoter } from './arbiter.js';
import { grantedOverMs } from './cluster-file.js';
import { takePost } from './coordinator.js';
import { compareVersions, type Document, type Voter } from './document.js';
import { change, isSynced } from './durable.js';
import { becomeFollower, followTerm, majorityLeaseEnd, putOff } from './post.js';
import { isQuorum } from './quorum.js';
import { say } from './speech.js';
import {
  between,
  others,
  promiseMs,
  selfVoter,
  versionOf,
  voterKey,
  type MembershipState,
  type VoterKey,
} from './state.js';

const TRY_GROWTH = 1.5;

/** E2: the time has come. A blank node stands for nothing; neither does one whose disk lags behind. */
export function standIfDue(world: World, state: MembershipState, now: Ms): void {
  if (now < state.electAt || state.post.role === 'coordinator') return;
  state.electAt = now + between(world, 0.6, 1.5) * retryMs(world, state);
  const { document, term } = state.record;
  // Who decided alone may have been one of two: only an operator knows which.
  if (document === null || document.alone === true || !isSynced(state) || isPatient(world, state, now, document))
    return;
  state.tries++;
  const round = ++state.sequence;
  state.post = { role: 'pre-candidate', round, since: now, yes: { [voterKey(selfVoter(world, state))]: true } };
  ask(world, state, { pre: true, term: term + 1, round });
}

/** Tries that fail again and again come further apart: where disks and machines are slow, one must have the time to win. */
function retryMs(world: World, state: MembershipState): Ms {
  const promise = promiseMs(world);
  const longest = Math.max(promise, world.cluster.timing.nodeTimeoutMs);
  return Math.min(promise * TRY_GROWTH ** state.tries, longest);
}

/** E10: just after the host's start the peers get time to appear before the arbiter makes up for them. */
export function isPatient(world: World, state: MembershipState, now: Ms, document: Document): boolean {
  if (now >= state.patientUntil || state.arbiter === null) return false;
  const self = selfVoter(world, state);
  const present = (voter: VoterKey): boolean =>
    voter === voterKey(self) ||
    Object.entries(state.peers).some(
      ([name, { health, standing }]) =>
        health === 'alive' && standing !== null && voter === voterKey({ name, storageId: standing.storageId }),
    );
  return !isQuorum(document.voters, present);
}

function ask(
  world: World,
  state: MembershipState,
  { pre, term, round }: Pick<AskMessage, 'pre' | 'term' | 'round'>,
): void {
  const version = versionOf(state.record);
  const { storageId } = state.record;
  for (const node of others(world)) say(state, node, { kind: 'ask', pre, term, version, storageId, round });
}

function isUpToDate(state: MembershipState, version: AskMessage['version']): boolean {
  return compareVersions(version, versionOf(state.record)) >= 0;
}

/** Is a coordinator known to be at work, as far as this voter can tell? */
function isLed(world: World, state: MembershipState, now: Ms): boolean {
  if (now - state.heardAt < promiseMs(world)) return true;
  return state.post.role === 'coordinator' && now < majorityLeaseEnd(world, state, state.post);
}

export function hearAsk(
  world: World,
  state: MembershipState,
  now: Ms,
  node: string,
  message: AskMessage,
  out: Action[],
): void {
  if (message.pre) return hearPreAsk(world, state, now, node, message);
  const { term, version, storageId, round } = message;
  const candidate: Voter = { name: node, storageId };
  const isMine = (voted: Voter | null): boolean => voted !== null && voterKey(voted) === voterKey(candidate);
  const reply = (yes: boolean): void =>
    say(state, node, {
      kind: 'reply',
      pre: false,
      yes,
      term: state.record.term,
      storageId: state.record.storageId,
      round,
      ageMs: now - state.answeredAt,
    });
  if (term < state.record.term || (term === state.record.term && !isMine(state.record.votedFor))) return reply(false);
  // E5: refused without taking the term. P2: a blank voter gives no vote.
  if (isLed(world, state, now) || state.record.document === null) return;
  followTerm(world, state, now, term, out);
  const { votedFor } = state.record;
  if ((votedFor !== null && !isMine(votedFor)) || !isUpToDate(state, version)) return;
  if (votedFor === null) change(state, { votedFor: candidate }, out);
  putOff(world, state, now);
  reply(true);
}

/** E4: changes no durable state. */
function hearPreAsk(world: World, state: MembershipState, now: Ms, node: string, message: AskMessage): void {
  const { term, version, round } = message;
  const { heartbeatMs } = world.cluster.timing;
  const { post } = state;
  let yes =
    term > state.record.term &&
    !isLed(world, state, now) &&
    state.record.document !== null &&
    isUpToDate(state, version);
  if (yes && post.role === 'pre-candidate' && now - post.since < heartbeatMs / 2) {
    const order = compareVersions(version, versionOf(state.record));
    if (order < 0 || (order === 0 && node > world.self.name)) yes = false;
    else state.post = { role: 'follower' };
  }
  if (yes) state.electAt = Math.max(state.electAt, now + between(world, 0.5, 1) * promiseMs(world));
  const { record } = state;
  say(state, node, {
    kind: 'reply',
    pre: true,
    yes,
    term: record.term,
    storageId: record.storageId,
    round,
    ageMs: now - state.answeredAt,
  });
}

export function hearReply(
  world: World,
  state: MembershipState,
  now: Ms,
  node: string,
  message: ReplyMessage,
  out: Action[],
): void {
  const { pre, yes, term, storageId, round, ageMs } = message;
  if (term > state.record.term) return followTerm(world, state, now, term, out);
  const { post } = state;
  const voter = voterKey({ name: node, storageId });
  if (pre) {
    if (yes && post.role === 'pre-candidate' && round === post.round) post.yes[voter] = true;
  } else if (yes && post.role === 'candidate' && term === state.record.term) {
    post.votes[voter] = Math.max(post.votes[voter] ?? now - ageMs, now - ageMs);
  }
}

/** Has the present round got its quorum? */
export function tally(world: World, state: MembershipState, now: Ms, out: Action[]): void {
  const { post } = state;
  const { document, term } = state.record;
  if (document === null) return;
  const self = selfVoter(world, state);
  if (post.role === 'pre-candidate') {
    const arbiter = arbiterMayAgree(world, state, now) ? arbiterVoter(state) : null;
    if (!isQuorum(document.voters, (voter) => post.yes[voter] === true || voter === arbiter)) return;
    change(state, { term: term + 1, votedFor: self }, out);
    state.post = { role: 'candidate', since: now, votes: {}, askedArbiter: false };
    ask(world, state, { pre: false, term: term + 1, round: ++state.sequence });
  } else if (post.role === 'candidate') {
    if (isSynced(state)) post.votes[voterKey(self)] = state.answeredAt;
    if (post.votes[voterKey(self)] === undefined) return;
    if (!isQuorum(document.voters, (voter) => post.votes[voter] !== undefined)) return;
    // E8: over all votes, not only those of the quorum: which voter the old coordinator had cannot be known.
    const newest = Math.max(...Object.values(post.votes));
    takePost(world, state, now, newest + grantedOverMs(world, document), out);
  }
}

/** A coordinator that says goodbye needs no promise: its voters may elect another at once. */
export function farewell(world: World, state: MembershipState, now: Ms, node: string): void {
  if (state.coordinator !== node || state.post.role === 'coordinator') return;
  state.heardAt = Math.min(state.heardAt, now - promiseMs(world));
  state.electAt = Math.min(state.electAt, now + between(world, 0, 0.25) * promiseMs(world));
  if (state.post.role !== 'follower') becomeFollower(world, state, now);
}
