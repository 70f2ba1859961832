/** What the stages after this one may know of the other nodes. */
import type { Package } from '../config/cluster.js';
import type { HealthState } from '../health/state.js';
import type { Ms } from '../input.js';
import type { PeerHealth } from '../status.js';
import type { Job, World } from '../world.js';
import { isFenced, mayGrant, waitsForFence } from './fence.js';
import { agentName, agentsOf } from './fence-agent.js';
import { isFree } from './proposal.js';
import { others, type MembershipState } from './state.js';

/** What the coordinator knows of a node, itself included. */
export interface NodeView {
  health: PeerHealth | 'unheard';
  /** Of the run of its daemon that was heard last; empty: none was. */
  incarnation: string;
  /** It says that it is about to stop: it wants to be rid of its packages. */
  leaving: boolean;
  /** A fence agent is at work on it, or was just now: it gets no lease (C4). */
  isBeingShut: boolean;
  /** Package → what it says of it. */
  jobs: Record<string, Pick<Job, 'state' | 'epoch' | 'held'>>;
}

export function view(world: World, state: MembershipState, _health: HealthState, now: Ms, node: string): NodeView {
  if (node === world.self.name) {
    const { incarnation, jobs } = world;
    return { health: 'alive', incarnation, leaving: state.leaving, isBeingShut: false, jobs };
  }
  const { health, standing, incarnation } = state.peers[node] ?? {
    health: 'unheard',
    standing: null,
    incarnation: '',
  };
  const { post } = state;
  // Nobody waits for what is surely off.
  const isOff = health !== 'left' && post.role === 'coordinator' && isFenced(world, state, post, now, node);
  const { leaving = false, jobs = {} } = standing ?? {};
  const isBeingShut = post.role === 'coordinator' && !mayGrant(world, state, now, node);
  return { health: isOff ? 'lost' : health, incarnation, leaving, isBeingShut, jobs };
}

/** For which node that is not shut yet that package waits, in words; null: for none. */
export function fenceAwaited(world: World, state: MembershipState, now: Ms, name: string): string | null {
  const node = state.record.document?.placements[name]?.node ?? null;
  if (node === null || node === world.self.name || isFree(world, state, now, name)) return null;
  const health = state.peers[node]?.health;
  if (health === 'alive' || !waitsForFence(world, state, name, node)) return null;
  return `it waits until ${node} is shut by ${agentsOf(world.cluster, node).map(agentName).join(' or ')}`;
}

/**
 * May another node serve that package, too, as far as is known here? Only where each node is its own quorum (MEMBERSHIP 8): one
 * that is not heard may, and one that says so does.
 */
export function mayBeShared(world: World, state: MembershipState, { name, nodes }: Package): boolean {
  if (state.kind !== 'solo') return false;
  return others(world).some((node) => {
    const { health, standing } = state.peers[node] ?? { health: 'unheard', standing: null };
    if (!nodes.includes(node) || health === 'left') return false;
    return health === 'lost' || standing === null || standing.jobs[name]?.held === true;
  });
}
