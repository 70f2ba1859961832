/** Voters that change (MEMBERSHIP V1 to V4, A6, E2, Q1): a test a rule, and stories that chance does not find. */
import { describe, expect, test, vi } from 'vitest';
import type { Document, Voter } from '../../src/membership/document.js';
import { ARBITER } from '../../src/membership/document.js';
import * as member from '../../src/membership/member.js';
import { wantedVoters } from '../../src/membership/voters.js';
import { documentOf, ids, Stand, v, voter } from './stand.js';
import type { Mode } from './world.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

const OTHER = '9'.repeat(32);
const names = (voters: readonly Voter[] | null): string | null =>
  voters === null
    ? null
    : voters
        .map(({ name, storageId }) => `${name}${storageId === ids[name] ? '' : "'"}`)
        .sort()
        .join(' ');

interface Case {
  mode: Mode;
  present: string[];
  /** Besides alpha, the coordinator; `beta'`: with other storage than before. */
  answer: string[];
  removed?: string[];
  left?: string[];
  /** Storage id of the arbiter as it was last seen; null: never. */
  arbiter?: string | null;
  /** The coordinator was elected at 1000. */
  seenAt?: number;
}

function wanted({
  mode,
  present,
  answer,
  removed = [],
  left = [],
  arbiter = ids[ARBITER]!,
  seenAt = 1000,
}: Case): string | null {
  const document: Document = { ...documentOf(v(1, 1), {}, present) };
  document.orders = { ...document.orders, removedNodes: removed };
  const stand = new Stand({ mode, record: { term: 1, document } });
  const { state, world, now } = stand;
  if (state.arbiter) Object.assign(state.arbiter, { storageId: arbiter, answeredAt: seenAt });
  for (const name of left)
    state.peers[name] = { health: 'left', standing: null, incarnation: '', heardAt: now, otherFileAt: -1e15 };
  const answered = Object.fromEntries(
    answer.map((it) => {
      const storageId = it.endsWith("'") ? OTHER : ids[it]!;
      return [it.replace("'", ''), { at: now, incarnation: 'x', sequence: 1, storageId, version: v(1, 1), held: [] }];
    }),
  );
  return names(wantedVoters(world, state, { answered, since: now } as never, now));
}

describe('V1: who is to vote', () => {
  const [a, b, c, d, e] = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'] as const;
  const all = [a, b, c, d, e];
  test.each<[string, Case, string | null]>([
    ['three stay three when one dies', { mode: 'n3', present: [a, b, c], answer: [b] }, 'alpha beta gamma'],
    ['four become three', { mode: 'n4', present: [a, b, c, d], answer: [b, c] }, 'alpha beta gamma'],
    ['and stay three when another dies', { mode: 'n4', present: [a, b, c], answer: [b] }, 'alpha beta gamma'],
    [
      'four that are all there stay four',
      { mode: 'n4', present: [a, b, c, d], answer: [b, c, d] },
      'alpha beta delta gamma',
    ],
    ['five stay five with one loss', { mode: 'n5', present: all, answer: [b, c, d] }, 'alpha beta delta epsilon gamma'],
    ['and become three with two', { mode: 'n5', present: all, answer: [b, c] }, 'alpha beta gamma'],
    ['never fewer than three', { mode: 'n5', present: [a, b], answer: [b] }, null],
    [
      'the one that is lost is one that had a vote',
      { mode: 'n5', present: [a, c, d], answer: [c] },
      'alpha delta gamma',
    ],
    ['two of a cluster of two', { mode: 'n2', present: [a, b], answer: [b] }, 'alpha beta'],
    ['one is none of a cluster of two', { mode: 'n2', present: [a, b], answer: [] }, null],
    ['who comes back is taken in', { mode: 'n4', present: [a, b, c], answer: [b, c, d] }, 'alpha beta delta gamma'],
    [
      'V4: other storage is another voter',
      { mode: 'n3', present: [a, b, c], answer: ["beta'", c] },
      "alpha beta' gamma",
    ],
    [
      'who has left is not there',
      { mode: 'n4', present: [a, b, c, d], answer: [b, c, d], left: [d] },
      'alpha beta gamma',
    ],
    ['a removed node votes no more', { mode: 'n3', present: [a, b, c], answer: [b], removed: [c] }, 'alpha beta'],
    ['even if it answers', { mode: 'n3', present: [a, b, c], answer: [b, c], removed: [c] }, 'alpha beta'],
    ['a node that is not in the cluster file votes no more', { mode: 'n3', present: [a, b, d], answer: [b] }, null],
    [
      'arbiter: the number is even',
      { mode: 'k4', present: [...all.slice(0, 4), ARBITER], answer: [b] },
      '@arbiter alpha beta',
    ],
    [
      'keep: the number is odd',
      { mode: 'k4', present: [...all.slice(0, 4), ARBITER], answer: [b, c] },
      'alpha beta gamma',
    ],
    ['keep: the survivor alone', { mode: 'k2', present: [a, b, ARBITER], answer: [] }, 'alpha'],
    ['keep: who comes back brings the arbiter', { mode: 'k2', present: [a], answer: [b] }, '@arbiter alpha beta'],
    ['keep: but not one of which nothing is known', { mode: 'k2', present: [a], answer: [b], arbiter: null }, null],
    ['surrender: a lost one fills up', { mode: 'a2', present: [a, b, ARBITER], answer: [] }, '@arbiter alpha beta'],
    [
      'surrender: three of four',
      { mode: 'a4', present: [...all.slice(0, 4), ARBITER], answer: [b, c] },
      '@arbiter alpha beta delta gamma',
    ],
    [
      'surrender: two of four',
      { mode: 'a4', present: [...all.slice(0, 4), ARBITER], answer: [b] },
      '@arbiter alpha beta',
    ],
    [
      'surrender: not with one that is removed',
      { mode: 'a2', present: [a, b, ARBITER], answer: [], removed: [b] },
      'alpha',
    ],
    [
      'A6: an arbiter that was made anew',
      { mode: 'a2', present: [a, b, ARBITER], answer: [b], arbiter: OTHER },
      "@arbiter' alpha beta",
    ],
    [
      'of which only what was seen before the election is known: as the document has it',
      { mode: 'a2', present: [a, b, ARBITER], answer: [b], arbiter: OTHER, seenAt: 900 },
      '@arbiter alpha beta',
    ],
    [
      'an arbiter that was not seen since the start stays',
      { mode: 'a2', present: [a, b, ARBITER], answer: [b], arbiter: null },
      '@arbiter alpha beta',
    ],
  ])('%s', (_what, given, expected) => {
    expect(wanted(given)).toBe(expected);
  });
});

/** Coordinator of n4, E9 committed by beta and gamma; delta is silent. */
function shrinking(): Stand {
  const stand = new Stand({
    mode: 'n4',
    record: { document: documentOf(v(0, 0), {}, ['alpha', 'beta', 'gamma', 'delta']) },
  });
  stand.wakeUntil(1600);
  stand.hearReply('beta', { pre: true, term: 0 }).hearReply('gamma', { pre: true, term: 0 });
  stand.hearReply('beta').hearReply('gamma');
  return stand;
}

/** Until then these answer each append, with all that was said to them stored. */
function keep(stand: Stand, until: number, ...nodes: string[]): void {
  for (let t = stand.now + 50; t <= until; t += 50) {
    stand.wakeUntil(t);
    for (const node of nodes) stand.hearAnswer(node, t, member.document(stand.state)!.version);
  }
}

const votersOf = (stand: Stand): { next: string | null; previous?: string | null } => {
  const { next, previous } = member.document(stand.state)!.voters;
  return { next: names(next), ...(previous && { previous: names(previous) }) };
};

describe('V2, V3', () => {
  test('V2: not before the coordinator is older than nodeTimeout and 0.3 s, and the wanted voters 0.8 s the same', () => {
    const stand = shrinking();
    const { now } = stand;
    keep(stand, now + 1250, 'beta', 'gamma');
    expect(votersOf(stand)).toEqual({ next: 'alpha beta delta gamma' });
    const voters = (): string[] =>
      stand.journal.filter(({ event }) => event === 'voters').map((it) => `${it.cause} ${it.to}`);
    keep(stand, now + 1600, 'beta', 'gamma');
    expect(voters()).toEqual(['joint alpha, beta, gamma with alpha, beta, gamma, delta', 'final alpha, beta, gamma']);
    const decided = stand.state.decisions.map(({ subject, text, cause }) => `${subject} ${text}: ${cause}`);
    expect(decided).toEqual(['delta has no vote any more: was not heard']);
  });

  test('V2: whoever answers meanwhile starts the 0.8 s anew', () => {
    const stand = shrinking();
    const { now } = stand;
    keep(stand, now + 1100, 'beta', 'gamma');
    stand.hearAnswer('delta', now + 1101, v(1, 1));
    keep(stand, now + 2800, 'beta', 'gamma');
    expect(votersOf(stand)).toEqual({ next: 'alpha beta delta gamma' });
    keep(stand, now + 3400, 'beta', 'gamma');
    expect(votersOf(stand)).toEqual({ next: 'alpha beta gamma' });
  });

  test('V2: not while one of those that go on is suspect: it may die, and with it their majority', () => {
    const stand = shrinking();
    const { now } = stand;
    keep(stand, now + 1200, 'beta', 'gamma');
    stand.health.peers['gamma']!.health = 'suspect';
    keep(stand, now + 1500, 'beta');
    expect(votersOf(stand)).toEqual({ next: 'alpha beta delta gamma' });
    keep(stand, now + 1650, 'beta', 'gamma');
    expect(votersOf(stand)).toEqual({ next: 'alpha beta gamma' });
  });

  test('V2: a node that is to become a voter has stored what is committed', () => {
    const stand = shrinking();
    const { now } = stand;
    keep(stand, now + 2000, 'beta', 'gamma');
    expect(votersOf(stand)).toEqual({ next: 'alpha beta gamma' });
    for (let t = stand.now + 50; t <= now + 5000; t += 50) {
      stand.wakeUntil(t);
      for (const node of ['beta', 'gamma']) stand.hearAnswer(node, t, member.document(stand.state)!.version);
      stand.hearAnswer('delta', t, v(-1, 0));
    }
    expect(votersOf(stand)).toEqual({ next: 'alpha beta gamma' });
    keep(stand, now + 5400, 'beta', 'gamma', 'delta');
    expect(votersOf(stand)).toEqual({ next: 'alpha beta delta gamma' });
  });

  test('Q1, V3: a joint document is committed by both majorities, and only then the new voters go on alone', () => {
    const document = documentOf(v(1, 5), {}, ['alpha', 'beta', 'gamma']);
    document.voters.previous = ['alpha', 'delta', 'gamma'].map(voter);
    const stand = new Stand({ mode: 'n4', record: { term: 1, document } });
    stand.wakeUntil(1600);
    stand.hearReply('beta', { pre: true, term: 1 });
    expect(stand.role).toBe('pre-candidate');
    stand.hearReply('delta', { pre: true, term: 1 });
    expect(stand.role).toBe('candidate');
    stand.hearReply('beta', { term: 2 });
    expect(stand.role).toBe('candidate');
    stand.hearReply('delta', { term: 2 });
    expect(stand.role).toBe('coordinator');
    stand.hearAnswer('beta', 1, v(2, 6));
    expect(votersOf(stand)).toEqual({ next: 'alpha beta gamma', previous: 'alpha delta gamma' });
    stand.hearAnswer('delta', 1, v(2, 6));
    expect(votersOf(stand)).toEqual({ next: 'alpha beta gamma' });
    expect(member.document(stand.state)!.version).toEqual(v(2, 7));
    // From here on the new ones count alone.
    expect(member.changeable(stand.world, stand.state, stand.now)).toBeNull();
    stand.hearAnswer('delta', 2, v(2, 7));
    expect(member.changeable(stand.world, stand.state, stand.now)).toBeNull();
    stand.hearAnswer('beta', 2, v(2, 7));
    expect(member.changeable(stand.world, stand.state, stand.now)).not.toBeNull();
  });

  test('a candidate of a term takes no document of it and stays: its votes were counted by other voters', () => {
    const stand = new Stand();
    stand.wakeUntil(1600).hearReply('beta', { pre: true, term: 0 });
    expect(stand.role).toBe('candidate');
    const joint = documentOf(v(1, 2), {}, ['alpha', 'delta']);
    const pieced = JSON.stringify(joint);
    stand.hear('gamma', { kind: 'piece', founds: false, term: 1, version: v(1, 2), index: 0, count: 1, text: pieced });
    expect(stand.role).toBe('follower');
  });
});

describe('E2: a node that its own newest document does not list', () => {
  const unlisted = (): Stand =>
    new Stand({ mode: 'n4', record: { term: 3, document: documentOf(v(3, 4), {}, ['beta', 'gamma', 'delta']) } });

  test('stands, does not count its own vote, and wins with a majority of the others', () => {
    const stand = unlisted();
    stand.wakeUntil(1600).hearReply('beta', { pre: true, term: 3 });
    expect(stand.role).toBe('pre-candidate');
    stand.hearReply('gamma', { pre: true, term: 3 });
    stand.hearReply('beta', { term: 4 });
    expect(stand.role).toBe('candidate');
    stand.hearReply('gamma', { term: 4 });
    expect(stand.role).toBe('coordinator');
    stand.hearAnswer('beta', 1, v(4, 5));
    expect(member.changeable(stand.world, stand.state, stand.now)).toBeNull();
    stand.hearAnswer('gamma', 1, v(4, 5));
    expect(member.changeable(stand.world, stand.state, stand.now)).not.toBeNull();
  });

  test('waits for those that have the newest document, and says so', () => {
    const stand = new Stand({ mode: 'k2', record: { term: 3, document: documentOf(v(3, 4), {}, ['beta']) } });
    stand.wakeUntil(2500);
    const { membership } = member.status(stand.world, stand.state, stand.now);
    expect(membership).toMatchObject({ waiting: 'waits for beta: only beta has the newest document', hasVote: false });
  });
});

describe('from quorum: none to voters', () => {
  const alone = (): Document => ({ ...documentOf(v(4, 7), {}, ['alpha']), alone: true });

  test('P3: who decided alone does not stand: the other may have done so too', () => {
    const stand = new Stand({ mode: 'a2', record: { term: 4, document: alone() } });
    stand.wakeUntil(4000);
    expect(stand.role).toBe('follower');
    expect(member.status(stand.world, stand.state, stand.now).membership?.waiting).toMatch(/^waits for an operator/);
  });

  test('P3: an operator says which of them goes on', () => {
    const stand = new Stand({ mode: 'a2', record: { term: 4, document: alone() } });
    stand.to(2000).hearWords('beta', { term: 3, version: v(3, 2) });
    expect(member.force(stand.world, stand.state, stand.now, false, [])).toBeNull();
    const document = member.document(stand.state)!;
    expect(document).toMatchObject({ version: v(5, 0), voters: { next: [voter('alpha'), voter('beta')] } });
    expect(document.alone).toBeUndefined();
  });
});
