/**
 * What the coordinator knows of nodes that it shuts, and what follows from it for grants and packages (MEMBERSHIP C6c).
 *
 *   lost ──▶ waiting ──▶ running ──success──▶ done ──heard, has let go──▶ unfence: running ──▶ done
 *               ▲           │ every agent failed
 *               └─back-off──┘
 */
import type { Package } from '../config/cluster.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import type { Document, FenceMark } from './document.js';
import type { MembershipStatus } from '../status.js';
import { agentName, agentsOf } from './fence-agent.js';
import type { Coordinatorship, MembershipState } from './state.js';

export interface Fence {
  does: 'fence' | 'unfence';
  /** The named cause of the journal. */
  cause: 'node-lost' | 'heard-again' | 'operator';
  since: Ms;
  phase: 'waiting' | 'running' | 'failed' | 'done';
  /** Of `waiting` and `failed`: when an agent is run next. */
  dueAt: Ms;
  /** Which of the node's agents is at work, or is tried next: index among those of `agents`. */
  at: number;
  /** Indexes among the cluster file's agents, in the order in which they are run. */
  agents: number[];
  /** Of the run: its id, and when it began (C6c: no grant since). */
  run: string | null;
  begunAt: Ms;
  /** When the phase last changed. */
  changedAt: Ms;
  /** Rounds in which every agent failed. */
  failures: number;
  /** What went wrong last. */
  text: string;
  /** Index of the agent that did it; null: none yet, or an operator vouches. */
  by: number | null;
  /** A lease was granted to the node after that: C6c holds no more. */
  isGranted: boolean;
}

/** Plain data, and of one term: the next coordinator begins anew. */
export interface Fencing {
  term: number;
  /** Programs that were run, for their ids. */
  runs: number;
  nodes: Record<string, Fence>;
  /** Of a node that does not coordinate: since when the document has a node that is to be shut and is not; null: none. */
  dueSince: Ms | null;
}

export function noFencing(): Fencing {
  return { term: -1, runs: 0, nodes: {}, dueSince: null };
}

/**
 * Until then what is heard of a node that was shut may be from before: it would seem to be back, and lost again at once,
 * to be shut again while it boots.
 */
export function heardBeforeUntil({ cluster }: World, { changedAt }: Fence): Ms {
  return changedAt + cluster.timing.nodeTimeoutMs;
}

/** A server boots within that time: firmware, memory test, the system. */
const BOOTS_WITHIN_MS: Ms = 300_000;

/**
 * Until then a node that an operator opened, and that is not heard yet, may be booting: it was shut with success, and its
 * silence is the old one. Zero: it was heard, or nobody opened it.
 */
export function bootsUntil({ peers }: MembershipState, node: string, fence: Fence | undefined): Ms {
  if (fence?.does !== 'unfence' || fence.cause !== 'operator') return 0;
  return (peers[node]?.heardAt ?? 0) > fence.since ? 0 : fence.changedAt + BOOTS_WITHIN_MS;
}

/** C4, C6c: a node that is being shut gets no lease. */
export function mayGrant(world: World, { fencing }: MembershipState, now: Ms, node: string): boolean {
  const fence = fencing.nodes[node];
  if (fence?.does !== 'fence') return true;
  if (fence.phase === 'running') return false;
  return fence.phase !== 'done' || now >= heardBeforeUntil(world, fence);
}

/** C6c: a lease takes the success back. */
export function noteGrant({ fencing }: MembershipState, node: string): void {
  const fence = fencing.nodes[node];
  if (fence?.does === 'fence') fence.isGranted = true;
}

/** C6c: shut with success, begun after the last grant, and none since. */
export function isFenced(world: World, state: MembershipState, post: Coordinatorship, now: Ms, node: string): boolean {
  const fence = state.fencing.nodes[node];
  if (fence?.does !== 'fence' || fence.phase !== 'done' || fence.isGranted) return false;
  // One that is off can take no lease from an older coordinator; one that was rebooted could, until that has no majority any more.
  const isOff = fence.by === null || world.cluster.fenceAgents[fence.by]?.action !== 'reboot';
  return isOff || now >= post.oldLeasesEnd;
}

/** Does the gate keep all of that package from answering on a node without a lease? With quorum none each node leases to itself. */
function isGated({ cluster }: World, { kind }: MembershipState, { resources }: Package): boolean {
  return kind === 'voting' && cluster.fence === 'gate' && resources.every((one) => one.kind === 'address');
}

/** A MAC in two places confuses switches though no address answers: the gate does not hold it back. */
function hasMac({ resources }: Package): boolean {
  return resources.some((one) => one.kind === 'address' && one.mac !== undefined);
}

/** Packages that do not leave a lost node before it is shut, where there are agents for it. */
export function needsFence(world: World, state: MembershipState, candidate: Package): boolean {
  return hasMac(candidate) || !isGated(world, state, candidate);
}

/** Must that package wait until the node is shut? Where the gate protects it, one round of failures is enough. */
export function waitsForFence(world: World, state: MembershipState, name: string, node: string): boolean {
  const candidate = world.cluster.packages.find((one) => one.name === name);
  if (candidate === undefined || state.peers[node]?.health === 'left') return false;
  if (agentsOf(world.cluster, node).length === 0 || !needsFence(world, state, candidate)) return false;
  const fence = state.fencing.nodes[node];
  return !(isGated(world, state, candidate) && fence?.does === 'fence' && fence.failures > 0);
}

/** For the status: what the coordinator does, else what the document says. */
export function fencesOf({ cluster }: World, { fencing, record }: MembershipState): MembershipStatus['fences'] {
  const marked = record.document?.fences ?? {};
  const known = Object.keys(fencing.nodes).filter((node) => !isOpen(fencing.nodes[node]!));
  const nodes = [...new Set([...Object.keys(marked), ...known])].sort();
  return nodes.map((node) => {
    const fence = fencing.nodes[node];
    const mark = marked[node];
    const index = fence?.phase === 'running' ? fence.agents[fence.at] : (fence?.by ?? mark?.by);
    const agent = index === undefined ? undefined : cluster.fenceAgents[index];
    const text = fence !== undefined && fence.phase !== 'done' && fence.text !== '' ? fence.text : undefined;
    return {
      node,
      state: stateOf(fence, mark),
      ...(agent !== undefined && { agent: agentName(agent) }),
      ...(text !== undefined && { text }),
    };
  });
}

function isOpen({ does, phase }: Fence): boolean {
  return does === 'unfence' && phase === 'done';
}

function stateOf(fence: Fence | undefined, mark: FenceMark | undefined): MembershipStatus['fences'][number]['state'] {
  if (fence === undefined) return mark?.state === 'done' ? 'shut' : 'due';
  if (fence.does === 'unfence') return 'opening';
  switch (fence.phase) {
    case 'waiting':
      return 'due';
    case 'running':
      return 'under-way';
    case 'failed':
      return 'failed';
    case 'done':
      return 'shut';
  }
}

/** Has an agent been at work, so that it may have done something? */
export function wasTried({ run, text, phase }: Fence): boolean {
  return run !== null || text !== '' || phase === 'done';
}

/** Quorum none: so long the second of two waits, for the first to shut it. */
const SECOND_MS: Ms = 5000;

/**
 * Quorum none: each of two that are cut from each other would shut the other. The one that runs more goes first, then the
 * one that comes first in the file; the second does not even make itself coordinator before.
 */
export function turnMs({ cluster, self }: World, { kind, record }: MembershipState, node: string): Ms {
  if (kind !== 'solo' || agentsOf(cluster, node).length === 0) return 0;
  const placed = Object.values(record.document?.placements ?? {});
  const [mine, its] = [self.name, node].map((name) => placed.filter((one) => one.node === name).length) as [
    number,
    number,
  ];
  const names = cluster.nodes.map(({ name }) => name);
  const isFirst = mine === its ? names.indexOf(self.name) < names.indexOf(node) : mine > its;
  return isFirst ? 0 : SECOND_MS;
}

/** What the document is to say of nodes that were shut, or are to be, so that the next coordinator knows. */
function marks({ self }: World, { fencing }: MembershipState, present: Document['fences']): Document['fences'] {
  const marked: Record<string, FenceMark> = { ...present };
  // A former coordinator had begun; nobody shuts the one that coordinates.
  if (marked[self.name]?.state === 'due') delete marked[self.name];
  for (const [node, fence] of Object.entries(fencing.nodes)) {
    if (fence.does === 'fence') {
      if (!wasTried(fence)) continue;
      const by = fence.by === null ? {} : { by: fence.by };
      marked[node] = fence.phase === 'done' ? { state: 'done', ...by } : { state: 'due' };
    } else if (isOpen(fence)) delete marked[node];
  }
  return Object.keys(marked).length > 0 ? marked : undefined;
}

/** The document with the marks as they should be. */
export function withMarks<T extends Pick<Document, 'fences'>>(world: World, state: MembershipState, document: T): T {
  const { fences, ...rest } = document;
  const wanted = marks(world, state, fences);
  if (JSON.stringify(wanted) === JSON.stringify(fences)) return document;
  return (wanted === undefined ? rest : { ...rest, fences: wanted }) as T;
}
