/**
 * The verdict table of DESIGN 4: what a whole window of evidence says of one NIC that has carrier. The first row that
 * fits decides. (Missing, admin and carrier are judged by `link`, at once and without any window.)
 */
import type { DownReason, UpNote } from '../status.js';
import type { Hearing, Relation } from './hearing.js';
import type { NicKey } from './state.js';

/** Does a target answer through it? `unreachable`: not through it, while one answers through another NIC of the net. */
export type TargetEvidence = 'answers' | 'unreachable' | 'undecided' | 'none';

export interface Evidence {
  nic: NicKey;
  hearing: Hearing;
  target: TargetEvidence;
  /** It heard somebody since its last carrier-up. */
  proven: boolean;
  /** Its silence lasted a whole window, if it is silent. */
  wholeWindow: boolean;
}

/** `undecided`: the window is not over yet. */
export type Finding = 'up' | Exclude<DownReason, 'missing' | 'admin' | 'carrier'> | UpNote | 'undecided';

/** What the journal shows of a finding. */
export interface Seen {
  hears: NicKey[];
  heardBy: NicKey[];
  unheardBy: NicKey[];
  undecided: NicKey[];
}

export function look({ nic, hearing }: Evidence): Seen {
  const others = hearing.known.filter((key) => key !== nic);
  const say = (relation: Relation): NicKey[] => others.filter((by) => hearing.relation(by, nic) === relation);
  return {
    hears: hearing.heardOf(nic),
    heardBy: say('hears'),
    unheardBy: say('not'),
    undecided: say('undecided'),
  };
}

export function judge(evidence: Evidence, seen: Seen): Finding {
  if (evidence.target === 'answers') return 'up';
  if (seen.hears.length === 0) return judgeWithoutHearing(evidence, seen);
  if (seen.heardBy.length === 0) return judgeUnheard(evidence, seen);
  if (evidence.target === 'unreachable') return 'unreachable';
  if (evidence.target === 'undecided') return 'undecided';
  if (isSplit(evidence, seen)) return 'split';
  return isOneWay(evidence, seen) ? 'one-way' : 'up';
}

/** It hears nobody: silent, deaf, or nothing can be proven. */
function judgeWithoutHearing(evidence: Evidence, seen: Seen): Finding {
  if (!evidence.wholeWindow || (seen.heardBy.length === 0 && seen.undecided.length > 0)) return 'undecided';
  const third = missesWhatOthersHear(evidence);
  if (seen.heardBy.length > 0 && third) return 'deaf';
  if (seen.heardBy.length === 0 && third && evidence.proven) return 'silent';
  if (evidence.target === 'unreachable') return 'unreachable';
  if (evidence.target === 'undecided') return 'undecided';
  if (seen.heardBy.length > 0) return 'one-way';
  return evidence.proven ? 'isolated' : 'unproven';
}

/** It hears others, and nobody is known to hear it. */
function judgeUnheard(evidence: Evidence, seen: Seen): Finding {
  const { hearing, nic } = evidence;
  const relations = seen.hears.map((by) => hearing.relation(by, nic));
  const nobodyDoes = relations.every((relation) => relation === 'not');
  if (nobodyDoes && hearsThird(evidence, seen.hears)) return 'mute';
  if (relations.includes('undecided') || seen.undecided.length > 0) return 'undecided';
  if (evidence.target === 'unreachable') return 'unreachable';
  if (evidence.target === 'undecided') return 'undecided';
  return relations.includes('not') ? 'one-way' : 'up';
}

/** One of `witnesses` hears somebody who is neither itself nor the NIC in question. */
function hearsThird({ nic, hearing }: Evidence, witnesses: NicKey[]): boolean {
  return witnesses.some((by) => by !== nic && hearing.heardOf(by).some((of) => of !== nic));
}

/** One of the others hears somebody whom the NIC in question should hear too, and does not. */
function missesWhatOthersHear({ nic, hearing }: Evidence): boolean {
  return hearing.known.some(
    (by) => by !== nic && hearing.heardOf(by).some((of) => of !== nic && hearing.relation(nic, of) === 'not'),
  );
}

/** Some NIC has nothing to do with it in either direction, and yet hears others: what lies between is the trunk. */
function isSplit({ nic, hearing }: Evidence, seen: Seen): boolean {
  return seen.unheardBy.some(
    (by) => hearing.relation(nic, by) === 'not' && hearing.heardOf(by).some((of) => of !== nic),
  );
}

/** One direction between it and another fails, and no third says whose fault it is. */
function isOneWay({ nic, hearing }: Evidence, seen: Seen): boolean {
  const blames = (deaf: NicKey, mute: NicKey): boolean => {
    const deafHearsNobody = hearing.heardOf(deaf).length === 0;
    const nobodyElseHears = !hearing.known.some((by) => by !== deaf && hearing.relation(by, mute) === 'hears');
    return deafHearsNobody || nobodyElseHears;
  };
  const unheard = seen.unheardBy.some((by) => hearing.relation(nic, by) === 'hears' && !blames(by, nic));
  const unhearing = seen.heardBy.some((of) => hearing.relation(nic, of) === 'not' && !blames(nic, of));
  return unheard || unhearing;
}
