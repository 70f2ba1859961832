/**
 * Shuts lost nodes by fence agents, and opens them again (MEMBERSHIP C6c). Only the coordinator does, and only while it has
 * a majority; what it knows is of its term, but for the marks in the document, by which the next one begins anew.
 *
 *   begins when the node is lost (C6b) and has packages; goes through the node's agents in the order of the file;
 *   opens what `off` has shut once the node is heard and has let go of all that is not placed on it.
 */
import type { Action } from '../action.js';
import { journal, record } from '../health/account.js';
import type { AgentOutcome, Input, Ms } from '../input.js';
import type { World } from '../world.js';
import { clearAlarm, raiseAlarm } from './alarm.js';
import { putForward } from './coordinator.js';
import { agentName, agentsOf, runOf } from './fence-agent.js';
import { needsFence, turnMs, waitsForFence, wasTried, withMarks, type Fence } from './fence.js';
import { majorityLeaseEnd } from './post.js';
import { changeableDocument, silentAt } from './proposal.js';
import { drop, others, packageNames, type Coordinatorship, type MembershipState } from './state.js';

/** After the first round in which every agent failed; twice as long after each further one. */
const RETRY_MS: Ms = 2000;
const RETRY_MAX_MS: Ms = 60_000;
/** Whoever runs programs ends them in time; a word of it that never comes must not hold up everything. */
const OVERDUE_MS: Ms = 2000;

interface Case {
  world: World;
  state: MembershipState;
  post: Coordinatorship;
  now: Ms;
  out: Action[];
}

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
    const marked = withMarks(state, document);
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
    const limitMs = (world.cluster.fenceAgents[known.agents[known.at]!]?.timeoutMs ?? 0) + OVERDUE_MS;
    if (now >= known.begunAt + limitMs) ended(one, node, known, { how: 'timed-out' }, '');
    return;
  }
  const isDue = isNew(known) && isToBeFenced(one, node);
  if (isDue && judges) return begin(one, node, 'fence', 'node-lost', turnAt(one, node));
  if (isDue) return;
  if (known === undefined || (known.does === 'fence' && known.phase === 'done')) {
    if (isToBeOpened(one, node)) begin(one, node, 'unfence', 'heard-again', now);
  } else if (known.phase === 'done') {
    if (one.state.record.document?.fences?.[node] === undefined) delete state.fencing.nodes[node];
  } else if (known.does === 'fence' && !isSilent(one, node)) giveUp(one, node, known);
  else if (now >= known.dueAt) run(one, node, known);
}

/** One that was shut, had a lease since, and is lost again, is shut again. */
function isNew(known: Fence | undefined): boolean {
  return known?.does !== 'fence' || (known.phase === 'done' && known.isGranted);
}

/** C6b's word of lost: silent for nodeTimeout, or to a new coordinator since its election. */
function isSilent({ world, state, post, now }: Case, node: string): boolean {
  return state.peers[node]?.health !== 'left' && now >= silentAt(world, state, post, node);
}

function placedOn({ world, state }: Case, node: string) {
  const placements = state.record.document?.placements ?? {};
  return world.cluster.packages.filter(({ name }) => placements[name]?.node === node);
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
  const { world, state } = one;
  const { health, standing } = state.peers[node] ?? {};
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

function indexesOf({ cluster }: World, node: string, does: Fence['does'], byOperator: boolean): number[] {
  const all = cluster.fenceAgents.flatMap((agent, i) => (agent.nodes.includes(node) ? [i] : []));
  if (does === 'fence') return all;
  // What was rebooted was never shut.
  return all.filter((i) => {
    const { action, unfence } = cluster.fenceAgents[i]!;
    return action === 'off' && (byOperator || unfence === 'heard');
  });
}

function begin(one: Case, node: string, does: Fence['does'], cause: Fence['cause'], dueAt: Ms): void {
  const { world, state, now } = one;
  const agents = indexesOf(world, node, does, cause === 'operator');
  const by = does === 'unfence' ? (state.record.document?.fences?.[node]?.by ?? null) : null;
  const fence: Fence = {
    does,
    cause,
    since: now,
    phase: agents.length === 0 ? 'done' : 'waiting',
    dueAt,
    at: 0,
    agents,
    run: null,
    begunAt: now,
    changedAt: now,
    failures: 0,
    text: '',
    by,
    isGranted: false,
  };
  state.fencing.term = state.record.term;
  state.fencing.nodes[node] = fence;
  tell(one, node, fence, 'begun', `${node} ${does === 'fence' ? 'is to be shut' : 'is to be opened again'}`, {
    agents: agents.map((i) => agentName(world.cluster.fenceAgents[i]!)),
    ...(dueAt > now && { afterMs: dueAt - now }),
  });
  if (fence.phase === 'waiting' && now >= dueAt) run(one, node, fence);
}

function run({ world, state, now, out }: Case, node: string, fence: Fence): void {
  const { fencing } = state;
  const agent = world.cluster.fenceAgents[fence.agents[fence.at]!]!;
  const id = `fence ${++fencing.runs}`;
  fence.phase = 'running';
  fence.run = id;
  fence.begunAt = now;
  fence.changedAt = now;
  fence.isGranted = false;
  const words = runOf(world.cluster, agent, fence.does === 'fence' ? agent.action : 'on', node);
  out.push({ kind: 'run-agent', id, ...words });
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

function ended(one: Case, node: string, fence: Fence, outcome: AgentOutcome, output: string): void {
  const { world, now } = one;
  const index = fence.agents[fence.at]!;
  const agent = world.cluster.fenceAgents[index]!;
  const isDone = outcome.how === 'exited' && outcome.code === 0;
  const evidence = {
    agent: agentName(agent),
    ...outcome,
    ...(output !== '' && { output }),
    tookMs: now - fence.begunAt,
  };
  fence.run = null;
  fence.changedAt = now;
  if (!isDone) fence.text = `${agentName(agent)} ${outcomeText(outcome)}${lastLine(output)}`;
  if (isDone && fence.does === 'fence') {
    fence.phase = 'done';
    fence.by = index;
    return tell(one, node, fence, 'done', `${node} is shut by ${agentName(agent)}`, evidence);
  }
  if (!isDone) tell(one, node, fence, 'failed', `${node}: ${fence.text}`, evidence);
  // Opening: each agent has its turn, and the one that shut the node must succeed.
  const isFatal = fence.does === 'fence' || index === fence.by;
  if (!isDone && fence.does === 'unfence' && isFatal) return rest(fence, now);
  fence.at++;
  fence.phase = 'waiting';
  fence.dueAt = now;
  if (fence.at < fence.agents.length) return;
  if (fence.does === 'fence') return rest(fence, now);
  fence.phase = 'done';
  tell(one, node, fence, 'done', `${node} is open again`, evidence);
}

function rest(fence: Fence, now: Ms): void {
  fence.failures++;
  fence.at = 0;
  fence.phase = 'failed';
  fence.dueAt = now + Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (fence.failures - 1));
}

function outcomeText(outcome: AgentOutcome): string {
  switch (outcome.how) {
    case 'exited':
      return `ended with exit code ${outcome.code}`;
    case 'killed':
      return `was killed (${outcome.signal})`;
    case 'timed-out':
      return 'did not end in time';
    case 'ended':
      return 'was ended';
    case 'refused':
      return `was not run: ${outcome.text}`;
  }
}

function lastLine(output: string): string {
  const line = output.trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : `: ${line.slice(0, 200)}`;
}

/** One line of the journal, and one for `why` of the node and of the packages that wait for it. */
function tell(
  one: Case,
  node: string,
  { does, cause }: Fence,
  to: 'begun' | 'done' | 'failed' | 'given-up',
  text: string,
  evidence: Record<string, unknown>,
): void {
  journal(one, { event: does === 'fence' ? 'fencing' : 'unfencing', peer: node, to, cause, evidence });
  for (const subject of [node, ...placedOn(one, node).map(({ name }) => name)])
    record(one, subject, text, cause, evidence);
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
  return others(world).some((node) => isNew(state.fencing.nodes[node]) && isToBeFenced(one, node));
}

/** When something of this is due by the clock alone. */
export function fencingMoments(world: World, state: MembershipState, post: Coordinatorship, now: Ms): Ms[] {
  if (world.cluster.fenceAgents.length === 0 || state.fencing.term !== state.record.term) return [];
  const one: Case = { world, state, post, now, out: [] };
  return others(world).flatMap((node) => {
    const fence = state.fencing.nodes[node];
    if (fence === undefined || fence.phase === 'done') {
      return [silentAt(world, state, post, node), ...(fence === undefined ? [] : [markAt(one)])];
    }
    if (fence.phase !== 'running') return [fence.dueAt];
    const { timeoutMs } = world.cluster.fenceAgents[fence.agents[fence.at]!]!;
    return [fence.begunAt + timeoutMs + OVERDUE_MS];
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
