/** Another cluster file: leases that were given under it may be longer, and for other addresses (MEMBERSHIP E8, C4, C8; S12). */
import { describe, expect, test, vi } from 'vitest';
import type { Document } from '../../src/membership/document.js';
import * as member from '../../src/membership/member.js';
import { leaseMs, surelyOverMs } from '../../src/membership/span.js';
import { NEVER } from '../../src/membership/state.js';
import { documentOf, on, Stand, v } from './stand.js';
import { Arena } from './world.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

const OVER_MS = 10_000;

/** A document that was written under a file whose leases are over after ten seconds; web runs on gamma, which is silent. */
function former(change: Partial<Document> = {}): Document {
  return { ...documentOf(v(0, 0), on('gamma', v(0, 0))), digest: 'former', overMs: OVER_MS, ...change };
}

/** Elected with a vote that is 100 ms old, E9 answered by beta. */
function elected(document: Document): Stand {
  const stand = new Stand({ record: { document } }).wakeUntil(1600);
  stand.hearReply('beta', { pre: true, term: 0 });
  stand.hearReply('beta', { ageMs: 100 });
  stand.hearAnswer('beta', 1, v(1, 1));
  return stand;
}

const leaseEnd = (stand: Stand): number | null => member.leaseEnd(stand.world, stand.state, stand.now);
const changeable = (stand: Stand): Document | null => member.changeable(stand.world, stand.state, stand.now);
const released = (stand: Stand): boolean => member.isReleased(stand.world, stand.state, stand.now, 'web');

/** Until then beta answers each append. */
function keep(stand: Stand, until: number): void {
  for (let t = stand.now + 100; t <= until; t += 100) {
    stand.wakeUntil(t);
    stand.hearAnswer('beta', t, member.document(stand.state)!.version);
  }
}

describe('a document of another cluster file', () => {
  test('E8: it waits as long as the longest lease of that file may run', () => {
    const stand = elected(former());
    expect(stand.state.post).toMatchObject({ role: 'coordinator', oldLeasesEnd: 1500 + OVER_MS });
    keep(stand, 1500 + OVER_MS - 100);
    expect(released(stand)).toBe(false);
  });

  test('E8: and never shorter than its own file demands', () => {
    const { timing } = new Stand().world.cluster;
    const own = surelyOverMs(leaseMs(timing), timing);
    expect(elected(former({ overMs: 100 })).state.post).toMatchObject({ oldLeasesEnd: 1500 + own });
  });

  test('C4, C8: nobody is granted anything before, for an address may be in another package by now', () => {
    const stand = elected(former());
    expect(member.document(stand.state)).toMatchObject({ version: v(1, 1), digest: 'former', overMs: OVER_MS });
    keep(stand, 1500 + OVER_MS - 100);
    expect(stand.role).toBe('coordinator');
    expect(stand.messages('beta', 'grant')).toEqual([]);
    expect(leaseEnd(stand)).toBe(null);
    expect(changeable(stand)).toBe(null);
  });

  test('C4, C8: nor before that file is committed, for who is elected without it waits for the leases of the former one', () => {
    const stand = elected(former());
    keep(stand, 1500 + OVER_MS - 100);
    stand.wakeUntil(1500 + OVER_MS + 50);
    expect(member.document(stand.state)).toMatchObject({ version: v(1, 2), digest: 'd' });
    stand.hearAnswer('beta', 99_999, v(1, 1));
    expect(stand.messages('beta', 'grant')).toEqual([]);
    expect(leaseEnd(stand)).toBe(null);
  });

  test('then the document takes its own file, and with that is committed all goes on', () => {
    const stand = elected(former());
    keep(stand, 1500 + OVER_MS + 300);
    const { timing } = stand.world.cluster;
    const overMs = surelyOverMs(leaseMs(timing), timing);
    expect(member.document(stand.state)).toMatchObject({ version: v(1, 2), digest: 'd', overMs });
    expect(stand.last('beta', 'grant')).toMatchObject({ need: v(1, 2), committed: v(1, 2) });
    expect(leaseEnd(stand)).toBeGreaterThan(stand.now);
    expect(changeable(stand)).toMatchObject({ digest: 'd' });
  });

  test('one of its own file delays nothing', () => {
    const stand = elected(former({ digest: 'd' }));
    expect(stand.last('beta', 'grant')).toMatchObject({ committed: v(1, 1) });
    expect(changeable(stand)).not.toBe(null);
  });
});

test('P3: the first document says how long leases of its file run', () => {
  const arena = new Arena(1, { mode: 'n3', calm: true, packages: ['web'] });
  arena.runUntil(5000);
  const { timing } = arena.cluster;
  const overMs = surelyOverMs(leaseMs(timing), timing);
  for (const { state } of arena.nodes) expect(member.document(state)).toMatchObject({ digest: 'd', overMs });
  expect(arena.runsAll()).toBe(true);
});

test('8, S12: one of two nodes that is heard under another cluster file is not taken for dead', () => {
  const stand = new Stand({ mode: 's2', record: { document: documentOf(v(0, 0), on('beta', v(0, 0)), ['alpha']) } });
  const heard = (t: number): void => {
    stand.health.peers['beta'] = { health: 'unheard', since: 0, heardAt: NEVER, incarnation: '', otherFileAt: t };
  };
  for (let t = 1100; t <= 8000; t += 100) {
    heard(t);
    stand.wakeUntil(t);
  }
  expect(stand.role).toBe('follower');
  stand.wakeUntil(8000 + 2100);
  expect(stand.role).toBe('coordinator');
});
