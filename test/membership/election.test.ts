/** Persistence and election (MEMBERSHIP P1, P2, E1 to E10), a test a rule. Heartbeat 200 ms, promise 400 ms. */
import { describe, expect, test, vi } from 'vitest';
import { leaseMs, surelyOverMs } from '../../src/membership/span.js';
import { documentOf, ids, Stand, v, voter } from './stand.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

describe('persistence', () => {
  test('P1: no message leaves before what it depends on is on the disk', () => {
    const stand = new Stand();
    stand.syncs = false;
    stand.to(2000).hearAsk('beta', 1, v(0, 0));
    expect(stand.state.record).toMatchObject({ term: 1, votedFor: voter('beta') });
    expect(stand.messages('beta', 'reply')).toEqual([]);
    stand.sync();
    expect(stand.last('beta', 'reply')).toMatchObject({ yes: true, term: 1 });
  });

  test('P1: a disk that refuses is tried again each second, with an alarm, and nothing is said', () => {
    const stand = new Stand();
    stand.syncs = false;
    stand.to(2000).hearAsk('beta', 1, v(0, 0));
    const { id } = stand.state.storing.at(-1)!;
    stand.take({ kind: 'persisted', id, failed: { code: 'ENOSPC', text: 'No space left on device' } });
    expect(Object.keys(stand.state.alarms)).toContain('state-not-stored');
    stand.wakeUntil(2999);
    expect(stand.state.storing).toEqual([]);
    stand.wakeUntil(3000);
    expect(stand.state.storing).toHaveLength(1);
    expect(stand.said).toEqual([]);
    stand.sync();
    expect(Object.keys(stand.state.alarms)).not.toContain('state-not-stored');
    expect(stand.last('beta', 'reply').yes).toBe(true);
  });

  test('P1: standing words are of what is on the disk', () => {
    const stand = new Stand();
    const before = stand.health.words;
    stand.syncs = false;
    stand.to(2000).hearAsk('beta', 1, v(0, 0));
    expect(stand.health.words).toEqual(before);
    stand.sync();
    expect(stand.health.words).not.toEqual(before);
  });

  test.each([
    ['no record', { record: null }, 'no-record'],
    ['a damaged one', { record: null, damaged: true }, 'record-damaged'],
  ])('P2: with %s it is a new voter, blank', (_, options, cause) => {
    const stand = new Stand(options);
    expect(stand.state.record).toMatchObject({ term: 0, votedFor: null, document: null });
    expect(stand.state.record.storageId).toMatch(/^[0-9a-f]{32}$/);
    expect(stand.state.record.storageId).not.toBe(ids['alpha']);
    expect(stand.journal.find(({ event }) => event === 'state-lost')?.cause).toBe(cause);
  });

  test('P2: a blank node gives no vote and stands for nothing, but takes document and lease', () => {
    const stand = new Stand({ record: null });
    stand.to(2000).hearAsk('beta', 1, v(5, 5));
    stand.wakeUntil(6000);
    expect(stand.messages('beta', 'reply')).toEqual([]);
    expect(stand.role).toBe('follower');
    stand.hearAppend('beta', 3, 1, documentOf(v(3, 1), {}, ['beta', 'gamma']));
    expect(stand.last('beta', 'answer')).toMatchObject({ version: v(3, 1) });
    expect(stand.state.record.document?.version).toEqual(v(3, 1));
  });
});

describe('election', () => {
  test('E1: a message of a higher term is followed, and the vote forgotten', () => {
    const stand = new Stand({ record: { term: 1, votedFor: voter('beta') } });
    stand.hearAppend('gamma', 4, 1);
    expect(stand.state.record).toMatchObject({ term: 4, votedFor: null });
  });

  test('E1: a pre-ask is not', () => {
    const stand = new Stand();
    stand.to(2000).hearAsk('beta', 9, v(0, 0), true);
    expect(stand.state.record.term).toBe(0);
    expect(stand.last('beta', 'reply')).toMatchObject({ pre: true, yes: true, term: 0 });
  });

  test('E1: an older coordinator is told the term', () => {
    const stand = new Stand({ record: { term: 5 } });
    stand.hearAppend('beta', 4, 1);
    expect(stand.last('beta', 'reply')).toMatchObject({ yes: false, term: 5 });
    expect(stand.messages('beta', 'answer')).toEqual([]);
  });

  test('E2: it stands when electAt passes, also when its document does not list it', () => {
    const stand = new Stand({ record: { document: documentOf(v(2, 3), {}, ['beta', 'gamma']), term: 2 } });
    stand.wakeUntil(1700);
    expect(stand.last('beta', 'ask')).toMatchObject({ pre: true, term: 3, version: v(2, 3) });
  });

  test('E3: electAt is between one and one and a half promises after the last word of a coordinator', () => {
    for (const random of [0, 0.999]) {
      const stand = new Stand({ random });
      stand.to(5000).hearAppend('beta', 1, 1);
      expect(stand.state.electAt).toBeCloseTo(5000 + 400 * (1 + 0.5 * random), 5);
    }
  });

  test('E3: tries that fail come further apart, up to nodeTimeout, until a coordinator is heard', () => {
    const stand = new Stand({ random: 0 });
    const pauses: number[] = [];
    for (let tries = 0; tries < 5; tries++) {
      const at = stand.state.electAt;
      stand.wakeUntil(at);
      pauses.push(stand.state.electAt - at);
    }
    const expected = [400, 600, 900, 1000, 1000].map((ms) => 0.6 * ms);
    for (const [i, ms] of expected.entries()) expect(pauses[i]).toBeCloseTo(ms, 5);
    stand.hearAppend('beta', 1, 1);
    stand.wakeUntil(stand.state.electAt);
    expect(stand.state.tries).toBe(1);
  });

  test('E4: pre-vote is refused while a coordinator was heard within the promise', () => {
    const stand = new Stand();
    stand.to(5000).hearAppend('gamma', 1, 1);
    stand.to(5399).hearAsk('beta', 2, v(0, 0), true);
    expect(stand.last('beta', 'reply').yes).toBe(false);
    stand.to(5400).hearAsk('beta', 2, v(0, 0), true);
    expect(stand.last('beta', 'reply').yes).toBe(true);
  });

  test('E4: pre-vote is refused to an older document, and to a term that is not above', () => {
    const stand = new Stand({ record: { term: 2, document: documentOf(v(2, 1)) } });
    stand.to(2000).hearAsk('beta', 3, v(1, 9), true);
    expect(stand.last('beta', 'reply').yes).toBe(false);
    stand.hearAsk('beta', 2, v(2, 1), true);
    expect(stand.last('beta', 'reply').yes).toBe(false);
  });

  test('E4: who says yes puts its own election off', () => {
    const stand = new Stand();
    stand.to(1599).hearAsk('beta', 1, v(0, 0), true);
    expect(stand.state.electAt).toBeCloseTo(1599 + 300, 5);
  });

  test('E4: of two that stand at once the higher name gives way, the lower one does not', () => {
    const low = new Stand({ name: 'alpha' }).wakeUntil(1520);
    expect(low.role).toBe('pre-candidate');
    low.hearAsk('beta', 1, v(0, 0), true);
    expect(low.last('beta', 'reply').yes).toBe(false);
    const high = new Stand({ name: 'beta' }).wakeUntil(1520);
    high.hearAsk('alpha', 1, v(0, 0), true);
    expect(high.last('alpha', 'reply').yes).toBe(true);
    expect(high.role).toBe('follower');
  });

  test('E5: a vote is refused without taking the term while a coordinator was just heard', () => {
    const stand = new Stand();
    stand.to(5000).hearAppend('gamma', 1, 1);
    stand.to(5399).hearAsk('beta', 7, v(0, 0));
    expect(stand.state.record.term).toBe(1);
    expect(stand.messages('beta', 'reply')).toEqual([]);
  });

  test('E5: a vote is refused without taking the term while the own majority lease runs', () => {
    const stand = Stand.coordinator();
    stand.hearAsk('gamma', 7, v(9, 9));
    expect(stand.role).toBe('coordinator');
    expect(stand.state.record.term).toBe(1);
  });

  test('E5: one vote a term; the same candidate is told again, with a fresh age', () => {
    const stand = new Stand();
    stand.to(2000).hearAsk('beta', 1, v(0, 0));
    expect(stand.last('beta', 'reply')).toMatchObject({ yes: true, ageMs: 1000 });
    stand.to(2500).hearAsk('gamma', 1, v(0, 0));
    expect(stand.last('gamma', 'reply').yes).toBe(false);
    stand.to(2600).hearAsk('beta', 1, v(0, 0));
    expect(stand.last('beta', 'reply')).toMatchObject({ yes: true, ageMs: 1600 });
    stand.hearAsk('beta', 1, v(0, 0), false, 'e'.repeat(32));
    expect(stand.last('beta', 'reply').yes).toBe(false);
  });

  test('E5: no vote for an older document, but its term is taken', () => {
    const stand = new Stand({ record: { term: 2, document: documentOf(v(2, 2)) } });
    stand.to(2000).hearAsk('beta', 5, v(2, 1));
    expect(stand.state.record).toMatchObject({ term: 5, votedFor: null });
    expect(stand.messages('beta', 'reply')).toEqual([]);
  });

  test('E6: after a restart the age counts from the start', () => {
    const stand = new Stand({ record: { term: 3, document: documentOf(v(3, 3)) } });
    stand.to(1050).hearAsk('beta', 4, v(3, 3));
    expect(stand.messages('beta', 'reply')).toEqual([]);
    stand.to(1400).hearAsk('beta', 4, v(3, 3));
    expect(stand.last('beta', 'reply').ageMs).toBe(400);
  });

  test('E7: votes of other storage ids do not count', () => {
    const stand = new Stand().wakeUntil(1600);
    stand.hearReply('beta', { pre: true, term: 0 });
    expect(stand.role).toBe('candidate');
    const stranger = {
      kind: 'reply',
      pre: false,
      yes: true,
      term: 1,
      storageId: '9'.repeat(32),
      round: 2,
      ageMs: 9000,
    } as const;
    stand.hear('beta', stranger);
    expect(stand.role).toBe('candidate');
    stand.hearReply('beta');
    expect(stand.role).toBe('coordinator');
  });

  test('E7: its own vote counts once it is on the disk', () => {
    const stand = new Stand().wakeUntil(1600);
    stand.syncs = false;
    stand.hearReply('beta', { pre: true, term: 0 });
    const round = 2;
    stand.hear('beta', { kind: 'reply', pre: false, yes: true, term: 1, storageId: ids['beta']!, round, ageMs: 9000 });
    expect(stand.role).toBe('candidate');
    stand.sync();
    expect(stand.role).toBe('coordinator');
  });

  test('E8: older leases are over T(L) after the newest answer of any voter', () => {
    const stand = new Stand({
      mode: 'n4',
      record: { document: documentOf(v(0, 0), {}, ['alpha', 'beta', 'gamma', 'delta']) },
    });
    stand.wakeUntil(1600);
    for (const peer of ['beta', 'gamma']) stand.hearReply(peer, { pre: true, term: 0 });
    stand.hearReply('beta', { ageMs: 100 });
    stand.hearReply('gamma', { ageMs: 900 });
    const { timing } = stand.world.cluster;
    expect(stand.state.post).toMatchObject({
      role: 'coordinator',
      oldLeasesEnd: 1600 - 100 + surelyOverMs(leaseMs(timing), timing),
    });
  });

  test('E9: the first act is the own document under the own term; nothing is granted or proposed before it is committed', () => {
    const stand = new Stand().wakeUntil(1600);
    stand.hearReply('beta', { pre: true, term: 0 });
    stand.hearReply('beta');
    expect(stand.state.record.document).toMatchObject({ ...documentOf(v(0, 0)), version: v(1, 1) });
    expect(stand.last('beta', 'append')).toMatchObject({ term: 1, committed: v(-1, 0), document: { how: 'whole' } });
    stand.hearAnswer('beta', 1, v(0, 0));
    expect(stand.messages('beta', 'grant')).toEqual([]);
    stand.hearAnswer('beta', 2, v(1, 1));
    expect(stand.last('beta', 'grant')).toMatchObject({ committed: v(1, 1) });
  });

  test('E10: just after the host started it does not stand if it needs the arbiter, unless a coordinator was heard', () => {
    const voters = ['alpha', 'beta', '@arbiter'];
    const options = { mode: 'a2', hostUpMs: 2000, record: { document: documentOf(v(0, 0), {}, voters) } } as const;
    const patient = new Stand(options).wakeUntil(8900);
    expect(patient.messages('beta', 'ask')).toEqual([]);
    patient.wakeUntil(9600);
    expect(patient.messages('beta', 'ask')).not.toEqual([]);
    const restarted = new Stand({ ...options, hostUpMs: 20_000 }).wakeUntil(1700);
    expect(restarted.messages('beta', 'ask')).not.toEqual([]);
    const led = new Stand(options);
    led.hearAppend('beta', 1, 1);
    led.wakeUntil(1700);
    expect(led.messages('beta', 'ask')).not.toEqual([]);
    const together = new Stand(options);
    together.hearWords('beta', { version: v(0, 0) });
    together.wakeUntil(1700);
    expect(together.messages('beta', 'ask')).not.toEqual([]);
  });

  test('DESIGN 3: silence during the own stall counts against nobody', () => {
    const stand = new Stand();
    stand.hearAppend('beta', 1, 1);
    stand.to(4000).take({ kind: 'stalled', forMs: 3000 });
    stand.take({ kind: 'woke' });
    expect(stand.role).toBe('follower');
    stand.hearAppend('beta', 1, 9);
    stand.wakeUntil(4300);
    expect(stand.messages('beta', 'ask')).toEqual([]);
  });

  test('DESIGN 6: a coordinator that says it leaves is replaced at once', () => {
    const stand = new Stand();
    stand.hearAppend('beta', 1, 1);
    stand.health.peers['beta']!.health = 'left';
    stand.to(1010).take({ kind: 'datagram-received', nic: 'eth0', to: '', from: '', bytes: new Uint8Array() });
    stand.hearWords('gamma', { version: v(0, 0) });
    stand.wakeUntil(1111);
    expect(stand.last('gamma', 'ask')).toMatchObject({ pre: true, term: 2 });
    stand.hearAsk('gamma', 2, v(0, 0), true);
    expect(stand.last('gamma', 'reply')).toBeDefined();
  });
});
