/**
 * Shuts lost nodes by fence agents, and opens them again (MEMBERSHIP C6c). Only the coordinator does, and only while it has
 * a majority; what it knows is of its term, but for the marks in the document, by which the next one begins anew.
 *
 *   begins when the node is lost (C6b) and has packages; goes through the node's agents in the order of the file;
 *   opens what `off` has shut once the node is heard and has let go of all that is not placed on it.
 */
import type { Action } from '../action.js';
import type { Input, Ms } from '../input.js';
import type { World } from '../world.js';
import { clearAlarm, raiseAlarm } from './alarm.js';
import { putForward } from './coordinator.js';
import { agentsOf } from './fence-agent.js';
import { begin, ended, indexesOf, overdueAt, placedOn, run, tell, type Case } from './fence-course.js';
import {
  bootsUntil,
  heardBeforeUntil,
  needsFence,
  turnMs,
  waitsForFence,
  wasTried,
  withMarks,
  type Fence,
} from './fence.js';
import { majorityLeaseEnd } from './post.js';
import { changeableDocument, silentAt } from './proposal.js';
import { drop, others, packageNames, type Coordinatorship, type MembershipState } from './state.js';

/** All that the state calls for. Peers' silence is judged only if `judges`. */
export function fence(world: World, state: MembershipState, now: Ms, judges: boolean, out: Action[]): void {
  const { post, fencing, record } = state;
  // Where there are no agents there is an operator's word still, and that is of one term, too.
  const isIdle = Object.keys(fencing.nodes).length === 0 && record.document?.fences === undefined;
  if (world.cluster.fenceAgents.length === 0 && isIdle) return;
  if (post.role !== 'coordinator' || fencing.term !== record.term) abandon(state, now, out);
  if (post.role !== 'coordinator') return watch(world, state, now, out);
  if (post.committed.term !== record.term) return;
  fencing.dueSince = null;
  const one: Case = { world, state, post, now, out };
  for (const node of others(world)) attend(one, node, judges);
  const document = changeableDocument(world, state, now);
  if (document !== null && now >= markAt(one)) {
    const marked = withMarks(world, state, document);
    if (marked !== document) putForward(state, post, marked, 'fencing', out);
  }
  reviewAlarms(one);
}

/** Another coordinator, or none: what runs here is ended, for the next one begins anew. */
function abandon(state: MembershipState, now: Ms, out: Action[]): void {
  const { fencing } = state;
  for (const { run } of Object.values(fencing.nodes)) if (run !== null) out.push({ kind: 'end-agent', id: run });
  fencing.nodes = {};
  fencing.term = state.record.term;
  clearAlarm(state, 'unfencing-failed', now, out);
}

/** Every node tells that one is not shut; why, the coordinator knows. */
function watch(world: World, state: MembershipState, now: Ms, out: Action[]): void {
  const { fencing, record } = state;
  const marked = Object.entries(record.document?.fences ?? {});
  const due = marked.filter(([node, { state: is }]) => is === 'due' && agentsOf(world.cluster, node).length > 0);
  fencing.dueSince = due.length === 0 ? null : (fencing.dueSince ?? now);
  if (fencing.dueSince === null) clearAlarm(state, 'fencing-failed', now, out);
  else if (now - fencing.dueSince >= 2 * world.cluster.timing.nodeTimeoutMs) {
    const names = due.map(([node]) => node).join(', ');
    const who = state.coordinator ?? 'nobody';
    raiseAlarm(
      state,
      'fencing-failed',
      `${names} not shut yet: why, baton status tells on the coordinator (${who})`,
      now,
      out,
    );
  }
}

/** A change of placements takes the marks along; alone they may wait for a heartbeat. */
function markAt({ world, state }: Case): Ms {
  const newest = Math.max(...Object.values(state.fencing.nodes).map((fence) => fence.changedAt));
  return newest + world.cluster.timing.heartbeatMs;
}

function attend(one: Case, node: string, judges: boolean): void {
  const { world, state, now } = one;
  const known = state.fencing.nodes[node];
  if (known?.phase === 'running') {
    if (now >= overdueAt(world, known)) ended(one, node, known, { how: 'timed-out' }, '');
    return;
  }
  const isDue = isNew(one, node, known) && isToBeFenced(one, node);
  if (isDue && judges) return begin(one, node, 'fence', 'node-lost', turnAt(one, node));
  if (isDue) return;
  if (known === undefined || (known.does === 'fence' && known.phase === 'done')) {
    if (isToBeOpened(one, node)) begin(one, node, 'unfence', 'heard-again', now);
  } else if (known.phase === 'done') {
    const isMarked = state.record.document?.fences?.[node] !== undefined;
    if (!isMarked && now >= bootsUntil(state, node, known)) delete state.fencing.nodes[node];
  } else if (known.does === 'fence' && !isSilent(one, node)) giveUp(one, node, known);
  else if (now >= known.dueAt) run(one, node, known);
}

/** One that was shut, had a lease since, and is lost again, is shut again; one that was opened by hand has time to boot. */
function isNew({ state, now }: Case, node: string, known: Fence | undefined): boolean {
  if (known?.does === 'fence') return known.phase === 'done' && known.isGranted;
  return now >= bootsUntil(state, node, known);
}

/** C6b's word of lost: silent for nodeTimeout, or to a new coordinator since its election. */
function isSilent({ world, state, post, now }: Case, node: string): boolean {
  return state.peers[node]?.health !== 'left' && now >= silentAt(world, state, post, node);
}

function isToBeFenced(one: Case, node: string): boolean {
  const { world, state, post, now } = one;
  if (agentsOf(world.cluster, node).length === 0 || !isSilent(one, node)) return false;
  if (now >= majorityLeaseEnd(world, state, post)) return false;
  const placed = placedOn(one, node);
  const health = state.peers[node]?.health ?? 'unheard';
  // One that beats but does not answer, or was never heard, is shut only where nothing else lets its packages go.
  if (health === 'alive' || health === 'unheard') return placed.some((each) => needsFence(world, state, each));
  return placed.length > 0 || state.kind === 'solo' || state.record.document?.fences?.[node]?.state === 'due';
}

/** One that made itself coordinator has waited for its turn already. */
function turnAt({ world, state, now }: Case, node: string): Ms {
  const turn = turnMs(world, state, node);
  const silentSince = (state.peers[node]?.heardAt ?? now) + world.cluster.timing.nodeTimeoutMs;
  return turn === 0 ? now : Math.max(now, silentSince + turn);
}

/** It is heard again, answers, and has let go of all that is not placed on it. */
function isBack(one: Case, node: string): boolean {
  const { world, state, now } = one;
  const { health, standing } = state.peers[node] ?? {};
  const fence = state.fencing.nodes[node];
  if (fence !== undefined && now < heardBeforeUntil(world, fence)) return false;
  if (health !== 'alive' || !standing || isSilent(one, node)) return false;
  const placed = placedOn(one, node).map(({ name }) => name);
  return packageNames(world).every((name) => standing.jobs[name]?.held === false || placed.includes(name));
}

function isToBeOpened(one: Case, node: string): boolean {
  const { world, state } = one;
  const mark = state.record.document?.fences?.[node];
  if (mark === undefined || !isBack(one, node)) return false;
  const by = mark.by === undefined ? undefined : world.cluster.fenceAgents[mark.by];
  return by?.action !== 'off' || by.unfence === 'heard';
}

/** It is heard again before an agent had success. What failed may have shut it all the same: by its mark it is opened. */
function giveUp(one: Case, node: string, fence: Fence): void {
  const { state } = one;
  if (wasTried(fence) && state.record.document?.fences?.[node] === undefined) return;
  tell(one, node, fence, 'given-up', `${node} is heard again and not shut`, {});
  delete state.fencing.nodes[node];
}

/** A program has ended. */
export function agentExited(
  world: World,
  state: MembershipState,
  now: Ms,
  { id, outcome, output }: Extract<Input, { kind: 'agent-exited' }>,
  out: Action[],
): void {
  const { post } = state;
  const found = Object.entries(state.fencing.nodes).find(([, { run }]) => run === id);
  // Of a coordinatorship that is over.
  if (found === undefined || post.role !== 'coordinator') return drop(state, 'agent-unknown');
  ended({ world, state, post, now, out }, found[0], found[1], outcome, output);
}

function reviewAlarms({ world, state, now, out }: Case): void {
  const failing = (does: Fence['does']): [string, Fence][] =>
    Object.entries(state.fencing.nodes).filter(
      ([, fence]) => fence.does === does && fence.failures > 0 && fence.phase !== 'done',
    );
  const shut = failing('fence').map(([node, { text }]) => {
    const placements = state.record.document?.placements ?? {};
    const waiting = packageNames(world).filter(
      (name) => placements[name]?.node === node && waitsForFence(world, state, name, node),
    );
    const hint = `only if ${node} is surely off: baton node fenced ${node}`;
    return `${node} is not shut: ${text}${waiting.length > 0 ? `; ${waiting.join(', ')} waits; ${hint}` : ''}`;
  });
  if (shut.length > 0) raiseAlarm(state, 'fencing-failed', shut.join('; '), now, out);
  else clearAlarm(state, 'fencing-failed', now, out);
  const open = failing('unfence').map(([node, { text }]) => `${node} is not opened again: ${text}`);
  if (open.length > 0) raiseAlarm(state, 'unfencing-failed', open.join('; '), now, out);
  else clearAlarm(state, 'unfencing-failed', now, out);
}

/** Is a node to be shut as soon as its silence may be judged? */
export function awaitsJudgement(world: World, state: MembershipState, post: Coordinatorship, now: Ms): boolean {
  if (world.cluster.fenceAgents.length === 0 || post.committed.term !== state.record.term) return false;
  const one: Case = { world, state, post, now, out: [] };
  return others(world).some((node) => isNew(one, node, state.fencing.nodes[node]) && isToBeFenced(one, node));
}

/** When something of this is due by the clock alone. */
export function fencingMoments(world: World, state: MembershipState, post: Coordinatorship, now: Ms): Ms[] {
  if (world.cluster.fenceAgents.length === 0 || state.fencing.term !== state.record.term) return [];
  const one: Case = { world, state, post, now, out: [] };
  return others(world).flatMap((node) => {
    const fence = state.fencing.nodes[node];
    if (fence === undefined || fence.phase === 'done') {
      const silent = silentAt(world, state, post, node);
      if (fence === undefined) return [silent];
      const isHeard = state.peers[node]?.health === 'alive';
      return [
        silent,
        markAt(one),
        bootsUntil(state, node, fence),
        ...(isHeard ? [heardBeforeUntil(world, fence)] : []),
      ];
    }
    return [fence.phase === 'running' ? overdueAt(world, fence) : fence.dueAt];
  });
}

/** An operator vouches that the node is off, which is as good as an agent's success. A text says why not. */
export function vouch(world: World, state: MembershipState, now: Ms, node: string, out: Action[]): string | null {
  const { post } = state;
  if (post.role !== 'coordinator') return 'this node is not coordinator any more';
  const one: Case = { world, state, post, now, out };
  const { run } = state.fencing.nodes[node] ?? { run: null };
  if (run !== null) out.push({ kind: 'end-agent', id: run });
  begin(one, node, 'fence', 'operator', now + 1);
  const fence = state.fencing.nodes[node]!;
  fence.phase = 'done';
  tell(one, node, fence, 'done', `${node} is off, as an operator says`, {});
  return null;
}

/** An operator wants it open again, heard or not. A text says why not. */
export function open(world: World, state: MembershipState, now: Ms, node: string, out: Action[]): string | null {
  const { post } = state;
  if (post.role !== 'coordinator') return 'this node is not coordinator any more';
  if (indexesOf(world, node, 'unfence', true).length === 0) return `no fence agent of ${node} has shut it by off`;
  if (state.fencing.nodes[node]?.phase === 'running') return `an agent is at work on ${node}; try again in a moment`;
  begin({ world, state, post, now, out }, node, 'unfence', 'operator', now);
  return null;
}
