/** Formation, force and the arbiter (MEMBERSHIP P3, A1 to A6), a test a rule. */
import { describe, expect, test, vi } from 'vitest';
import type { Action } from '../../src/action.js';
import type { ArbiterRecord } from '../../src/membership/arbiter-record.js';
import * as member from '../../src/membership/member.js';
import { documentOf, ids, on, Stand, v, voter } from './stand.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

const VOTERS = ['alpha', 'beta', '@arbiter'];
const stamp = (modified: number, created = 1) => ({ created: String(created), modified: String(modified) });

function register(change: Partial<ArbiterRecord> = {}): ArbiterRecord {
  return {
    storageId: ids['@arbiter']!,
    term: 0,
    votedFor: null,
    document: documentOf(v(0, 0), {}, VOTERS),
    beat: 0,
    ...change,
  };
}

function force(stand: Stand, dryRun = false): string | null {
  const out: Action[] = [];
  const refusal = member.force(stand.world, stand.state, stand.now, dryRun, out);
  stand.actions.push(...out);
  stand.sync();
  return refusal;
}

const waiting = (stand: Stand): string | undefined =>
  member.status(stand.world, stand.state, stand.now).membership?.waiting;

describe('first formation', () => {
  test('P3: the lowest name forms the cluster once all are there and blank', () => {
    const stand = new Stand({ record: null });
    stand.hearWords('beta');
    expect(stand.state.record.document).toBeNull();
    expect(waiting(stand)).toBe('waits for gamma');
    stand.hearWords('gamma');
    expect(stand.state.record.document).toMatchObject({
      version: v(0, 0),
      voters: { next: [{ name: 'alpha', storageId: stand.state.record.storageId }, voter('beta'), voter('gamma')] },
      placements: { web: { node: null, epoch: v(0, 0), state: 'run' } },
    });
    expect(stand.journal.at(-1)).toMatchObject({ event: 'formed', cause: 'all-present' });
    expect(stand.last('beta', 'piece').founds).toBe(true);
  });

  test('P3: no other name does, and none where one has a document already', () => {
    const higher = new Stand({ name: 'beta', record: null });
    higher.hearWords('alpha').hearWords('gamma');
    expect(higher.state.record.document).toBeNull();
    const late = new Stand({ record: null });
    late.hearWords('beta').hearWords('gamma', { version: v(2, 2) });
    expect(late.state.record.document).toBeNull();
    expect(waiting(late)).toBe('waits for a coordinator');
  });

  test('P3: a blank voter takes the first document, one that is not in it does not', () => {
    const founder = new Stand({ record: null });
    const blank = new Stand({ name: 'beta', record: null });
    const { storageId } = blank.state.record;
    founder.hearWords('beta', { storageId }).hearWords('gamma');
    const piece = founder.last('beta', 'piece');
    blank.hear('alpha', piece);
    expect(blank.state.record.document).toEqual(founder.state.record.document);
    const stranger = new Stand({ name: 'gamma', record: null });
    stranger.hear('alpha', piece);
    expect(stranger.state.record.document).toBeNull();
    expect(stranger.state.dropped).toEqual({ 'founded-without-us': 1 });
  });

  test('P3: a founder that was restarted goes on telling', () => {
    const stand = new Stand({ record: { document: documentOf(v(0, 0)) } });
    stand.hearWords('beta');
    expect(stand.last('beta', 'piece').founds).toBe(true);
  });

  test('P3: with an arbiter only if its key is absent; its creation brings the document', () => {
    const stand = new Stand({ mode: 'a2', record: null });
    stand.hearWords('beta');
    expect(stand.asked.at(-1)?.request).toEqual({ ask: 'read' });
    expect(stand.state.record.document).toBeNull();
    stand.answerArbiter({ outcome: 'missing' });
    stand.wakeUntil(1100);
    const { request } = stand.asked.at(-1)!;
    if (request.ask !== 'create') throw new Error(request.ask);
    expect(request.record.document.voters.next.map(({ name }) => name)).toEqual(VOTERS);
    stand.answerArbiter({ outcome: 'done', stamp: stamp(1), record: request.record });
    expect(stand.state.record.document).toEqual(request.record.document);
    expect(stand.journal.some(({ event }) => event === 'formed')).toBe(true);
  });
});

describe('force', () => {
  test('P3: a document above all terms that can be read, with the voters that are there', () => {
    const placed = documentOf(v(4, 2), on('gamma', v(4, 2)));
    const stand = new Stand({ record: { term: 4, document: placed } });
    stand.to(5000).hearWords('beta', { term: 6, version: v(3, 1) });
    stand.health.peers['gamma'] = { health: 'lost', since: 0, heardAt: 0, incarnation: 'x' };
    stand.state.record = {
      ...stand.state.record,
      document: { ...placed, voters: { next: ['alpha', 'gamma', 'delta'].map(voter) } },
    };
    expect(force(stand)).toBeNull();
    expect(stand.state.record).toMatchObject({
      term: 7,
      document: { version: v(7, 0), voters: { next: [voter('alpha'), voter('beta')] }, placements: placed.placements },
    });
  });

  test('P3: refused while the cluster runs, and where a reachable node has a newer document', () => {
    const led = new Stand();
    led.hearAppend('beta', 1, 1);
    expect(force(led)).toBe('the cluster runs: beta is coordinator');
    expect(force(led, true)).toBe('the cluster runs: beta is coordinator');
    const older = new Stand();
    older.to(5000).hearWords('gamma', { version: v(2, 2) });
    expect(force(older)).toBe('gamma has a newer document: force it there');
  });

  test('P3: a blank cluster of which only a part is there', () => {
    const stand = new Stand({ record: null });
    stand.to(5000).hearWords('beta');
    expect(force(stand, true)).toBeNull();
    expect(stand.state.record.document).toBeNull();
    expect(force(stand)).toBeNull();
    expect(stand.state.record.document).toMatchObject({ version: v(1, 0) });
    stand.to(5001).take({ kind: 'woke' });
    expect(stand.last('beta', 'piece').founds).toBe(true);
  });

  test('E10: where only patience is missing it ends that, and writes nothing', () => {
    const stand = new Stand({ mode: 'a2', hostUpMs: 0, record: { document: documentOf(v(0, 0), {}, VOTERS) } });
    stand.wakeUntil(1900).answerArbiter({ outcome: 'done', stamp: stamp(1), record: register() });
    expect(waiting(stand)).toMatch(/^waits 10 s for beta to appear$/);
    expect(force(stand)).toBeNull();
    stand.to(1901).take({ kind: 'woke' });
    expect(stand.role).toBe('pre-candidate');
    expect(stand.state.record.document?.version).toEqual(v(0, 0));
  });
});

describe('arbiter', () => {
  const withRegister = (change: Partial<ArbiterRecord> = {}): Stand => {
    const stand = new Stand({ mode: 'a2', record: { document: documentOf(v(0, 0), {}, VOTERS) } });
    stand.wakeUntil(1000).answerArbiter({ outcome: 'done', stamp: stamp(5), record: register(change) });
    return stand;
  };
  const again = (stand: Stand, modified = 5, change: Partial<ArbiterRecord> = {}): Stand =>
    stand.answerArbiter({ outcome: 'done', stamp: stamp(modified), record: register(change) });
  /** Answers what is asked until then, always the same. */
  const calmUntil = (stand: Stand, now: number): Stand => {
    while (stand.now < now) {
      stand.wakeUntil(Math.min(now, stand.now + 10));
      if (stand.state.arbiter?.question?.request.ask === 'read') again(stand);
    }
    return stand;
  };

  test('A1: a higher term in it is followed, a newer document stored (A5)', () => {
    const newer = documentOf(v(3, 1), {}, VOTERS);
    const stand = withRegister({ term: 4, document: newer });
    expect(stand.state.record).toMatchObject({ term: 4, document: newer });
  });

  test('A2: asked only where the nodes alone are no fresh quorum; its ack counts from when it was asked', () => {
    const stand = withRegister();
    calmUntil(stand, 1600);
    stand.hearReply('beta', { pre: true, term: 0 });
    stand.hearReply('beta');
    stand.hearAnswer('beta', 1, v(1, 1));
    expect(stand.role).toBe('coordinator');
    again(stand, 6, { term: 1, votedFor: voter('alpha') });
    const wrote = stand.asked.at(-1)!.request;
    if (wrote.ask !== 'write') throw new Error(wrote.ask);
    expect(wrote).toMatchObject({
      expect: stamp(6),
      record: { term: 1, votedFor: voter('alpha'), document: { version: v(1, 1) }, beat: 1 },
    });
    const askedAt = stand.state.arbiter!.askedAt;
    stand.to(askedAt + 30).answerArbiter({ outcome: 'done', stamp: stamp(7), record: wrote.record });
    const { post } = stand.state;
    const key = `@arbiter/${ids['@arbiter']!}`;
    expect(post.role === 'coordinator' && post.acked[key]).toEqual({ sentAt: askedAt, version: v(1, 1) });
    const count = stand.asked.length;
    stand.wakeUntil(stand.now + 150);
    expect(stand.asked.length).toBe(count);
    stand.wakeUntil(stand.now + 400);
    expect(stand.asked.at(-1)!.request).toMatchObject({ ask: 'write', record: { beat: 2 } });
  });

  test('A3, A4: the vote is one compare-and-swap, its age the time since this stamp was first seen', () => {
    const stand = withRegister();
    calmUntil(stand, 1600);
    expect(stand.role).toBe('candidate');
    const wrote = stand.asked.at(-1)!.request;
    if (wrote.ask !== 'write') throw new Error(wrote.ask);
    expect(wrote).toMatchObject({
      expect: stamp(5),
      record: { term: 1, votedFor: voter('alpha'), beat: 0, document: { version: v(0, 0) } },
    });
    stand.answerArbiter({ outcome: 'done', stamp: stamp(6), record: wrote.record });
    expect(stand.role).toBe('coordinator');
    const { post } = stand.state;
    // First seen at 1000, as was the own start: nothing older can be counted.
    expect(post.role === 'coordinator' && post.oldLeasesEnd).toBeCloseTo(1000 + 1000, -1);
  });

  test('A3: no vote of it where its document is newer, or a rival was faster', () => {
    const stand = withRegister();
    calmUntil(stand, 1600);
    stand.answerArbiter({
      outcome: 'refused',
      stamp: stamp(6),
      record: register({ term: 1, votedFor: voter('beta') }),
    });
    expect(stand.role).toBe('candidate');
    stand.answerArbiter({ outcome: 'unknown', text: '' });
    expect(stand.role).toBe('candidate');
  });

  test('A4: as pre-vote it must not have changed for the promise; a change of the same term means somebody coordinates', () => {
    const stand = withRegister();
    stand.wakeUntil(1400);
    again(stand, 6, { beat: 1 });
    expect(stand.state.electAt).toBeCloseTo(1400 + 500, 5);
    expect(stand.role).toBe('follower');
  });

  test('A4: read each nodeTimeout in peace, and often from one and a half heartbeats of silence on', () => {
    const stand = withRegister();
    const count = stand.asked.length;
    for (let t = 1000; t < 3200; t += 100) {
      stand.to(t).hearAppend('beta', 1, t);
      stand.wakeUntil(t + 90);
      if (stand.state.arbiter?.question) again(stand);
    }
    expect(stand.asked.length - count).toBe(2);
    const calm = stand.asked.length;
    for (let t = 3200; t < 3550; t += 10) {
      stand.wakeUntil(t);
      if (stand.state.arbiter?.question?.request.ask === 'read') again(stand);
    }
    expect(stand.asked.length - calm).toBeGreaterThan(1);
  });

  test('A6, V4: a missing key is made anew by the coordinator with another storage id, which votes once the voters were changed', () => {
    const stand = withRegister();
    calmUntil(stand, 1600);
    stand.hearReply('beta', { pre: true, term: 0 });
    stand.hearReply('beta');
    stand.hearAnswer('beta', 1, v(1, 1));
    stand.answerArbiter({ outcome: 'missing' });
    stand.wakeUntil(stand.now + 100);
    const { request } = stand.asked.at(-1)!;
    if (request.ask !== 'create') throw new Error(request.ask);
    const { storageId } = request.record;
    expect(storageId).not.toBe(ids['@arbiter']);
    expect(request.record.document).toEqual(stand.state.record.document);
    let { record } = request;
    stand.answerArbiter({ outcome: 'done', stamp: stamp(9, 9), record });
    expect(Object.keys(stand.state.post.role === 'coordinator' ? stand.state.post.acked : {})).not.toContain(
      `@arbiter/${ids['@arbiter']}`,
    );
    for (let t = stand.now + 50; t < 3400; t += 50) {
      stand.wakeUntil(t);
      const { question } = stand.state.arbiter!;
      if (question?.request.ask === 'write') ({ record } = question.request);
      if (question) stand.answerArbiter({ outcome: 'done', stamp: stamp(9, 9), record });
      stand.hearAnswer('beta', t, stand.state.record.document!.version);
    }
    const changes = stand.journal.filter(({ event }) => event === 'voters').map(({ cause }) => cause);
    expect(changes.slice(-2)).toEqual(['joint', 'final']);
    expect(stand.state.record.document?.voters).toEqual({
      next: [voter('alpha'), voter('beta'), { name: '@arbiter', storageId }],
    });
  });

  test('one question at a time, an unknown outcome counts for nothing', () => {
    const stand = withRegister();
    const count = stand.asked.length;
    stand.wakeUntil(1500);
    expect(stand.asked.length).toBe(count + 1);
    stand.answerArbiter({ outcome: 'unknown', text: 'no answer in time' });
    stand.wakeUntil(1552);
    expect(stand.asked.length).toBeGreaterThan(count + 1);
  });
});
