/** The holder's side: grants, the lease, and what may be served under it (MEMBERSHIP N1 to N3, N8, C8). */
import type { GrantMessage } from '../frame/dialogue.js';
import type { Action } from '../action.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { takeDocument } from './answer.js';
import { compareVersions, newerVersion, type Document, type Placement, type Version } from './document.js';
import { keepLease } from './post.js';
import { versionOf, type MembershipState } from './state.js';

/** N1: it counts from when the answer that it echoes was sent. */
export function hearGrant(
  world: World,
  state: MembershipState,
  now: Ms,
  message: GrantMessage,
  out: Action[],
): string | null {
  const { term, echo, durationMs, need, committed } = message;
  if (term !== state.record.term || state.post.role === 'coordinator') return 'grant-other-term';
  const sentAt = state.sent[echo.sequence];
  if (echo.incarnation !== world.incarnation || sentAt === undefined) return 'grant-unasked';
  takeDocument(state, message.document, out);
  const end = sentAt + durationMs;
  if (end > now) state.grants.push({ end, term, need, committed });
  return null;
}

/** N2: usable once the document that it needs is on the disk; its time runs meanwhile. A lease is only lengthened. */
export function useGrants(state: MembershipState, now: Ms): void {
  const { term } = state.record;
  const durable = versionOf(state.durable);
  const waiting = state.grants.filter((grant) => grant.term === term && grant.end > now);
  state.grants = waiting.filter(({ need }) => compareVersions(durable, need) < 0);
  for (const grant of waiting) {
    if (state.grants.includes(grant)) continue;
    const { end, committed } = grant;
    const known = state.lease;
    state.lease = {
      end: Math.max(known.end, end),
      term,
      committed: known.term === term ? newerVersion(known.committed, committed) : committed,
    };
  }
}

/** Null: it has none, or that is over. */
export function leaseEndOf(world: World, state: MembershipState, now: Ms): Ms | null {
  if (state.post.role === 'coordinator') keepLease(world, state, state.post);
  return state.lease.end > now ? state.lease.end : null;
}

/** N3. */
export function servable(world: World, state: MembershipState, now: Ms): Record<string, Version> {
  const durable = state.durable?.document;
  const newest = state.record.document;
  if (!durable || !newest || leaseEndOf(world, state, now) === null) return {};
  const { lease } = state;
  const may: Record<string, Version> = {};
  for (const [name, { node, epoch, state: ordered }] of Object.entries(durable.placements)) {
    if (node !== world.self.name || !isSame(newest.placements[name], node, epoch)) continue;
    if (ordered === 'halt' || newest.placements[name]?.state === 'halt') {
      if (isRunning(world, name, epoch) && !isKnownCommitted(state, newest)) may[name] = epoch;
      continue;
    }
    const isGranted = lease.term === durable.version.term && compareVersions(epoch, lease.committed) <= 0;
    if (isGranted || isServing(world, name, epoch)) may[name] = epoch;
  }
  return may;
}

function isSame(placement: Placement | undefined, node: string, epoch: Version): boolean {
  return placement?.node === node && compareVersions(placement.epoch, epoch) === 0;
}

/**
 * An order to halt holds once it is known to be committed. Until then the package is served on: nobody else may start it
 * before this node says that it let go (C6a) or its lease is over (C6b), and clients wait for one commit less.
 */
function isKnownCommitted({ post, lease }: MembershipState, { version }: Document): boolean {
  if (post.role === 'coordinator') return compareVersions(post.committed, version) >= 0;
  return lease.term === version.term && compareVersions(lease.committed, version) >= 0;
}

function isRunning(world: World, name: string, epoch: Version): boolean {
  return world.jobs[name]?.state !== 'suspended' && isServing(world, name, epoch);
}

/** It started under this epoch and has not stopped since; a suspended one goes on. */
function isServing(world: World, name: string, epoch: Version): boolean {
  const job = world.jobs[name];
  if (!job?.epoch || compareVersions(job.epoch, epoch) !== 0) return false;
  return job.state === 'starting' || job.state === 'running' || job.state === 'suspended';
}
