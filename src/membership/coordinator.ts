/** The coordinator at work: beat, answers, commit, grants (MEMBERSHIP Q2, Q3, C1 to C5). */
import type { Action } from '../action.js';
import type { AnswerMessage } from '../frame/dialogue.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { nextSequence } from './answer.js';
import { isOfOwnFile, mayLease, ownFile } from './cluster-file.js';
import { BLANK, compareVersions, newerVersion, showVersion, type Document, type Version } from './document.js';
import { change, isSynced, mayLead } from './durable.js';
import { mayGrant, noteGrant } from './fence.js';
import { becomeFollower, followTerm, majorityLeaseEnd } from './post.js';
import { isQuorum, namesOf } from './quorum.js';
import { leaseMs, surelyOverMs } from './span.js';
import { enclose, lead } from './speech.js';
import {
  NEVER,
  others,
  selfVoter,
  versionOf,
  voterKey,
  type Coordinatorship,
  type MembershipState,
  type VoterKey,
} from './state.js';
import { finishVoters, reviewVoters } from './voters.js';

/** Of nodeTimeout: so long a new coordinator has for its first round (Q3). */
const FIRST_ROUND_PART = 0.7;

/** Elected. First act: the own document, unchanged, under the own term (E9). */
export function takePost(
  world: World,
  state: MembershipState,
  now: Ms,
  oldLeasesEnd: Ms,
  out: Action[],
  document = state.record.document,
): void {
  state.post = {
    role: 'coordinator',
    since: now,
    oldLeasesEnd,
    committed: BLANK,
    acked: {},
    leaseBounds: {},
    answered: {},
    beatAt: NEVER,
    beatWanted: true,
    cause: 'elected',
    before: null,
    wanted: '',
    wantedSince: now,
    why: {},
    pieced: {},
  };
  state.tries = 0;
  state.coordinator = world.self.name;
  state.coordinatorHeardAt = now;
  state.append = null;
  state.answerOwed = false;
  if (document !== null) putForward(state, state.post, document, 'elected', out);
}

/** The next document: sent to all while it is stored here. */
export function putForward(
  state: MembershipState,
  post: Coordinatorship,
  content: Omit<Document, 'version'>,
  cause: string,
  out: Action[],
): Version {
  const { term, document } = state.record;
  const version = { term, revision: versionOf(state.record).revision + 1 };
  post.cause = cause;
  post.before = document;
  change(state, { document: { ...content, version } }, out);
  post.beatWanted = true;
  return version;
}

export function acked(post: Coordinatorship, voter: VoterKey, sentAt: Ms, version: Version): void {
  const known = post.acked[voter];
  post.acked[voter] = {
    sentAt: Math.max(known?.sentAt ?? NEVER, sentAt),
    version: newerVersion(known?.version ?? BLANK, version),
  };
}

export function hearAnswer(
  world: World,
  state: MembershipState,
  now: Ms,
  { node, incarnation }: { node: string; incarnation: string },
  message: AnswerMessage,
  out: Action[],
): string | null {
  const { term, echo, sequence, storageId, version, held } = message;
  if (term > state.record.term) {
    followTerm(world, state, now, term, out);
    return null;
  }
  const { post } = state;
  const sentAt = state.sent[echo.sequence];
  // C2: of this term and of this run of the daemon.
  if (post.role !== 'coordinator' || term !== state.record.term) return 'answer-other-term';
  if (echo.incarnation !== world.incarnation || sentAt === undefined) return 'answer-unasked';
  acked(post, voterKey({ name: node, storageId }), sentAt, version);
  const known = post.answered[node];
  // Another incarnation is a newer one: the session admits none that was displaced.
  if (known === undefined || known.incarnation !== incarnation || known.sequence < sequence)
    post.answered[node] = { at: now, incarnation, sequence, storageId, version, held };
  advance(state, post, now, out);
  grant(world, state, post, now, node, { incarnation, sequence }, version);
  return null;
}

/** C1: only documents of the own term are counted; older ones become committed with them. */
export function advance(state: MembershipState, post: Coordinatorship, now: Ms, out: Action[]): void {
  const { document } = state.record;
  if (document === null || compareVersions(post.committed, document.version) >= 0) return;
  const has = (voter: VoterKey): boolean => compareVersions(post.acked[voter]?.version ?? BLANK, document.version) >= 0;
  if (!isQuorum(document.voters, has)) return;
  post.committed = document.version;
  // Said at once: the new holder may start only when told.
  post.beatWanted = true;
  const evidence = { version: showVersion(document.version), ...differences(post.before, document) };
  out.push({ kind: 'journal', entry: { at: now, event: 'committed', cause: post.cause, evidence } });
}

function differences(before: Document | null, after: Document): Record<string, unknown> {
  const placed: Record<string, string> = {};
  for (const [name, placement] of Object.entries(after.placements)) {
    if (JSON.stringify(before?.placements[name]) === JSON.stringify(placement)) continue;
    const { node, state, epoch } = placement;
    placed[name] = `${node ?? 'nowhere'} ${state} ${showVersion(epoch)}`;
  }
  const isOtherVoters = JSON.stringify(before?.voters) !== JSON.stringify(after.voters);
  const isOrdered = JSON.stringify(before?.orders) !== JSON.stringify(after.orders);
  return {
    ...(Object.keys(placed).length > 0 && { placed }),
    ...(isOrdered && { orders: after.orders }),
    ...(isOtherVoters && { voters: namesOf(after.voters.next) }),
  };
}

/** C4, C5. */
function grant(
  world: World,
  state: MembershipState,
  post: Coordinatorship,
  now: Ms,
  node: string,
  echo: { incarnation: string; sequence: number },
  version: Version,
): void {
  const { document, term } = state.record;
  const { timing } = world.cluster;
  if (!document || !mayLease(world, post, document) || !mayLead(world, state)) return;
  const durationMs = Math.min(leaseMs(timing), majorityLeaseEnd(world, state, post) - now);
  if (durationMs < timing.heartbeatMs / 2 || !mayGrant(world, state, now, node)) return;
  noteGrant(state, node);
  post.leaseBounds[node] = Math.max(leaseBound(post, node), now + surelyOverMs(durationMs, timing));
  const lacks = compareVersions(version, document.version) < 0;
  const enclosed = lacks ? send(state, post, now, node, document, timing.heartbeatMs) : { how: 'none' as const };
  const { committed } = post;
  lead(state, node, {
    kind: 'grant',
    term,
    echo,
    durationMs,
    need: document.version,
    committed,
    document: enclosed,
  });
}

export function leaseBound(post: Coordinatorship, node: string): Ms {
  return post.leaseBounds[node] ?? post.oldLeasesEnd;
}

/** One round: an append to every node, and the own lease and age counted from it (Q2). */
export function beat(world: World, state: MembershipState, post: Coordinatorship, now: Ms): void {
  const { document, term } = state.record;
  if (document === null || !mayLead(world, state)) return;
  const { heartbeatMs } = world.cluster.timing;
  post.beatAt = now;
  post.beatWanted = false;
  const sequence = nextSequence(world, state, now);
  state.answeredAt = now;
  acked(post, voterKey(selfVoter(world, state)), now, versionOf(state.durable));
  for (const node of others(world)) {
    const peer = state.peers[node];
    const isThere = peer?.health === 'alive' || peer?.health === 'suspect';
    const knows = compareVersions(post.answered[node]?.version ?? BLANK, document.version) >= 0;
    const enclosed = isThere && !knows ? send(state, post, now, node, document, heartbeatMs) : { how: 'none' as const };
    lead(state, node, { kind: 'append', term, sequence, committed: post.committed, document: enclosed });
  }
}

/** A document in pieces goes out once in half a heartbeat. */
function send(
  state: MembershipState,
  post: Coordinatorship,
  now: Ms,
  node: string,
  document: Document,
  heartbeatMs: Ms,
): ReturnType<typeof enclose> {
  const last = post.pieced[node];
  const isUnderWay =
    last !== undefined && now - last.at < heartbeatMs / 2 && compareVersions(last.version, document.version) === 0;
  if (isUnderWay) return { how: 'pieces' };
  const enclosed = enclose(state, node, document, { founds: false, term: state.record.term });
  if (enclosed.how === 'pieces') post.pieced[node] = { version: document.version, at: now };
  return enclosed;
}

/** All that a coordinator does by the clock. */
export function coordinate(world: World, state: MembershipState, post: Coordinatorship, now: Ms, out: Action[]): void {
  if (now >= resignsAt(world, state, post)) return becomeFollower(world, state, now);
  if (post.beatWanted || now >= post.beatAt + world.cluster.timing.heartbeatMs) {
    beat(world, state, post, now);
    reviewVoters(world, state, post, now, out);
  }
  if (isSynced(state)) acked(post, voterKey(selfVoter(world, state)), NEVER, versionOf(state.durable));
  advance(state, post, now, out);
  takeOwnFile(world, state, post, now, out);
  finishVoters(world, state, post, now, out);
  if (post.beatWanted) beat(world, state, post, now);
}

/** Once nothing of another cluster file is left. */
function takeOwnFile(world: World, state: MembershipState, post: Coordinatorship, now: Ms, out: Action[]): void {
  const { document } = state.record;
  if (document === null || isOfOwnFile(world, document) || now < post.oldLeasesEnd || !isSynced(state)) return;
  if (compareVersions(post.committed, document.version) !== 0) return;
  putForward(state, post, { ...document, ...ownFile(world) }, 'cluster-file', out);
}

/** Q3. */
export function resignsAt(world: World, state: MembershipState, post: Coordinatorship): Ms {
  const firstRoundEnd = post.since + FIRST_ROUND_PART * world.cluster.timing.nodeTimeoutMs;
  return Math.max(majorityLeaseEnd(world, state, post), firstRoundEnd);
}

/** When the coordinator has something to do by the clock alone, besides what C6 waits for. */
export function coordinatorMoments(world: World, state: MembershipState, post: Coordinatorship): Ms[] {
  return [post.beatAt + world.cluster.timing.heartbeatMs, resignsAt(world, state, post), post.oldLeasesEnd];
}
