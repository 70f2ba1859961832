/**
 * The arbiter, a voter with storage but no clock and no will: nodes act for it (MEMBERSHIP 7). One question at a time;
 * of one without an answer nothing is counted, and the key is read again.
 */
import type { Action } from '../action.js';
import type { Input, Ms } from '../input.js';
import type { World } from '../world.js';
import { acked, advance } from './coordinator.js';
import { remember, setBack } from './arbiter-memory.js';
import type { ArbiterRecord, ArbiterRequest, RegisterAnswer } from './arbiter-record.js';
import { findings, amendment, noDisk, put } from './disk-arbiter.js';
import { ARBITER, compareVersions, readDocument, readVersion, readVoter, type Document } from './document.js';
import { adopt, isSynced } from './durable.js';
import { followTerm, putOff } from './post.js';
import { isQuorum } from './quorum.js';
import {
  drawWords,
  FAR,
  NEVER,
  promiseMs,
  selfVoter,
  versionOf,
  voterKey,
  type ArbiterQuestion,
  type ArbiterState,
  type Coordinatorship,
  type MembershipState,
  type VoterKey,
} from './state.js';

export function startArbiter(world: World): ArbiterState | null {
  const { quorum } = world.cluster;
  if (typeof quorum !== 'object' || quorum.arbiter === undefined) return null;
  return {
    disk: quorum.arbiter.kind === 'disk' ? noDisk() : null,
    trouble: null,
    question: null,
    askedAt: NEVER,
    answeredAt: NEVER,
    missed: 0,
    lostSince: FAR,
    pauseUntil: NEVER,
    seen: null,
    missing: false,
    storageId: null,
    memory: null,
    sequence: 0,
  };
}

function patienceMs(world: World): Ms {
  return 1.5 * world.cluster.timing.heartbeatMs;
}

export function askArbiter(
  world: World,
  arbiter: ArbiterState,
  now: Ms,
  request: ArbiterRequest,
  purpose: ArbiterQuestion['purpose'],
  out: Action[],
): void {
  const id = ++arbiter.sequence;
  arbiter.question = { id, at: now, request, purpose };
  arbiter.askedAt = now;
  out.push({ kind: 'ask-arbiter', id, request, withinMs: patienceMs(world) });
}

/** The voter that it is now, as far as is known. */
export function arbiterVoter({ arbiter }: MembershipState): VoterKey | null {
  const seen = arbiter?.seen;
  return seen ? voterKey({ name: ARBITER, storageId: seen.record.storageId }) : null;
}

function isUpToDate(state: MembershipState, { document }: ArbiterRecord): boolean {
  return compareVersions(versionOf(state.record), document.version) >= 0;
}

/** A4 as pre-vote: nobody has written to it for as long as the promise, and its document is not newer. */
export function arbiterMayAgree(world: World, state: MembershipState, now: Ms): boolean {
  const seen = state.arbiter?.seen;
  return !!seen && now - seen.since >= promiseMs(world) && isUpToDate(state, seen.record);
}

/** What there is to ask of it now. A question without an answer for twice its time is given up. */
export function consultArbiter(world: World, state: MembershipState, now: Ms, out: Action[]): void {
  const { arbiter, post } = state;
  if (arbiter === null) return;
  if (arbiter.question !== null) {
    if (now < arbiter.question.at + 2 * patienceMs(world)) return;
    arbiter.question = null;
    arbiter.missed++;
  }
  if (post.role === 'candidate' && askVote(world, state, post, arbiter, now, out)) return;
  if (post.role === 'coordinator' && askAck(world, state, post, arbiter, now, out)) return;
  const amended = now < arbiter.pauseUntil ? null : amendment(world, state, arbiter, now);
  if (amended !== null) askArbiter(world, arbiter, now, amended, { for: 'look' }, out);
  else if (now >= lookAt(world, state, arbiter)) ask(world, arbiter, now, out);
}

function ask(world: World, arbiter: ArbiterState, now: Ms, out: Action[]): void {
  askArbiter(world, arbiter, now, { ask: arbiter.disk === null ? 'read' : 'look' }, { for: 'look' }, out);
}

/** A3. */
function askVote(
  world: World,
  state: MembershipState,
  post: Extract<MembershipState['post'], { role: 'candidate' }>,
  arbiter: ArbiterState,
  now: Ms,
  out: Action[],
): boolean {
  const { term } = state.record;
  const self = selfVoter(world, state);
  const { seen } = arbiter;
  if (seen === null || post.askedArbiter || post.votes[voterKey(self)] === undefined) return false;
  if (seen.record.term >= term || !isUpToDate(state, seen.record)) return false;
  post.askedArbiter = true;
  const purpose = { for: 'vote', term, seenAt: seen.since } as const;
  const request: ArbiterRequest =
    arbiter.disk === null
      ? { ask: 'write', expect: seen.stamp, record: { ...seen.record, term, votedFor: self } }
      : put(world, state, arbiter.disk, 'candidate', state.record.document!);
  askArbiter(world, arbiter, now, request, purpose, out);
  return true;
}

/** A2: only where the nodes alone are no fresh quorum, or its document is old. A6: a missing key is made anew. */
function askAck(
  world: World,
  state: MembershipState,
  post: Coordinatorship,
  arbiter: ArbiterState,
  now: Ms,
  out: Action[],
): boolean {
  const { document, term } = state.record;
  if (document === null || !isSynced(state) || now < arbiter.pauseUntil) return false;
  if (arbiter.missing) {
    createArbiter(world, state, arbiter, now, () => document, { for: 'look' }, out);
    return true;
  }
  const { seen } = arbiter;
  if (seen === null) {
    ask(world, arbiter, now, out);
    return true;
  }
  if (!needsAck(world, state, post, now)) return false;
  if (arbiter.disk !== null) {
    const request = put(world, state, arbiter.disk, 'coordinator', document);
    askArbiter(world, arbiter, now, request, { for: 'ack' }, out);
    return true;
  }
  const { votedFor, beat, storageId } = seen.record;
  const record: ArbiterRecord = {
    storageId,
    term,
    votedFor: seen.record.term === term ? votedFor : null,
    document,
    beat: beat + 1,
  };
  askArbiter(world, arbiter, now, { ask: 'write', expect: seen.stamp, record }, { for: 'ack' }, out);
  return true;
}

function needsAck(world: World, state: MembershipState, post: Coordinatorship, now: Ms): boolean {
  const { document, term } = state.record;
  const { seen } = state.arbiter!;
  if (document === null || !seen || seen.record.term > term) return false;
  if (compareVersions(seen.record.document.version, document.version) < 0) return true;
  const isNode = (voter: VoterKey): boolean => !voter.startsWith(`${ARBITER}/`);
  const arbiter = arbiterVoter(state);
  const own = arbiter === null ? undefined : post.acked[arbiter];
  // Its own last ack is fresh enough: the next one goes with the next beat.
  if (own !== undefined && now - own.sentAt < world.cluster.timing.heartbeatMs) return false;
  return !isQuorum(
    document.voters,
    (voter) => isNode(voter) && now - (post.acked[voter]?.sentAt ?? NEVER) < patienceMs(world),
  );
}

/** A6: a blank voter gets its first document. `of`: the document for the voter with that storageId. */
export function createArbiter(
  world: World,
  state: MembershipState,
  arbiter: ArbiterState,
  now: Ms,
  of: (storageId: string) => Document,
  purpose: ArbiterQuestion['purpose'],
  out: Action[],
): void {
  const { disk } = arbiter;
  if (disk !== null) {
    const role = state.post.role === 'coordinator' ? 'coordinator' : 'none';
    return askArbiter(world, arbiter, now, put(world, state, disk, role, of(disk.storageId)), purpose, out);
  }
  const storageId = drawWords(world, 4);
  const record = { storageId, term: state.record.term, votedFor: null, document: of(storageId), beat: 0 };
  askArbiter(world, arbiter, now, { ask: 'create', record }, purpose, out);
}

/** A4: each nodeTimeout in peace, and at every chance from one and a half heartbeats of silence on. */
function lookAt(world: World, state: MembershipState, arbiter: ArbiterState): Ms {
  const peaceful = arbiter.askedAt + world.cluster.timing.nodeTimeoutMs;
  if (state.post.role === 'coordinator') return peaceful;
  return Math.min(peaceful, Math.max(state.heardAt + patienceMs(world), arbiter.pauseUntil));
}

/** When there may be something to ask of it. */
export function arbiterMoments(world: World, state: MembershipState): Ms[] {
  const { arbiter, post } = state;
  if (arbiter === null) return [];
  if (arbiter.question !== null) return [arbiter.question.at + 2 * patienceMs(world)];
  const moments = [lookAt(world, state, arbiter), arbiter.pauseUntil];
  if (post.role === 'coordinator')
    moments.push(...Object.values(post.acked).map(({ sentAt }) => sentAt + patienceMs(world)));
  return moments;
}

/** The record as it is stored there; null: it is none of ours. */
function readArbiterRecord(value: ArbiterRecord): ArbiterRecord | null {
  const { storageId, term, votedFor, document, beat } = value as Partial<ArbiterRecord>;
  const read = readDocument(document);
  const voted = votedFor === null ? null : readVoter(votedFor);
  if (typeof storageId !== 'string' || typeof beat !== 'number' || read === null) return null;
  if (readVersion({ term, revision: 0 }) === null || (votedFor !== null && voted === null)) return null;
  return { storageId, term: term!, votedFor: voted, document: read, beat };
}

/** The question whose purpose is fulfilled; null: none. */
export function arbiterAnswered(
  world: World,
  state: MembershipState,
  now: Ms,
  { id, answer: given }: Extract<Input, { kind: 'arbiter-answered' }>,
  out: Action[],
): ArbiterQuestion | null {
  const { arbiter } = state;
  const question = arbiter?.question;
  if (!arbiter || !question || question.id !== id) return null;
  arbiter.question = null;
  const answer = given.outcome === 'blocks' ? findings(world, arbiter, question, given, now) : given;
  const isLook = question.request.ask === 'read' || question.request.ask === 'look';
  if (answer.outcome !== 'done' || isLook) arbiter.pauseUntil = now + world.cluster.timing.heartbeatMs / 4;
  if (answer.outcome === 'unknown') {
    arbiter.missed++;
    arbiter.trouble = { why: answer.why ?? null, text: answer.text };
    if (question.request.ask === 'put' && arbiter.disk !== null) {
      arbiter.disk.lostWrites++;
      arbiter.disk.failure = answer.text;
    }
    // What a register is now is not known: a write may have been done. The blocks of others are theirs alone.
    if (!isLook && arbiter.disk === null) arbiter.seen = null;
    return null;
  }
  const back = answer.outcome === 'missing' || arbiter.disk !== null ? null : setBack(arbiter.memory, answer);
  if (back !== null) {
    arbiter.missed++;
    arbiter.trouble = { why: 'stale', text: back };
    arbiter.seen = null;
    arbiter.pauseUntil = now + world.cluster.timing.heartbeatMs / 4;
    return null;
  }
  arbiter.answeredAt = now;
  arbiter.missed = 0;
  arbiter.trouble = null;
  arbiter.missing = answer.outcome === 'missing';
  if (answer.outcome === 'missing') arbiter.seen = null;
  else if (!look(world, state, arbiter, now, answer, question, out)) return null;
  return answer.outcome === 'done' ? question : null;
}

/** A1, A4, A5: what the answer shows. False: nothing that can be understood. */
function look(
  world: World,
  state: MembershipState,
  arbiter: ArbiterState,
  now: Ms,
  answer: Extract<RegisterAnswer, { outcome: 'done' | 'refused' }>,
  question: ArbiterQuestion,
  out: Action[],
): boolean {
  const record = readArbiterRecord(answer.record);
  if (record === null) {
    arbiter.seen = null;
    return false;
  }
  arbiter.storageId = record.storageId;
  if (arbiter.disk === null) arbiter.memory = remember({ ...answer, record });
  const before = arbiter.seen;
  const isNew = before?.stamp.created !== answer.stamp.created || before.stamp.modified !== answer.stamp.modified;
  arbiter.seen = { stamp: answer.stamp, record, since: isNew ? now : before.since };
  if (isNew) {
    const isOwn = arbiter.disk === null && answer.outcome === 'done' && question.request.ask !== 'read';
    // Somebody coordinates through it.
    if (
      !isOwn &&
      before?.record.term === record.term &&
      record.term >= state.record.term &&
      state.post.role !== 'coordinator'
    )
      putOff(world, state, now);
  }
  followTerm(world, state, now, record.term, out);
  if (state.post.role !== 'coordinator') adopt(state, record.document, out);
  if (answer.outcome === 'done') count(state, arbiter, now, record, question, out);
  return true;
}

/** A write that succeeded is the arbiter's word. */
function count(
  state: MembershipState,
  arbiter: ArbiterState,
  now: Ms,
  record: ArbiterRecord,
  { at, purpose }: ArbiterQuestion,
  out: Action[],
): void {
  const { post } = state;
  const voter = voterKey({ name: ARBITER, storageId: record.storageId });
  if (record.term !== state.record.term) return;
  if (purpose.for === 'vote' && post.role === 'candidate' && purpose.term === record.term) {
    if (arbiter.disk !== null) arbiter.disk.wonIn = record.term;
    // On a disk it is the view after the write that shows since when nobody coordinated through it.
    post.votes[voter] = arbiter.disk === null ? purpose.seenAt : arbiter.seen!.since;
  }
  if (purpose.for !== 'ack' || post.role !== 'coordinator') return;
  acked(post, voter, at, record.document.version);
  advance(state, post, now, out);
}
