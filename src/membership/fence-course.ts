/** The course of one fencing or opening of a node: its agents in the order of the file, one at a time (MEMBERSHIP C6c). */
import type { Action } from '../action.js';
import { journal, record } from '../health/account.js';
import type { AgentOutcome, Ms } from '../input.js';
import type { World } from '../world.js';
import { agentName, runOf } from './fence-agent.js';
import type { Fence } from './fence.js';
import type { Coordinatorship, MembershipState } from './state.js';

/** After the first round in which every agent failed; twice as long after each further one. */
const RETRY_MS: Ms = 2000;
const RETRY_MAX_MS: Ms = 60_000;
/** Whoever runs programs ends them in time; a word of it that never comes must not hold up everything. */
const OVERDUE_MS: Ms = 2000;

export interface Case {
  world: World;
  state: MembershipState;
  post: Coordinatorship;
  now: Ms;
  out: Action[];
}

export function placedOn({ world, state }: Case, node: string) {
  const placements = state.record.document?.placements ?? {};
  return world.cluster.packages.filter(({ name }) => placements[name]?.node === node);
}

export function indexesOf({ cluster }: World, node: string, does: Fence['does'], byOperator: boolean): number[] {
  const all = cluster.fenceAgents.flatMap((agent, i) => (agent.nodes.includes(node) ? [i] : []));
  if (does === 'fence') return all;
  // What was rebooted was never shut.
  return all.filter((i) => {
    const { action, unfence } = cluster.fenceAgents[i]!;
    return action === 'off' && (byOperator || unfence === 'heard');
  });
}

export function begin(one: Case, node: string, does: Fence['does'], cause: Fence['cause'], dueAt: Ms): void {
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

export function run({ world, state, now, out }: Case, node: string, fence: Fence): void {
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

export function ended(one: Case, node: string, fence: Fence, outcome: AgentOutcome, output: string): void {
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
export function tell(
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

/** From when on an agent at work counts as one that did not end in time. */
export function overdueAt({ cluster }: World, { agents, at, begunAt }: Fence): Ms {
  return begunAt + (cluster.fenceAgents[agents[at]!]?.timeoutMs ?? 0) + OVERDUE_MS;
}
