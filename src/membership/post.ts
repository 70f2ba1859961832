/**
 * What this node is in the present term.
 *
 *   follower ──electAt──▶ pre-candidate ──a quorum says it may──▶ candidate ──a quorum of votes──▶ coordinator
 *      ▲                        │                                    │                                 │
 *      └────────────────────────┴── a higher term, a coordinator ────┴───────── no majority's lease ───┘
 */
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { mayLease } from './cluster-file.js';
import { takeTerm } from './durable.js';
import { quorumTime } from './quorum.js';
import { leaseMs } from './span.js';
import { between, NEVER, promiseMs, type Coordinatorship, type MembershipState } from './state.js';

export function becomeFollower(world: World, state: MembershipState, now: Ms): void {
  if (state.post.role === 'coordinator') {
    // C9: what it holds it keeps until its lease ends; with quorum none that is here and now (MEMBERSHIP 8).
    if (state.kind === 'voting') keepLease(world, state, state.post);
    else dropLease(state);
  }
  state.post = { role: 'follower' };
  putOff(world, state, now);
}

function dropLease(state: MembershipState): void {
  state.lease = { ...state.lease, end: NEVER };
  state.grants = [];
  state.yields = true;
}

/** E3: from the last word of a coordinator, or of somebody who stands. */
export function putOff(world: World, state: MembershipState, now: Ms): void {
  state.electAt = now + between(world, 1, 1.5) * promiseMs(world);
}

/** E1. */
export function followTerm(world: World, state: MembershipState, now: Ms, term: number, out: Action[]): void {
  if (term <= state.record.term) return;
  becomeFollower(world, state, now);
  takeTerm(state, term, out);
}

/** Q2: the end of the coordinator's own lease; long past without a quorum. */
export function majorityLeaseEnd(world: World, state: MembershipState, post: Coordinatorship): Ms {
  const { document } = state.record;
  if (document === null) return 0;
  return quorumTime(document.voters, (voter) => post.acked[voter]?.sentAt) + leaseMs(world.cluster.timing);
}

/** C8: the coordinator serves under its majority lease, once a document of its term is committed. */
export function keepLease(world: World, state: MembershipState, post: Coordinatorship): void {
  const { term } = state.record;
  if (!mayLease(world, post, state.record.document)) return;
  const end = majorityLeaseEnd(world, state, post);
  const older = state.lease.term === term ? end : state.lease.end;
  state.lease = { end: Math.max(end, older), term, committed: post.committed };
}
