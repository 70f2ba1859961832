/** What status and journal say of the membership. */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { MembershipStatus } from '../status.js';
import type { World } from '../world.js';
import { clearAlarm, raiseAlarm } from './alarm.js';
import { ARBITER, showVersion, type Document } from './document.js';
import { isPatient } from './election.js';
import { fencesOf } from './fence.js';
import { missingFounders } from './formation.js';
import { leaseEndOf } from './lease.js';
import { majorityLeaseEnd } from './post.js';
import { isQuorum, isVoter, namesOf } from './quorum.js';
import { NEVER, others, selfVoter, versionOf, type ArbiterState, type MembershipState } from './state.js';

const ALONE =
  'waits for an operator: it decided alone under quorum: none; on the node that served last: baton cluster run --force';

/** Whom this node takes for coordinator; null: none is heard. */
export function presentCoordinator(world: World, state: MembershipState, now: Ms): string | null {
  if (state.post.role === 'coordinator') return world.self.name;
  const { coordinator, coordinatorHeardAt } = state;
  return now - coordinatorHeardAt < world.cluster.timing.nodeTimeoutMs ? coordinator : null;
}

/** Is there a coordinator with a majority, as far as this node knows? */
export function hasQuorum(world: World, state: MembershipState, now: Ms): boolean {
  const { post } = state;
  if (post.role === 'coordinator') return now < majorityLeaseEnd(world, state, post);
  return presentCoordinator(world, state, now) !== null && (state.append !== null || state.kind === 'solo');
}

/** What it waits for, in words; undefined: for nothing. */
export function waitingFor(world: World, state: MembershipState, now: Ms): string | undefined {
  if (state.kind === 'off' || hasQuorum(world, state, now)) return undefined;
  const { document } = state.record;
  if (state.alarms['state-not-stored'] !== undefined) return 'waits for room in the state directory';
  if (state.kind === 'solo')
    return `waits until ${others(world).join(', ')} is heard, or surely silent, and a target answers`;
  if (document === null) return waitingToForm(world, state);
  if (document.alone === true) return ALONE;
  const missing = absentVoters(state, document).filter((name) => name !== world.self.name);
  const names = missing.map(voterName).join(', ');
  const isPresent = (voter: string): boolean => !missing.includes(voter.slice(0, voter.lastIndexOf('/')));
  if (isPatient(world, state, now, document)) {
    const seconds = Math.ceil((state.patientUntil - now) / 1000);
    return `waits ${seconds} s for ${missing.filter((name) => name !== ARBITER).join(', ')} to appear`;
  }
  if (isQuorum(document.voters, isPresent)) return 'waits for the election';
  // Who is not among the voters cannot tell what they have decided since.
  if (isVoter(document.voters, selfVoter(world, state))) return `waits for ${names}`;
  return `waits for ${names}: only ${names} ${missing.length > 1 ? 'have' : 'has'} the newest document`;
}

/** As people call it. */
export function voterName(name: string): string {
  return name === ARBITER ? 'the arbiter' : name;
}

function waitingToForm(world: World, state: MembershipState): string {
  const { arbiter } = state;
  const absent = others(world).filter((name) => {
    const { health, standing } = state.peers[name] ?? {};
    return health !== 'alive' || !standing;
  });
  if (absent.length > 0) return `waits for ${absent.join(', ')}`;
  if (missingFounders(world, state).length > 0) return 'waits for a coordinator';
  if (arbiter !== null && !arbiter.missing && arbiter.seen === null) return 'waits for the arbiter';
  return 'waits for the cluster to be formed';
}

/** Voters that are not heard, or are others than the document has; of a joint document both the new and the former ones. */
function absentVoters(state: MembershipState, { voters }: Document): string[] {
  const absent = [...voters.next, ...(voters.previous ?? [])]
    .filter(({ name, storageId }) => {
      if (name === ARBITER) return state.arbiter?.seen?.record.storageId !== storageId || !isArbiterReached(state);
      const { health, standing } = state.peers[name] ?? {};
      return health !== 'alive' || standing?.storageId !== storageId;
    })
    .map(({ name }) => name);
  return [...new Set(absent)];
}

/** Its last question was answered, or is not overdue yet. */
function isArbiterReached({ arbiter }: MembershipState): boolean {
  return arbiter !== null && arbiter.missed === 0 && arbiter.answeredAt !== NEVER;
}

/** Journal lines of what has changed since the last step, and alarms that follow from the state. */
export function report(world: World, state: MembershipState, now: Ms, out: Action[]): void {
  const { told } = state;
  const { role } = state.post;
  if (role !== told.role) {
    const evidence = { term: state.record.term, version: showVersion(versionOf(state.record)) };
    const cause = role === 'coordinator' ? 'elected' : role === 'follower' ? 'follows' : 'no-coordinator';
    out.push({ kind: 'journal', entry: { at: now, event: 'role', from: told.role, to: role, cause, evidence } });
    told.role = role;
  }
  const coordinator = presentCoordinator(world, state, now);
  if (coordinator !== told.coordinator) {
    const ends = {
      ...(told.coordinator !== null && { from: told.coordinator }),
      ...(coordinator !== null && { to: coordinator }),
    };
    const cause = coordinator === null ? 'silent' : 'heard';
    const evidence = { term: state.record.term };
    out.push({ kind: 'journal', entry: { at: now, event: 'coordinator', ...ends, cause, evidence } });
    told.coordinator = coordinator;
  }
  const hasLease = leaseEndOf(world, state, now) !== null;
  if (hasLease !== told.lease) {
    const [from, to] = hasLease ? ['over', 'valid'] : ['valid', 'over'];
    const cause = hasLease ? 'granted' : 'not-renewed';
    const evidence = { end: state.lease.end, term: state.lease.term };
    out.push({ kind: 'journal', entry: { at: now, event: 'lease', from, to, cause, evidence } });
    told.lease = hasLease;
  }
  reportVoters(state, now, out);
  reviewAlarms(world, state, now, out);
}

/** A change of voters, as this node learns of it; the coordinator knows why. */
function reportVoters({ record: { document }, post, told }: MembershipState, now: Ms, out: Action[]): void {
  if (document === null || document.voters === told.voters) return;
  const from = told.voters === null ? null : votersText(told.voters);
  const to = votersText(document.voters);
  told.voters = document.voters;
  if (from === null || from === to) return;
  const cause = document.voters.previous === undefined ? 'final' : 'joint';
  const why = post.role === 'coordinator' && cause === 'joint' ? { why: whyText(post.why) } : {};
  const evidence = { version: showVersion(document.version), ...why };
  out.push({
    kind: 'journal',
    entry: { at: now, event: 'voters', from, to, cause, evidence },
  });
}

function whyText(why: Record<string, string>): string[] {
  return Object.entries(why).map(([name, cause]) => `${voterName(name)} ${cause}`);
}

function votersText({ next, previous }: Document['voters']): string {
  const names = namesOf(next).map(voterName).join(', ');
  return previous === undefined ? names : `${names} with ${namesOf(previous).map(voterName).join(', ')}`;
}

function reviewAlarms(world: World, state: MembershipState, now: Ms, out: Action[]): void {
  const { arbiter, record } = state;
  const waiting = waitingFor(world, state, now);
  if (waiting === undefined) clearAlarm(state, 'no-quorum', now, out);
  else if (now >= state.quorumMissedAt + world.cluster.timing.nodeTimeoutMs)
    raiseAlarm(state, 'no-quorum', `no coordinator with a majority: ${waiting}`, now, out);
  if (waiting === undefined) state.quorumMissedAt = now;
  if (arbiter !== null) {
    alarmOfSilence(world, state, arbiter, now, out);
    const listed = record.document?.voters.next.find(({ name }) => name === ARBITER);
    const seen = arbiter.seen?.record.storageId;
    const isLost = listed !== undefined && (arbiter.missing || (seen !== undefined && seen !== listed.storageId));
    if (!isLost) arbiter.lostSince = now;
    // Seen twice: what was read before the cluster was formed is out of date.
    if (isLost && now - arbiter.lostSince >= world.cluster.timing.nodeTimeoutMs)
      raiseAlarm(
        state,
        'arbiter-lost',
        'the arbiter lost its data: it has no vote until the coordinator has taken it in anew',
        now,
        out,
      );
    else if (!isLost && seen !== undefined) clearAlarm(state, 'arbiter-lost', now, out);
  }
  const self = record.document?.voters.next.find(({ name }) => name === world.self.name);
  if (self !== undefined && self.storageId !== record.storageId) {
    const text =
      'the state of this node was lost: it serves, but has no vote until the coordinator has taken it in anew';
    raiseAlarm(state, 'state-lost', text, now, out);
  } else clearAlarm(state, 'state-lost', now, out);
}

/** Questions came to nothing: the disk is another's, or nobody knows why. */
function alarmOfSilence(world: World, state: MembershipState, arbiter: ArbiterState, now: Ms, out: Action[]): void {
  const { missed, trouble } = arbiter;
  const isBack = missed > 0 && trouble?.why === 'stale' && arbiter.disk === null;
  const key = `/baton/${world.cluster.name}/voter`;
  const text = `the arbiter was restored from an older backup, ${trouble?.text ?? ''}: it has no vote; do: etcdctl del ${key}`;
  if (isBack) return raiseAlarm(state, 'arbiter-restored', text, now, out);
  clearAlarm(state, 'arbiter-restored', now, out);
  const isForeign = trouble?.why === 'foreign' || trouble?.why === 'unprepared';
  if (missed > 0 && isForeign) raiseAlarm(state, 'arbiter-foreign', `no arbiter there: ${trouble.text}`, now, out);
  else clearAlarm(state, 'arbiter-foreign', now, out);
  const silence = isForeign ? null : silenceOf(arbiter);
  if (silence !== null) raiseAlarm(state, 'arbiter-unreachable', silence, now, out);
  else if (missed === 0 || isForeign) clearAlarm(state, 'arbiter-unreachable', now, out);
}

/** Why nothing of it counts: three questions came to nothing, or two writes to a disk that can be read. Null: it does. */
function silenceOf({ missed, trouble, disk }: ArbiterState): string | null {
  if (missed >= 3) return trouble === null ? 'the arbiter does not answer' : `no word of the arbiter: ${trouble.text}`;
  return disk !== null && disk.lostWrites >= 2 ? `the arbiter takes no vote: ${disk.failure}` : null;
}

/** When something of this changes by time alone. */
export function reportMoments(world: World, state: MembershipState): Ms[] {
  const { nodeTimeoutMs } = world.cluster.timing;
  return [state.coordinatorHeardAt + nodeTimeoutMs, state.lease.end, state.quorumMissedAt + nodeTimeoutMs];
}

export function account(world: World, state: MembershipState, now: Ms): MembershipStatus | null {
  if (state.kind === 'off') return null;
  const { post, record, arbiter } = state;
  const end = leaseEndOf(world, state, now);
  const waiting = waitingFor(world, state, now);
  return {
    coordinator: presentCoordinator(world, state, now),
    role: post.role,
    term: record.term,
    quorum: hasQuorum(world, state, now),
    ...(waiting !== undefined && { waiting }),
    version: showVersion(versionOf(record)),
    committed: committedText(state),
    voters: namesOf(record.document?.voters.next ?? []),
    ...(record.document?.voters.previous !== undefined && { previousVoters: namesOf(record.document.voters.previous) }),
    hasVote:
      state.kind === 'solo' || (record.document !== null && isVoter(record.document.voters, selfVoter(world, state))),
    fences: fencesOf(world, state),
    leaseLeftMs: end === null ? null : end - now,
    ...(arbiter !== null && {
      arbiter: {
        reachable: isArbiterReached(state),
        agoMs: arbiter.answeredAt === NEVER ? null : now - arbiter.answeredAt,
        kind: arbiter.disk === null ? 'etcd' : 'disk',
        ...(arbiter.missed > 0 && arbiter.trouble !== null && { trouble: arbiter.trouble.text }),
      },
    }),
  };
}

function committedText({ post, lease }: MembershipState): string | null {
  const version = post.role === 'coordinator' ? post.committed : lease.committed;
  return version.term < 0 ? null : showVersion(version);
}
