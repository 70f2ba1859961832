/** Quorum, coordinator and holder (MEMBERSHIP Q1 to Q3, C1 to C9, N1 to N8), a test a rule. */
import { describe, expect, test, vi } from 'vitest';
import type { Action } from '../../src/action.js';
import type { Version } from '../../src/membership/document.js';
import * as member from '../../src/membership/member.js';
import { isQuorum, quorumTime } from '../../src/membership/quorum.js';
import { leaseMs, surelyOverMs } from '../../src/membership/span.js';
import { NEVER, voterKey } from '../../src/membership/state.js';
import { documentOf, ids, on, Stand, v, voter } from './stand.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

function propose(stand: Stand, change: member.DocumentChange): Version | null {
  const out: Action[] = [];
  const version = member.propose(stand.world, stand.state, stand.now, change, 'test', out);
  stand.actions.push(...out);
  stand.sync();
  return version;
}

const place = (node: string | null, state: 'run' | 'halt' = 'run'): member.DocumentChange => ({
  placements: { web: { node, state } },
});
const changeable = (stand: Stand): boolean => member.changeable(stand.world, stand.state, stand.now) !== null;
const released = (stand: Stand): boolean => member.isReleased(stand.world, stand.state, stand.now, 'web');
const served = (stand: Stand): string[] => Object.keys(member.mayServe(stand.world, stand.state, stand.now));
const leaseEnd = (stand: Stand): number | null => member.leaseEnd(stand.world, stand.state, stand.now);

/** web is on beta, committed as 1.2. */
function placedOnBeta(): Stand {
  const stand = Stand.coordinator();
  expect(propose(stand, place('beta'))).toEqual(v(1, 2));
  stand.hearAnswer('beta', 2, v(1, 2));
  expect(changeable(stand)).toBe(true);
  return stand;
}

describe('quorum', () => {
  const [a, b, c, d] = ['alpha', 'beta', 'gamma', 'delta'].map(voter) as [never, never, never, never];
  const among = (...voters: { name: string; storageId: string }[]) => {
    const keys = voters.map(voterKey);
    return (key: string): boolean => keys.includes(key);
  };

  test('Q1: a strict majority of next and, in a joint document, of previous', () => {
    expect(isQuorum({ next: [a, b, c] }, among(a, b))).toBe(true);
    expect(isQuorum({ next: [a, b, c, d] }, among(a, b))).toBe(false);
    expect(isQuorum({ next: [a, b], previous: [c, d] }, among(a, b, c))).toBe(false);
    expect(isQuorum({ next: [a, b], previous: [c, d] }, among(a, b, c, d))).toBe(true);
  });

  test('Q1: name and storage id must match', () => {
    expect(isQuorum({ next: [a, b, c] }, among(a, { name: 'beta', storageId: '9'.repeat(32) }))).toBe(false);
  });

  test('Q2: the newest time that a quorum has reached', () => {
    const times: Record<string, number> = { [voterKey(a)]: 50, [voterKey(b)]: 30, [voterKey(c)]: 10 };
    expect(quorumTime({ next: [a, b, c] }, (key) => times[key])).toBe(30);
    expect(quorumTime({ next: [a, b, c], previous: [a, c] }, (key) => times[key])).toBe(10);
    expect(quorumTime({ next: [a, d, c] }, (key) => times[key])).toBe(10);
    expect(quorumTime({ next: [a, d] }, (key) => times[key])).toBe(NEVER);
  });
});

describe('coordinator', () => {
  test('Q2, C8: its lease counts from the sending of the newest append that a quorum answered', () => {
    const stand = Stand.coordinator();
    const sentAt = stand.state.post.role === 'coordinator' ? stand.state.post.beatAt : 0;
    stand.to(1650).hearAnswer('beta', 2, v(1, 1));
    expect(leaseEnd(stand)).toBe(sentAt + leaseMs(stand.world.cluster.timing));
  });

  test('Q2: each append sets its own age', () => {
    const stand = Stand.coordinator();
    stand.wakeUntil(1810);
    expect(stand.state.answeredAt).toBe(stand.state.post.role === 'coordinator' && stand.state.post.beatAt);
    expect(stand.state.answeredAt).toBeGreaterThanOrEqual(1800);
  });

  test('Q3: it resigns when its lease is over, a new one not before 0.7 s', () => {
    const stand = Stand.coordinator();
    const end = leaseEnd(stand)!;
    stand.wakeUntil(end - 1);
    expect(stand.role).toBe('coordinator');
    stand.wakeUntil(end + 1);
    expect(stand.role).not.toBe('coordinator');
    const lonely = new Stand().wakeUntil(1600);
    lonely.hearReply('beta', { pre: true, term: 0 });
    lonely.hearReply('beta');
    lonely.wakeUntil(1600 + 699);
    expect(lonely.role).toBe('coordinator');
    lonely.wakeUntil(1600 + 701);
    expect(lonely.role).not.toBe('coordinator');
  });

  test('C1: committed when a quorum has stored it, and said at once', () => {
    const stand = Stand.coordinator();
    propose(stand, place('beta'));
    stand.hearAnswer('beta', 2, v(1, 1));
    expect(changeable(stand)).toBe(false);
    const before = stand.messages('gamma', 'append').length;
    stand.hearAnswer('beta', 3, v(1, 2));
    expect(changeable(stand)).toBe(true);
    expect(stand.messages('gamma', 'append').length).toBeGreaterThan(before);
    expect(stand.last('gamma', 'append').committed).toEqual(v(1, 2));
    expect(stand.journal.at(-1)).toMatchObject({ event: 'committed', evidence: { version: '1.2' } });
  });

  test('C2: answers of another term, run or sequence do not count', () => {
    const stand = Stand.coordinator();
    propose(stand, place('beta'));
    stand.hearAnswer('beta', 2, v(1, 2), [], { incarnation: '00000000000000bb' });
    stand.hearAnswer('beta', 3, v(1, 2), [], { echo: 999 });
    stand.hearAnswer('beta', 4, v(1, 2), [], { term: 0 });
    expect(changeable(stand)).toBe(false);
    expect(stand.state.dropped).toEqual({ 'answer-unasked': 2, 'answer-other-term': 1 });
  });

  test('C3: one proposal at a time', () => {
    const stand = Stand.coordinator();
    expect(propose(stand, place('beta'))).toEqual(v(1, 2));
    expect(propose(stand, place('gamma'))).toBeNull();
    expect(stand.state.dropped['proposal-untimely']).toBe(1);
  });

  test('C4: a grant never outlasts the own majority lease, and needs the newest proposal', () => {
    const stand = Stand.coordinator();
    propose(stand, place('beta'));
    stand.to(1700).hearAnswer('beta', 2, v(1, 1));
    const grant = stand.last('beta', 'grant');
    expect(grant.need).toEqual(v(1, 2));
    expect(grant.committed).toEqual(v(1, 1));
    expect(stand.now + grant.durationMs).toBeLessThanOrEqual(leaseEnd(stand)!);
  });

  test('C4: less than half a heartbeat is not granted', () => {
    const stand = Stand.coordinator();
    const { sequence } = stand.last('beta', 'append');
    const end = leaseEnd(stand)!;
    const before = stand.messages('gamma', 'grant').length;
    stand.to(end - 99).hearAnswer('gamma', 1, v(1, 1), [], { echo: sequence - 1 });
    expect(stand.messages('gamma', 'grant').length).toBe(before);
  });

  test('C5: the bound of a node covers every lease granted to it', () => {
    const stand = Stand.coordinator();
    const { timing } = stand.world.cluster;
    const grant = stand.last('beta', 'grant');
    const { post } = stand.state;
    const bound = post.role === 'coordinator' ? post.leaseBounds['beta']! : 0;
    expect(bound).toBeGreaterThanOrEqual(stand.now + surelyOverMs(grant.durationMs, timing) - 0.01);
  });

  test('C6: a run placement is not given away while its node answers', () => {
    const stand = placedOnBeta();
    stand.hearAnswer('beta', 3, v(1, 2));
    expect(released(stand)).toBe(false);
    expect(propose(stand, place('gamma'))).toBeNull();
    expect(stand.state.dropped['placement-not-free']).toBe(1);
    expect(propose(stand, place(null))).toBeNull();
  });

  test('C6a: free once the halt is committed, stored there, and its addresses are gone', () => {
    const stand = placedOnBeta();
    expect(propose(stand, place('beta', 'halt'))).toEqual(v(1, 3));
    expect(stand.state.record.document?.placements['web']).toEqual({ node: 'beta', epoch: v(1, 2), state: 'halt' });
    stand.hearAnswer('gamma', 1, v(1, 3));
    expect(changeable(stand)).toBe(true);
    // Not held, but it does not know of the halt yet.
    stand.hearAnswer('beta', 3, v(1, 2));
    expect(released(stand)).toBe(false);
    stand.hearAnswer('beta', 4, v(1, 3), ['web']);
    expect(released(stand)).toBe(false);
    stand.hearAnswer('beta', 6, v(1, 3));
    expect(released(stand)).toBe(true);
    // What was said before does not count.
    stand.hearAnswer('beta', 5, v(1, 3), ['web']);
    expect(released(stand)).toBe(true);
    expect(propose(stand, place('gamma'))).toEqual(v(1, 4));
    expect(stand.state.record.document?.placements['web']).toEqual({ node: 'gamma', epoch: v(1, 4), state: 'run' });
  });

  test('C6b: free when its node is lost and every lease granted to it is over', () => {
    const stand = placedOnBeta();
    const from = stand.now;
    for (let t = from + 100; t < from + 1100; t += 100) {
      stand.wakeUntil(t);
      stand.hearAnswer('gamma', t, v(1, 2));
      if (t < from + 900) expect(released(stand)).toBe(false);
    }
    expect(released(stand)).toBe(true);
    expect(propose(stand, place('gamma'))).not.toBeNull();
  });

  test('C6b: it looks again the moment that a node is lost, though its leases were over before', () => {
    const stand = placedOnBeta();
    for (let t = stand.now + 100; t < 2800; t += 100) stand.wakeUntil(t).hearAnswer('gamma', t, v(1, 2));
    expect(member.deadline(stand.world, stand.state)).toBeGreaterThan(stand.now + 1);
    const woke = (): boolean =>
      member.take(stand.world, stand.state, stand.now, stand.health as never, { kind: 'woke' }, []);
    stand.to(stand.now + 1);
    expect(woke()).toBe(false);
    stand.health.peers['beta']!.health = 'lost';
    expect(woke()).toBe(true);
    expect(stand.state.peers['beta']!.health).toBe('lost');
    expect(woke()).toBe(false);
  });

  test('C6b: a new coordinator waits for every lease of its predecessors', () => {
    const placed = documentOf(v(0, 0), on('gamma', v(0, 0)));
    const stand = Stand.coordinator({ record: { document: placed } }, 100);
    const { timing } = stand.world.cluster;
    const over = 1600 - 100 + surelyOverMs(leaseMs(timing), timing);
    for (let t = 1700; t < over; t += 100) {
      stand.wakeUntil(t);
      stand.hearAnswer('beta', t, v(1, 1));
      expect(released(stand)).toBe(false);
    }
    expect(member.deadline(stand.world, stand.state)).toBeLessThanOrEqual(over);
    stand.to(over + 0.01);
    expect(released(stand)).toBe(true);
  });

  test('C6, C8: its own package it frees like all others', () => {
    const stand = Stand.coordinator();
    propose(stand, place('alpha'));
    stand.hearAnswer('beta', 2, v(1, 2));
    expect(served(stand)).toEqual(['web']);
    stand.job('web', true, 'running', v(1, 2));
    expect(propose(stand, place('beta'))).toBeNull();
    propose(stand, place('alpha', 'halt'));
    stand.hearAnswer('beta', 3, v(1, 3));
    expect(served(stand)).toEqual([]);
    expect(released(stand)).toBe(false);
    stand.job('web', false);
    expect(released(stand)).toBe(true);
  });

  test('C7: a halt keeps the epoch, and going on at the same node makes a new one', () => {
    const stand = placedOnBeta();
    propose(stand, place('beta', 'halt'));
    stand.hearAnswer('beta', 3, v(1, 3), ['web']);
    propose(stand, place('beta', 'run'));
    expect(stand.state.record.document?.placements['web']).toEqual({ node: 'beta', epoch: v(1, 4), state: 'run' });
  });

  test('C9: one that was coordinator a moment ago grants nothing and keeps its lease', () => {
    const stand = Stand.coordinator();
    const end = leaseEnd(stand);
    const before = stand.messages('beta', 'grant').length;
    stand.hearAppend('gamma', 2, 1);
    expect(stand.role).toBe('follower');
    expect(leaseEnd(stand)).toBe(end);
    stand.hearAnswer('beta', 9, v(1, 1));
    expect(stand.messages('beta', 'grant').length).toBe(before);
  });
});

describe('holder', () => {
  /** A follower of beta in term 1 whose document 1.2 places web here. */
  function holder(): Stand {
    const stand = new Stand();
    stand.to(2000).hearAppend('beta', 1, 1, documentOf(v(1, 2), on('alpha', v(1, 2))));
    return stand;
  }

  test('N1: a lease counts from the sending of the answer that it echoes', () => {
    const stand = holder();
    stand.to(2100).hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 2) });
    expect(leaseEnd(stand)).toBe(2900);
    stand.to(2900);
    expect(leaseEnd(stand)).toBeNull();
  });

  test.each([
    ['of another term', { term: 2 }],
    ['of another run of this daemon', { incarnation: '00000000000000bb' }],
    ['for an answer that was never sent', { echo: 999 }],
  ])('N1: a grant %s is dropped', (_, change) => {
    const stand = holder();
    stand.hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 2), ...change });
    expect(leaseEnd(stand)).toBeNull();
  });

  test('N2: it waits for the document that it needs, and its time runs', () => {
    const stand = holder();
    stand.to(2100).hearGrant('beta', 900, { need: v(1, 3), committed: v(1, 2) });
    expect(leaseEnd(stand)).toBeNull();
    stand.to(2200).hearAppend('beta', 1, 2, documentOf(v(1, 3), on('alpha', v(1, 2))));
    expect(leaseEnd(stand)).toBe(2900);
  });

  test('N2: a lease is only lengthened', () => {
    const stand = holder();
    stand.hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 2) });
    stand.hearGrant('beta', 300, { need: v(1, 2), committed: v(1, 2) });
    expect(leaseEnd(stand)).toBe(2900);
  });

  test('N3: served only under a lease, placed here to run, and committed as the lease says', () => {
    const stand = holder();
    expect(served(stand)).toEqual([]);
    stand.hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 1) });
    expect(served(stand)).toEqual([]);
    stand.hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 2) });
    expect(member.mayServe(stand.world, stand.state, stand.now)).toEqual({ web: v(1, 2) });
    stand.to(2900);
    expect(served(stand)).toEqual([]);
  });

  test('N3: a newer document that places it elsewhere ends it, before it is on the disk', () => {
    const stand = holder();
    stand.hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 2) });
    stand.job('web', true, 'running', v(1, 2));
    stand.syncs = false;
    stand.hearAppend('beta', 1, 2, documentOf(v(1, 3), on('beta', v(1, 3))));
    expect(served(stand)).toEqual([]);
  });

  test.each(['running', 'starting', 'suspended', 'halted'] as const)(
    'C7: told to halt, a package that is %s is served on, if at all, until that is known to be committed',
    (state) => {
      const stand = holder();
      stand.hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 2) });
      stand.job('web', true, state, v(1, 2));
      stand.hearAppend('beta', 1, 2, documentOf(v(1, 3), on('alpha', v(1, 2), 'halt')));
      expect(served(stand)).toEqual(state === 'running' || state === 'starting' ? ['web'] : []);
      stand.hearAppend('beta', 1, 3, undefined, v(1, 3));
      expect(served(stand)).toEqual([]);
    },
  );

  test('N3: a document of another term than the lease lets go on what runs, and starts nothing', () => {
    const stand = holder();
    stand.hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 2) });
    stand.hearAppend('gamma', 2, 1, documentOf(v(2, 3), on('alpha', v(1, 2))));
    expect(served(stand)).toEqual([]);
    for (const state of ['starting', 'running', 'suspended'] as const) {
      stand.job('web', true, state, v(1, 2));
      expect(served(stand)).toEqual(['web']);
    }
    stand.job('web', true, 'running', v(1, 1));
    expect(served(stand)).toEqual([]);
  });

  test('N5: the answer says what the kernel shows; a package that was not looked at yet counts as held', () => {
    const stand = holder();
    stand.job('web', true, 'halting');
    stand.hearAppend('beta', 1, 2);
    expect(stand.last('beta', 'answer').held).toEqual(['web']);
    delete stand.world.jobs['web'];
    stand.hearAppend('beta', 1, 3);
    expect(stand.last('beta', 'answer').held).toEqual(['web']);
  });

  test('N5: a package that is let go is reported at once', () => {
    const stand = holder();
    stand.job('web', true, 'halting');
    stand.hearAppend('beta', 1, 2);
    const before = stand.messages('beta', 'answer').length;
    stand.job('web', false);
    expect(member.deadline(stand.world, stand.state)).toBeLessThanOrEqual(stand.now);
    stand.take({ kind: 'woke' });
    expect(stand.messages('beta', 'answer')).toHaveLength(before + 1);
    expect(stand.last('beta', 'answer')).toMatchObject({ held: [], echo: { sequence: 2 } });
    expect(member.deadline(stand.world, stand.state)).toBeGreaterThan(stand.now);
  });

  test('N7: after a restart what runs is served only under a new grant', () => {
    const stand = new Stand({ record: { term: 1, document: documentOf(v(1, 2), on('alpha', v(1, 2))) } });
    stand.job('web', true, 'halted');
    expect(served(stand)).toEqual([]);
    stand.to(1100).hearAppend('beta', 1, 7);
    stand.hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 2) });
    expect(served(stand)).toEqual(['web']);
  });

  test('N8: a lease of an older term is good until its end', () => {
    const stand = holder();
    stand.hearGrant('beta', 900, { need: v(1, 2), committed: v(1, 2) });
    stand.hearAppend('gamma', 2, 1);
    expect(leaseEnd(stand)).toBe(2900);
  });

  test('3: a document in pieces is taken when it is whole, and answered; an incomplete one is ignored', () => {
    const packages = Array.from({ length: 30 }, (_, i) => `package${i}`);
    const coordinator = Stand.coordinator({ packages });
    const placements = Object.fromEntries(packages.map((name) => [name, { node: 'beta', state: 'run' as const }]));
    propose(coordinator, { placements });
    const pieces = coordinator.messages('beta', 'piece').filter(({ version }) => version.revision === 2);
    expect(pieces.length).toBeGreaterThan(1);
    expect(coordinator.last('beta', 'append').document).toEqual({ how: 'pieces' });
    const follower = new Stand({ name: 'beta', packages });
    follower.hear('alpha', coordinator.last('beta', 'append'));
    for (const piece of pieces.slice(1)) follower.hear('alpha', piece);
    expect(follower.last('alpha', 'answer').version).toEqual(v(0, 0));
    follower.hear('alpha', pieces[0]!);
    expect(follower.last('alpha', 'answer').version).toEqual(v(1, 2));
    expect(follower.state.record.document).toEqual(coordinator.state.record.document);
  });

  test('damaged parts are counted and change nothing', () => {
    const stand = holder();
    const before = JSON.stringify(stand.state.record);
    for (const kind of [16, 17, 18, 19, 20, 21, 22]) stand.hearParts('gamma', [{ kind, bytes: new Uint8Array(5) }]);
    expect(JSON.stringify(stand.state.record)).toBe(before);
    expect(stand.state.dropped).toEqual({ 'dialogue-malformed': 6, 'standing-malformed': 1 });
    expect(ids['alpha']).toBe(stand.state.record.storageId);
  });
});
