/**
 * Who is the cluster: election, document, quorum, lease (MEMBERSHIP.md). The only file of this stage that others call.
 *
 *   started ───────────▶ durable (the record of the disk, or a new voter)
 *   beats (world.heard) ─▶ words     what every beat says: storage id, term, role, version, jobs
 *                      ├▶ election   ask, reply ──────────────▶ coordinator ──append, grant──▶ speech
 *                      ├▶ answer     append, piece ──answer──▶ speech ──beats──▶ health.speak
 *                      └▶ lease      grant
 *   persisted ─────────▶ durable ──▶ what waited for the disk goes out (speech)
 *   arbiter-answered ──▶ arbiter ──▶ a vote, an ack, a document
 *   woke ──────────────▶ election, coordinator, formation, arbiter, by their deadlines
 *
 * Each message and outcome only changes the state; `settle` then does whatever that state calls for, and is the only
 * place that does. A coordinator therefore commits and tells at once, in the step that brought the last answer.
 */
import type { Action } from '../action.js';
import { decodeMessage, type Message } from '../frame/dialogue.js';
import { PART } from '../frame/part.js';
import type { HealthState } from '../health/state.js';
import type { Input, Ms } from '../input.js';
import type { Alarm, Decision, MembershipStatus } from '../status.js';
import type { HeardBeat, World } from '../world.js';
import { account, report, reportMoments } from './account.js';
import { answer, hearAppend, hearPiece, heldPackages, isHeld } from './answer.js';
import { arbiterAnswered, arbiterMoments, consultArbiter, startArbiter } from './arbiter.js';
import { coordinate, coordinatorMoments, hearAnswer } from './coordinator.js';
import { BLANK, type Document, type Version } from './document.js';
import { persisted, restore, retry } from './durable.js';
import { farewell, hearAsk, hearReply, standIfDue, tally } from './election.js';
import { noFencing } from './fence.js';
import { agentExited, awaitsJudgement, fence, fencingMoments, open, vouch } from './fencing.js';
import { forceDocument, forceRefusal, formed, formIfAll, spread } from './formation.js';
import { hearGrant, leaseEndOf, servable, useGrants } from './lease.js';
import { majorityLeaseEnd, putOff } from './post.js';
import { changeableDocument, freeAt, isFree, proposeChange, type DocumentChange } from './proposal.js';
import { aloneAt, goSolo } from './solo.js';
import { flush } from './speech.js';
import { drop, FAR, NEVER, packageNames, type MembershipState } from './state.js';
import { arePeersKnown, hearWords, refreshPeers, speakWords } from './words.js';

export type { MembershipState } from './state.js';
export { fenceAwaited, mayBeShared, view } from './node-view.js';
export type { NodeView } from './node-view.js';
export type { DocumentChange } from './proposal.js';

export interface MembershipReport {
  membership: MembershipStatus | null;
  alarms: Alarm[];
  decisions: Decision[];
  dropped: Record<string, number>;
}

export function start(world: World, now: Ms): MembershipState {
  const { quorum, packages } = world.cluster;
  return {
    kind: packages.length === 0 ? 'off' : quorum === 'none' ? 'solo' : 'voting',
    started: false,
    startedAt: now,
    dropped: {},
    alarms: {},
    decisions: [],
    record: { storageId: '', term: 0, votedFor: null, document: null },
    durable: null,
    storing: [],
    storeId: 0,
    storedId: 0,
    retryAt: FAR,
    wasBlank: false,
    post: { role: 'follower' },
    heardAt: now,
    answeredAt: now,
    electAt: FAR,
    tries: 0,
    spreadAt: NEVER,
    patientUntil: NEVER,
    sequence: 0,
    sent: {},
    sentFrom: 1,
    lease: { end: NEVER, term: -1, committed: BLANK },
    grants: [],
    coordinator: null,
    coordinatorHeardAt: NEVER,
    append: null,
    answerOwed: false,
    yields: false,
    saidHeld: [],
    held: [],
    outbox: [],
    pieces: {},
    peers: {},
    arbiter: startArbiter(world),
    fencing: noFencing(),
    leaving: false,
    words: '',
    told: { role: 'follower', coordinator: null, lease: false, voters: null },
    quorumMissedAt: now,
    now,
    dueAt: FAR,
  };
}

/** False: the input was none of this stage's business, and nothing is other than before it. */
export function take(
  world: World,
  state: MembershipState,
  now: Ms,
  health: HealthState,
  input: Input,
  out: Action[],
): boolean {
  if (state.kind === 'off') return false;
  state.now = now;
  if (!state.started && input.kind !== 'started') return false;
  const hasLetGo = isLetGo(world, state);
  if (!isHeld(world, state.held)) state.held = heldPackages(world);
  switch (input.kind) {
    case 'started':
      begin(world, state, now, input, out);
      break;
    case 'persisted':
      persisted(state, now, input, out);
      break;
    case 'arbiter-answered': {
      const done = arbiterAnswered(world, state, now, input, out);
      if (done?.purpose.for === 'formation') formed(world, state, now, 'all-present', out);
      break;
    }
    case 'agent-exited':
      agentExited(world, state, now, input, out);
      break;
    case 'stalled':
      awake(world, state, now, input.forMs);
      break;
    case 'woke':
      if (now < state.dueAt && !hasLetGo && !awaitsPeers(world, state, health)) return false;
      break;
    default:
      // Most inputs are none of this stage's business.
      if (world.heard.length === 0 && !hasLetGo) return false;
  }
  for (const node of refreshPeers(world, state, health)) farewell(world, state, now, node);
  for (const beat of world.heard) hearBeat(world, state, now, beat, out);
  settle(world, state, now, health, input, out);
  return true;
}

function begin(
  world: World,
  state: MembershipState,
  now: Ms,
  input: Extract<Input, { kind: 'started' }>,
  out: Action[],
): void {
  const { quorum } = world.cluster;
  state.started = true;
  state.startedAt = now;
  state.heardAt = now;
  state.answeredAt = now;
  putOff(world, state, now);
  if (typeof quorum === 'object') state.patientUntil = now - input.hostUpMs + quorum.startWaitMs;
  restore(world, state, now, input, out);
}

/** Silence during the own stall is evidence against nobody; the own lease and ages run on. */
function awake(world: World, state: MembershipState, now: Ms, forMs: Ms): void {
  state.electAt = Math.max(state.electAt, now + world.cluster.timing.heartbeatMs);
  const { post } = state;
  if (post.role !== 'coordinator') return;
  for (const status of Object.values(post.answered)) status.at = Math.min(now, status.at + forMs);
}

function hearBeat(world: World, state: MembershipState, now: Ms, beat: HeardBeat, out: Action[]): void {
  hearWords(world, state, beat);
  for (const part of beat.parts) {
    if (part.kind <= PART.standing || part.kind > PART.piece) continue;
    const message = decodeMessage(part, packageNames(world));
    if (message === null) drop(state, 'dialogue-malformed');
    else hear(world, state, now, beat, message, out);
  }
}

function hear(world: World, state: MembershipState, now: Ms, beat: HeardBeat, message: Message, out: Action[]): void {
  const count = (reason: string | null): void => void (reason !== null && drop(state, reason));
  switch (message.kind) {
    case 'append':
      return hearAppend(world, state, now, beat, message, out);
    case 'answer':
      return count(hearAnswer(world, state, now, beat, message, out));
    case 'grant':
      return count(hearGrant(world, state, now, message, out));
    case 'ask':
      return hearAsk(world, state, now, beat.node, message, out);
    case 'reply':
      return hearReply(world, state, now, beat.node, message, out);
    case 'piece':
      return hearPiece(world, state, now, beat.node, message, out);
  }
}

/** Has a package gone from here since this stage's last step? */
function isLetGo(world: World, state: MembershipState): boolean {
  for (const name of state.held) if (world.jobs[name]?.held === false) return true;
  return false;
}

/** What C6b frees is to go on at once when its node is lost: its lease may have ended before. */
function awaitsPeers(world: World, state: MembershipState, health: HealthState): boolean {
  return state.post.role === 'coordinator' && !arePeersKnown(world, state, health);
}

/** Does what the state calls for. */
function settle(world: World, state: MembershipState, now: Ms, health: HealthState, input: Input, out: Action[]): void {
  retry(state, now, out);
  useGrants(state, now);
  // Peers' silence is judged only after all that had come was heard.
  const judges = input.kind === 'woke';
  if (state.kind === 'solo') goSolo(world, state, now, health, judges, out);
  else {
    formIfAll(world, state, now, out);
    spread(world, state, now);
    tally(world, state, now, out);
    if (judges) standIfDue(world, state, now);
    tally(world, state, now, out);
  }
  if (state.post.role === 'coordinator') coordinate(world, state, state.post, now, out);
  fence(world, state, now, judges, out);
  consultArbiter(world, state, now, out);
  answer(world, state, now);
  flush(world, state, health, now, out);
  speakWords(world, state, health);
  report(world, state, now, out);
  plan(world, state, now, judges);
}

/** What is due but waits for a wake-up to be judged (`judged` false) is due now. */
function plan(world: World, state: MembershipState, now: Ms, judged: boolean): void {
  const { post } = state;
  const moments = [state.retryAt, ...arbiterMoments(world, state), ...reportMoments(world, state)];
  if (state.durable?.document?.version.revision === 0) moments.push(state.spreadAt);
  if (post.role === 'coordinator') moments.push(...coordinatorMoments(world, state, post), freeAt(world, state, now));
  if (post.role === 'coordinator') moments.push(...fencingMoments(world, state, post, now));
  state.dueAt = Math.min(FAR, ...moments.filter((at) => at > now));
  if (post.role === 'coordinator') {
    if (!judged && awaitsJudgement(world, state, post, now)) state.dueAt = now;
    return;
  }
  const judgements = state.kind === 'solo' ? [state.electAt, aloneAt(world, state)] : [state.electAt];
  for (const at of judgements) if (at > now || !judged) state.dueAt = Math.min(state.dueAt, Math.max(at, now));
}

export function deadline(world: World, state: MembershipState): Ms {
  if (state.kind === 'off' || !state.started) return Infinity;
  // The takeover stage, which comes later in the step, has seen a package go: coordinator and placement are to know at once.
  if (isLetGo(world, state)) return state.now;
  return state.dueAt >= FAR ? Infinity : state.dueAt;
}

export function status(world: World, state: MembershipState, now: Ms): MembershipReport {
  const { alarms, decisions, dropped } = state;
  return { membership: account(world, state, now), alarms: Object.values(alarms), decisions, dropped };
}

/** N3: the packages that this node may serve now, with the epoch of their placement. Empty without a lease. */
export function mayServe(world: World, state: MembershipState, now: Ms): Record<string, Version> {
  return servable(world, state, now);
}

/** Until when this node may serve, on its own clock; null: it has no lease, or that is over. */
export function leaseEnd(world: World, state: MembershipState, now: Ms): Ms | null {
  return leaseEndOf(world, state, now);
}

/** The newest stored document, committed or not; null: none. */
export function document(state: MembershipState): Document | null {
  return state.record.document;
}

/** Whom this node takes for coordinator, as of its last step; null: none is heard. */
export function coordinator(state: MembershipState): string | null {
  return state.told.coordinator;
}

/** The committed document that may be changed now; null: this node is not coordinator, or a proposal is under way (C3, E9). */
export function changeable(world: World, state: MembershipState, now: Ms): Document | null {
  return changeableDocument(world, state, now);
}

/** When time alone may change what is told of documents, leases and releases: they are as they were until then, if nothing comes. */
export function steadyUntil(world: World, state: MembershipState, now: Ms): Ms {
  const { post } = state;
  const leaseEnd = post.role === 'coordinator' ? majorityLeaseEnd(world, state, post) : FAR;
  return Math.min(deadline(world, state), leaseEnd > now ? leaseEnd : FAR);
}

/** May that package be placed on another node than its present one (C6)? */
export function isReleased(world: World, state: MembershipState, now: Ms, name: string): boolean {
  return isFree(world, state, now, name);
}

/** C6c: an operator vouches that the node is off. A text says why that is of no use. */
export function vouchOff(world: World, state: MembershipState, now: Ms, node: string, out: Action[]): string | null {
  const refused = vouch(world, state, now, node, out);
  plan(world, state, now, false);
  return refused;
}

/** Fence agents are to open the node again, heard or not. A text says why not. */
export function openAgain(world: World, state: MembershipState, now: Ms, node: string, out: Action[]): string | null {
  const refused = open(world, state, now, node, out);
  plan(world, state, now, false);
  return refused;
}

/** The next document. A placement that C6 or C7 does not allow is left as it is, and counted. Null: nothing may be changed now. */
export function propose(
  world: World,
  state: MembershipState,
  now: Ms,
  change: DocumentChange,
  cause: string,
  out: Action[],
): Version | null {
  const version = proposeChange(world, state, now, change, cause, out);
  // This stage has had its turn in this step; the proposal goes out with the next.
  if (version !== null) state.dueAt = now;
  return version;
}

/** This node wants to stop: says so with every beat until the end. */
export function leave(_world: World, state: MembershipState): void {
  state.leaving = true;
}

/** P3: a document of a higher term with the voters that are reachable now; `dryRun`: only whether. A text says why not. */
export function force(world: World, state: MembershipState, now: Ms, dryRun: boolean, out: Action[]): string | null {
  const refusal = dryRun ? forceRefusal(world, state, now) : forceDocument(world, state, now, out);
  plan(world, state, now, false);
  return refusal;
}
