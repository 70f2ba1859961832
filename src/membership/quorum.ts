/**
 * Majorities of a document's voters (MEMBERSHIP Q1, Q2).
 *
 *   next       a b c        both of {a b}, {b c} and {a c}
 *   previous   c d @arbiter and two of these three: {b c d} is a quorum, {a b c} is none
 */
import type { Ms } from '../input.js';
import type { Document, Voter } from './document.js';
import { NEVER, voterKey, type VoterKey } from './state.js';

type Voters = Document['voters'];

function sides({ next, previous }: Voters): Voter[][] {
  return previous === undefined ? [next] : [next, previous];
}

/** Voters of a document do not change, and each step asks for them: kept, so that their texts are put together once. */
const keys = new WeakMap<Voter, VoterKey>();

function keyOf(voter: Voter): VoterKey {
  let key = keys.get(voter);
  if (key === undefined) {
    key = voterKey(voter);
    keys.set(voter, key);
  }
  return key;
}

/** Do these hold a strict majority of `next` and, if present, of `previous`? Name and storageId must match (Q1). */
export function isQuorum(voters: Voters, has: (voter: VoterKey) => boolean): boolean {
  return sides(voters).every((side) => 2 * side.filter((voter) => has(keyOf(voter))).length > side.length);
}

/** The newest time q such that those with a time of q or later are a quorum (Q2). NEVER: there is none. */
export function quorumTime(voters: Voters, timeOf: (voter: VoterKey) => Ms | undefined): Ms {
  const newest = majorityTime(voters.next, timeOf);
  return voters.previous === undefined ? newest : Math.min(newest, majorityTime(voters.previous, timeOf));
}

function majorityTime(side: readonly Voter[], timeOf: (voter: VoterKey) => Ms | undefined): Ms {
  const newestFirst: Ms[] = [];
  for (const voter of side) {
    const time = timeOf(keyOf(voter)) ?? NEVER;
    let at = newestFirst.length;
    for (; at > 0 && newestFirst[at - 1]! < time; at--) newestFirst[at] = newestFirst[at - 1]!;
    newestFirst[at] = time;
  }
  return newestFirst[side.length >> 1] ?? NEVER;
}

export function namesOf(voters: readonly Voter[]): string[] {
  return voters.map(({ name }) => name);
}

export function isVoter(voters: Voters, voter: Voter): boolean {
  return sides(voters).some((side) => side.some((it) => voterKey(it) === voterKey(voter)));
}
