/**
 * Who votes (MEMBERSHIP V1 to V4). Only the coordinator changes the voters, in one step of joint consensus:
 *
 *   {a b c d} ──d is lost, 0.8 s──▶ next {a b c}, previous {a b c d} ──committed by both──▶ {a b c}
 *
 * A lost disk, or an arbiter that was made anew, is another voter of the same name (V4): the old one goes, the new one comes.
 */
import type { Action } from '../action.js';
import { record } from '../health/account.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { putForward } from './coordinator.js';
import { ARBITER, compareVersions, type Document, type Voter } from './document.js';
import { changeableDocument } from './proposal.js';
import { namesOf } from './quorum.js';
import { selfVoter, voterKey, type Coordinatorship, type MembershipState } from './state.js';

/** V2: so long the wanted voters must have been the same. */
const SETTLED_MS = 800;
/** V2: a coordinator is to have heard everybody: so much older than nodeTimeout it is before it changes the voters. */
const BEYOND_TIMEOUT_MS = 300;
/** Without an arbiter fewer are no gain: of two voters both are needed. */
const LEAST = 3;

/** The arbiter last. */
function byName(a: Voter, b: Voter): number {
  if (a.name === ARBITER || b.name === ARBITER) return a.name === ARBITER ? 1 : -1;
  return a.name < b.name ? -1 : 1;
}

/** Nodes that may vote: of the cluster file, and not removed by an operator. */
function entitled({ cluster }: World, { orders }: Pick<Document, 'orders'>): string[] {
  return cluster.nodes.map(({ name }) => name).filter((name) => !orders.removedNodes.includes(name));
}

/** Nodes that answer this coordinator, with the storage ids that they report. */
function answering(world: World, state: MembershipState, post: Coordinatorship, now: Ms): Voter[] {
  const { nodeTimeoutMs } = world.cluster.timing;
  const nodes = Object.entries(post.answered).flatMap(([name, { at, storageId }]) => {
    const isThere = now - at < nodeTimeoutMs && state.peers[name]?.health !== 'left';
    return isThere ? [{ name, storageId }] : [];
  });
  return [selfVoter(world, state), ...nodes];
}

/** The arbiter as a voter: as this coordinator has seen it, else as the document has it, else as it was last seen; null: never. */
function knownArbiter(
  { arbiter }: MembershipState,
  { since }: Coordinatorship,
  present: readonly Voter[],
): Voter | null {
  const listed = present.find(({ name }) => name === ARBITER) ?? null;
  if (arbiter === null || arbiter.storageId === null) return listed;
  const seen = { name: ARBITER, storageId: arbiter.storageId };
  return arbiter.answeredAt >= since ? seen : (listed ?? seen);
}

/** V1. Null: as they are. */
export function wantedVoters(world: World, state: MembershipState, post: Coordinatorship, now: Ms): Voter[] | null {
  const { document } = state.record;
  const { quorum } = world.cluster;
  if (document === null) return null;
  const present = document.voters.next;
  const names = entitled(world, document);
  const wanted = answering(world, state, post, now).filter(({ name }) => names.includes(name));
  // One at most, and always the same, so that the wanted voters do not change while nothing else does.
  const lost = present.filter(({ name }) => names.includes(name) && !namesOf(wanted).includes(name)).sort(byName);
  const isEven = (): boolean => wanted.length % 2 === 0;
  if (typeof quorum === 'object' && quorum.arbiter !== undefined) {
    if (!isEven() && quorum.onArbiterLoss === 'surrender') wanted.push(...lost.slice(0, 1));
    if (!isEven()) return wanted;
    const arbiter = knownArbiter(state, post, present);
    return arbiter === null || wanted.length === 0 ? null : [...wanted, arbiter];
  }
  if (isEven() && wanted.length < names.length) wanted.push(...lost.slice(0, 1));
  return wanted.length < Math.min(LEAST, names.length) ? null : wanted;
}

function keysOf(voters: readonly Voter[]): string {
  return voters.map(voterKey).sort().join(' ');
}

/** V2: once a heartbeat. */
export function reviewVoters(
  world: World,
  state: MembershipState,
  post: Coordinatorship,
  now: Ms,
  out: Action[],
): void {
  const { document } = state.record;
  if (state.kind !== 'voting' || document === null || document.voters.previous !== undefined) return;
  const { next } = document.voters;
  const wanted = wantedVoters(world, state, post, now) ?? next;
  const key = keysOf(wanted);
  if (key !== post.wanted) {
    post.wanted = key;
    post.wantedSince = now;
  }
  const isDue =
    key !== keysOf(next) && now >= changeAt(world, post) && !wanted.some(({ name }) => isSuspect(state, name));
  if (!isDue || changeableDocument(world, state, now) === null || !haveDocument(world, post, next, wanted)) return;
  const voters = { next: [...wanted].sort(byName), previous: next };
  post.why = reasons(world, state, post, document, wanted);
  decide(state, now, post.why, voters, out);
  putForward(state, post, { ...document, voters }, 'voters-differ', out);
}

/** One that may be dying is no ground to stand on: within nodeTimeout it is heard again, or wanted no more. */
function isSuspect({ peers }: MembershipState, name: string): boolean {
  return peers[name]?.health === 'suspect';
}

function changeAt(world: World, { since, wantedSince }: Coordinatorship): Ms {
  return Math.max(wantedSince + SETTLED_MS, since + world.cluster.timing.nodeTimeoutMs + BEYOND_TIMEOUT_MS);
}

/** Has every node that is to become a voter stored what is committed? One that cannot store would only hold up the others. */
function haveDocument(
  world: World,
  { answered, committed }: Coordinatorship,
  present: readonly Voter[],
  wanted: readonly Voter[],
): boolean {
  const known = present.map(voterKey);
  return wanted.every((voter) => {
    if (voter.name === ARBITER || voter.name === world.self.name || known.includes(voterKey(voter))) return true;
    const answer = answered[voter.name];
    return answer !== undefined && compareVersions(answer.version, committed) >= 0;
  });
}

/** V3: both majorities have the joint document, so the new voters go on alone; no matter who put it forward. */
export function finishVoters(
  world: World,
  state: MembershipState,
  post: Coordinatorship,
  now: Ms,
  out: Action[],
): void {
  const { document } = state.record;
  if (document?.voters.previous === undefined || changeableDocument(world, state, now) === null) return;
  putForward(state, post, { ...document, voters: { next: document.voters.next } }, 'voters-joint', out);
}

/** Name → why its vote comes or goes. */
function reasons(
  world: World,
  state: MembershipState,
  { answered }: Coordinatorship,
  { voters: { next }, orders }: Document,
  wanted: readonly Voter[],
): Record<string, string> {
  const why: Record<string, string> = {};
  for (const voter of wanted) {
    if (next.some((it) => voterKey(it) === voterKey(voter))) continue;
    if (namesOf(next).includes(voter.name)) why[voter.name] = 'has other storage than before';
    else why[voter.name] = voter.name === ARBITER ? 'makes the number odd' : 'answers';
  }
  for (const { name } of next) {
    if (namesOf(wanted).includes(name)) continue;
    if (name === ARBITER) why[name] = 'the number is odd without it';
    else if (orders.removedNodes.includes(name)) why[name] = 'was removed';
    else if (!entitled(world, { orders }).includes(name)) why[name] = 'is not in the cluster file';
    else if (state.peers[name]?.health === 'left') why[name] = 'has left';
    else why[name] = answered[name] === undefined ? 'was not heard' : 'is silent';
  }
  return why;
}

/** For `why`. */
function decide(
  state: MembershipState,
  now: Ms,
  why: Record<string, string>,
  { next, previous }: Required<Document['voters']>,
  out: Action[],
): void {
  for (const [name, cause] of Object.entries(why)) {
    const text = namesOf(next).includes(name) ? 'gets a vote' : 'has no vote any more';
    const evidence = { voters: namesOf(next), before: namesOf(previous) };
    record({ state, now, out }, name === ARBITER ? 'arbiter' : name, text, cause, evidence);
  }
}
