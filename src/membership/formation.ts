/** How a cluster begins, and how an operator makes it run without its majority (MEMBERSHIP P3). */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { arbiterVoter, createArbiter } from './arbiter.js';
import { ownFile } from './cluster-file.js';
import {
  ARBITER,
  compareVersions,
  showVersion,
  type Document,
  type Orders,
  type Version,
  type Voter,
} from './document.js';
import { adopt, isSynced } from './durable.js';
import { becomeFollower, majorityLeaseEnd } from './post.js';
import { isQuorum } from './quorum.js';
import { enclose } from './speech.js';
import { NEVER, others, packageNames, selfVoter, versionOf, voterKey, type MembershipState } from './state.js';

const NO_ORDERS: Orders = { clusterHalted: false, haltedNodes: [], removedNodes: [], packages: {} };

/** Nodes that must be there and are not, or are no longer blank: nothing is formed without them. */
export function missingFounders(world: World, state: MembershipState): string[] {
  return others(world).filter((node) => {
    const { health, standing } = state.peers[node] ?? {};
    return health !== 'alive' || !standing || standing.version.term >= 0;
  });
}

export function firstDocument(world: World, version: Version, voters: Voter[]): Document {
  const nowhere = { node: null, epoch: version, state: 'run' as const };
  const placements = Object.fromEntries(packageNames(world).map((name) => [name, nowhere]));
  return { version, voters: { next: voters }, placements, orders: NO_ORDERS, ...ownFile(world) };
}

/** The lowest name forms the cluster once every node is there and blank, and the arbiter has no key. */
export function formIfAll(world: World, state: MembershipState, now: Ms, out: Action[]): void {
  if (state.record.document !== null || !isSynced(state)) return;
  if (others(world).some((node) => node < world.self.name) || missingFounders(world, state).length > 0) return;
  const voters = presentVoters(world, state);
  const { arbiter } = state;
  if (arbiter === null) {
    adopt(state, firstDocument(world, { term: 0, revision: 0 }, voters), out);
    return formed(world, state, now, 'all-present', out);
  }
  if (!arbiter.missing || arbiter.question !== null || now < arbiter.pauseUntil) return;
  const first = (storageId: string): Document =>
    firstDocument(world, { term: 0, revision: 0 }, [...voters, { name: ARBITER, storageId }]);
  // Its answer brings the document, to this node as to all others that look there.
  createArbiter(world, state, arbiter, now, first, { for: 'formation' }, out);
}

export function formed(world: World, state: MembershipState, now: Ms, cause: string, out: Action[]): void {
  const { document } = state.record;
  const voters = document?.voters.next.map(({ name }) => name) ?? [];
  const evidence = { version: showVersion(versionOf(state.record)), voters, by: world.self.name };
  out.push({ kind: 'journal', entry: { at: now, event: 'formed', cause, evidence } });
  state.electAt = Math.min(state.electAt, now + world.cluster.timing.heartbeatMs);
}

/** Who may vote and is there: this node, nodes that are heard. */
function presentVoters(world: World, state: MembershipState): Voter[] {
  const removed = state.record.document?.orders.removedNodes ?? [];
  const peers = others(world).flatMap((name) => {
    const { health, standing } = state.peers[name] ?? {};
    return health === 'alive' && standing ? [{ name, storageId: standing.storageId }] : [];
  });
  return [selfVoter(world, state), ...peers.filter(({ name }) => !removed.includes(name))].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** The first document goes from whoever has it to blank voters of it, until a coordinator does that. */
export function spread(world: World, state: MembershipState, now: Ms): void {
  const document = state.durable?.document;
  if (!document || document.version.revision !== 0 || state.post.role === 'coordinator' || !isSynced(state)) return;
  if (now < state.spreadAt) return;
  const { heartbeatMs } = world.cluster.timing;
  for (const { name, storageId } of document.voters.next) {
    const { health, standing } = state.peers[name] ?? {};
    if (health !== 'alive' || standing?.storageId !== storageId || standing.version.term >= 0) continue;
    enclose(state, name, document, { founds: true, term: state.record.term });
    state.spreadAt = now + heartbeatMs;
  }
}

/** Why no document may be forced now; null: it may. */
export function forceRefusal(world: World, state: MembershipState, now: Ms): string | null {
  const { nodeTimeoutMs } = world.cluster.timing;
  const { post, coordinator } = state;
  const isLed =
    post.role !== 'coordinator' && now - (coordinator === null ? NEVER : state.coordinatorHeardAt) < nodeTimeoutMs;
  if (isLed || (post.role === 'coordinator' && now < majorityLeaseEnd(world, state, post)))
    return `the cluster runs: ${coordinator ?? world.self.name} is coordinator`;
  if (state.kind === 'solo')
    return 'quorum: none: a node needs no other, and starts by itself when it reaches a target';
  if (!isSynced(state)) return 'the state directory takes nothing: free it first';
  const newer = others(world).find((name) => {
    const { health, standing } = state.peers[name] ?? {};
    return health === 'alive' && standing && compareVersions(standing.version, versionOf(state.record)) > 0;
  });
  return newer === undefined ? null : `${newer} has a newer document: force it there`;
}

function withQuorum(document: Document): Document {
  const content = { ...document };
  delete content.alone;
  return content;
}

/** P3: a document of a term above all that can be read, with the voters that are there. A text says why not. */
export function forceDocument(world: World, state: MembershipState, now: Ms, out: Action[]): string | null {
  const refusal = forceRefusal(world, state, now);
  if (refusal !== null) return refusal;
  const { nodeTimeoutMs } = world.cluster.timing;
  state.patientUntil = now;
  const voters = presentVoters(world, state);
  const arbiter = arbiterVoter(state);
  const hasArbiter = arbiter !== null && now - state.arbiter!.answeredAt < 2 * nodeTimeoutMs;
  if (hasArbiter) voters.push({ name: ARBITER, storageId: state.arbiter!.seen!.record.storageId });
  const { document } = state.record;
  const present = voters.map(voterKey);
  state.electAt = Math.min(state.electAt, now);
  if (document !== null && document.alone !== true && isQuorum(document.voters, (voter) => present.includes(voter)))
    return null;
  const terms = Object.values(state.peers).map(({ standing }) => standing?.term ?? 0);
  const term = Math.max(state.record.term, state.arbiter?.seen?.record.term ?? 0, ...terms) + 1;
  const version = { term, revision: 0 };
  if (state.post.role !== 'follower') becomeFollower(world, state, now);
  adopt(
    state,
    document === null
      ? firstDocument(world, version, voters)
      : { ...withQuorum(document), version, voters: { next: voters } },
    out,
  );
  formed(world, state, now, 'forced', out);
  return null;
}
