/** What the coordinator may change, and when a package is free to go elsewhere (MEMBERSHIP C3, C6, C7). */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { isOfOwnFile } from './cluster-file.js';
import { leaseBound, putForward } from './coordinator.js';
import { compareVersions, type Document, type Orders, type Placement, type Version } from './document.js';
import { isSynced } from './durable.js';
import { isFenced, waitsForFence, withMarks } from './fence.js';
import { majorityLeaseEnd } from './post.js';
import { drop, FAR, packageNames, type Coordinatorship, type MembershipState } from './state.js';

export interface DocumentChange {
  placements?: Record<string, Pick<Placement, 'node' | 'state'>>;
  orders?: Orders;
}

/** C3, E9: nothing is under way, a document of the own term is committed, and the majority lease runs. */
export function changeableDocument(world: World, state: MembershipState, now: Ms): Document | null {
  const { post, record } = state;
  if (post.role !== 'coordinator' || record.document === null || !isSynced(state)) return null;
  if (!isOfOwnFile(world, record.document)) return null;
  if (compareVersions(post.committed, record.document.version) !== 0) return null;
  return now < majorityLeaseEnd(world, state, post) ? record.document : null;
}

/** C6: may that package be placed on another node than its present one? */
export function isFree(world: World, state: MembershipState, now: Ms, name: string): boolean {
  const { post, record } = state;
  if (post.role !== 'coordinator' || record.document === null) return false;
  const placement = record.document.placements[name];
  if (!placement || placement.node === null) return true;
  const { node, state: ordered } = placement;
  if (node === world.self.name) return ordered === 'halt' && isSynced(state) && world.jobs[name]?.held === false;
  if ((ordered === 'halt' && hasLetGo(post, node, name)) || isFenced(world, state, post, now, node)) return true;
  return !waitsForFence(world, state, name, node) && isOver(world, state, post, now, node);
}

/** C6a: its newest answer shows the committed order on its disk, and the addresses gone. */
function hasLetGo(post: Coordinatorship, node: string, name: string): boolean {
  const status = post.answered[node];
  return status !== undefined && compareVersions(status.version, post.committed) >= 0 && !status.held.includes(name);
}

/** C6b: it is lost, and every lease that anybody granted to it is over. */
function isOver(world: World, state: MembershipState, post: Coordinatorship, now: Ms, node: string): boolean {
  return now >= Math.max(leaseBound(post, node), silentAt(world, state, post, node));
}

/** When a node counts as lost if it answers no more. */
export function silentAt(world: World, state: MembershipState, post: Coordinatorship, node: string): Ms {
  const { nodeTimeoutMs, heartbeatMs } = world.cluster.timing;
  const health = state.peers[node]?.health ?? 'unheard';
  if (health === 'left') return post.since;
  const status = post.answered[node];
  if (status !== undefined) return status.at + nodeTimeoutMs;
  return post.since + (health === 'alive' ? nodeTimeoutMs : heartbeatMs / 2);
}

/** The next moment at which C6b may free a package by time alone. */
export function freeAt(world: World, state: MembershipState, now: Ms): Ms {
  const { post, record } = state;
  if (post.role !== 'coordinator' || record.document === null) return FAR;
  const moments = Object.values(record.document.placements)
    .filter(({ node }) => node !== null && node !== world.self.name)
    .map(({ node }) => Math.max(leaseBound(post, node!), silentAt(world, state, post, node!)));
  return Math.min(FAR, ...moments.filter((at) => at > now));
}

/** A placement that C6 or C7 forbids stays as it is, and is counted. Null: nothing may be changed now, or nothing is left to change. */
export function proposeChange(
  world: World,
  state: MembershipState,
  now: Ms,
  { placements = {}, orders }: DocumentChange,
  cause: string,
  out: Action[],
): Version | null {
  const document = changeableDocument(world, state, now);
  if (document === null || state.post.role !== 'coordinator') {
    drop(state, 'proposal-untimely');
    return null;
  }
  const epoch = { term: document.version.term, revision: document.version.revision + 1 };
  const next: Document['placements'] = { ...document.placements };
  for (const [name, wanted] of Object.entries(placements)) {
    const placed = replaced(world, state, now, name, document.placements[name], wanted, epoch);
    if (placed === null) drop(state, 'placement-not-free');
    else next[name] = placed;
  }
  const content = withMarks(world, state, { ...document, placements: next, orders: orders ?? document.orders });
  if (JSON.stringify(content) === JSON.stringify(document)) return null;
  return putForward(state, state.post, content, cause, out);
}

/** Null: not allowed. */
function replaced(
  world: World,
  state: MembershipState,
  now: Ms,
  name: string,
  present: Placement | undefined,
  { node, state: ordered }: Pick<Placement, 'node' | 'state'>,
  epoch: Version,
): Placement | null {
  if (!packageNames(world).includes(name)) return null;
  if (node !== null && !world.cluster.nodes.some((it) => it.name === node)) return null;
  if (present?.node === node && present.state === ordered) return present;
  // C7: the halt keeps the epoch, so that the holder knows what it is to let go of.
  if (present !== undefined && present.node === node && ordered === 'halt') return { ...present, state: 'halt' };
  if (present?.node === node || isFree(world, state, now, name)) return { node, epoch, state: ordered };
  return null;
}
