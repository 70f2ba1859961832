/**
 * `quorum: none` (MEMBERSHIP 8): of two nodes each is a quorum of itself.
 *
 * A document has one voter, the coordinator that wrote it, so that commit, lease and grants are those of every cluster.
 * What is different is who becomes coordinator: while the two hear each other, the one with the newer document; a node
 * that hears its peer no more, and reaches a target, by itself. Terms of the first node of the file are even, those of
 * the second odd, so that two coordinators never share one, and no epoch is ever made twice.
 */
import type { Action } from '../action.js';
import { reachesTarget } from '../health/monitor.js';
import type { HealthState } from '../health/state.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { clearAlarm, raiseAlarm } from './alarm.js';
import { grantedOverMs } from './cluster-file.js';
import { takePost } from './coordinator.js';
import { compareVersions, type Document } from './document.js';
import { change, isSynced } from './durable.js';
import { turnMs } from './fence.js';
import { firstDocument } from './formation.js';
import { becomeFollower, followTerm } from './post.js';
import { between, NEVER, others, promiseMs, selfVoter, versionOf, type MembershipState } from './state.js';

/** What the clock and the peer's words ask for. Peers' silence is judged only if `judges`. */
export function goSolo(
  world: World,
  state: MembershipState,
  now: Ms,
  health: HealthState,
  judges: boolean,
  out: Action[],
): void {
  const peer = peerOf(world, state);
  const hears = peer?.health === 'alive' && peer.standing !== null;
  const rival = hears && peer.standing?.role === 'coordinator' ? peer.standing : null;
  if (state.post.role === 'coordinator') {
    if (rival !== null) {
      raiseAlarm(state, 'dual', 'both nodes were coordinator at once: each may have served', now, out);
      // The lower term yields; the other's next append, or its answer to ours, says the same.
      if (rival.term > state.record.term) {
        followTerm(world, state, now, rival.term, out);
      }
    } else if (!hears && isCutOff(world, health)) becomeFollower(world, state, now);
    else clearAlarm(state, 'dual', now, out);
    return;
  }
  if (state.coordinator !== null || !hears) clearAlarm(state, 'dual', now, out);
  if (!judges || !isSynced(state) || rival !== null) return;
  if (hears ? standsBeside(world, state, now) : standsAlone(world, state, now, health)) rule(world, state, now, out);
}

function peerOf(world: World, state: MembershipState): MembershipState['peers'][string] | undefined {
  return state.peers[others(world)[0] ?? ''];
}

/** A node that reaches no target does not know whether it or its peer is alone. */
function isCutOff(world: World, health: HealthState): boolean {
  return reachesTarget(world, health) === false;
}

/** The peer is there, and neither coordinates: the newer document, then the lower name, goes first. */
function standsBeside(world: World, state: MembershipState, now: Ms): boolean {
  if (now < state.electAt) return false;
  const standing = peerOf(world, state)!.standing!;
  const order = compareVersions(versionOf(state.record), standing.version);
  const isFirst = order > 0 || (order === 0 && world.self.name < others(world)[0]!);
  const waited = now - state.heardAt >= 5 * promiseMs(world);
  state.electAt = now + between(world, 0.6, 1.5) * promiseMs(world);
  return isFirst || waited;
}

/** When the peer has been silent, under whatever cluster file, for so long that every lease it had or gave is over. */
export function aloneAt(world: World, state: MembershipState): Ms {
  const { nodeTimeoutMs } = world.cluster.timing;
  const { heardAt, otherFileAt, health } = peerOf(world, state) ?? { heardAt: NEVER, otherFileAt: NEVER };
  // One that is heard under another cluster file counts for nothing, but it may serve.
  const strangeUntil = otherFileAt + nodeTimeoutMs;
  if (health === 'left') return Math.max(state.startedAt, strangeUntil);
  const silentAt = Math.max(heardAt, state.startedAt) + nodeTimeoutMs;
  const overAt = Math.max(silentAt, strangeUntil, state.answeredAt + grantedOverMs(world, state.record.document));
  return overAt + turnMs(world, state, others(world)[0] ?? '');
}

function standsAlone(world: World, state: MembershipState, now: Ms, health: HealthState): boolean {
  return now >= aloneAt(world, state) && !isCutOff(world, health);
}

/** Takes the next own term and everything. */
function rule(world: World, state: MembershipState, now: Ms, out: Action[]): void {
  const index = Math.max(
    0,
    world.cluster.nodes.findIndex(({ name }) => name === world.self.name),
  );
  const seen = Math.max(state.record.term, peerOf(world, state)?.standing?.term ?? 0);
  const term = seen + 1 + ((seen + 1 + index) % 2);
  const self = selfVoter(world, state);
  const document: Document = state.record.document ?? firstDocument(world, { term: 0, revision: 0 }, [self]);
  change(state, { term, votedFor: self }, out);
  // A coordinator that was heard at r had sent that beat before: its own lease is over when T(L) has passed since.
  const { heardAt, otherFileAt } = peerOf(world, state) ?? { heardAt: NEVER, otherFileAt: NEVER };
  const newest = Math.max(state.answeredAt, heardAt, otherFileAt);
  takePost(world, state, now, newest + grantedOverMs(world, document), out, {
    ...document,
    voters: { next: [self] },
    alone: true,
  });
}
