/** Quorum none (MEMBERSHIP 8): each of two nodes is a quorum of itself. */
import { describe, expect, test, vi } from 'vitest';
import { raiseAlarm } from '../../src/membership/alarm.js';
import { mayBeShared } from '../../src/membership/node-view.js';
import { Arena } from './world.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

function running(seed: number): Arena {
  const arena = new Arena(seed, { mode: 's2', calm: true, packages: ['web'], verbose: !!process.env['V'] });
  arena.runUntil(5000);
  expect(arena.runsAll()).toBe(true);
  return arena;
}

function split(arena: Arena): void {
  for (const link of ['alpha>beta', 'beta>alpha']) arena.cut.add(link);
}

const terms = (arena: Arena): number[] => arena.nodes.map(({ state }) => state.record.term);

describe.each([1, 2, 3])('8, seed %i', (seed) => {
  test('two that start together have one coordinator', () => {
    const arena = running(seed);
    expect(arena.nodes.map((node) => arena.roleOf(node)).sort()).toEqual(['coordinator', 'follower']);
    expect(arena.overlapAt).toBe(-1);
  });

  test('a lone one serves after nodeTimeout and T(L)', () => {
    const arena = new Arena(seed, { mode: 's2', calm: true, packages: ['web'] });
    arena.runUntil(0.001);
    arena.node('beta').crash(true);
    arena.runUntil(2100);
    expect(arena.holder('web')).toBe('alpha');
  });

  test('the peer of a dead holder serves within nodeTimeout and T(L)', () => {
    const arena = running(seed);
    const holder = arena.holder('web')!;
    arena.node(holder).crash(true);
    arena.runUntil(7100);
    expect(arena.runsAll()).toBe(true);
    expect(arena.holder('web')).not.toBe(holder);
    arena.node(holder).start();
    arena.runUntil(10_000);
    expect(arena.holder('web')).not.toBe(holder);
    expect(arena.overlapAt).toBe(-1);
  });

  test('a holder whose peer dies goes on without a gap', () => {
    const arena = running(seed);
    const holder = arena.holder('web')!;
    arena.node(holder === 'alpha' ? 'beta' : 'alpha').crash(true);
    for (let t = 5010; t < 9000; t += 10) {
      arena.runUntil(t);
      if (arena.roleOf(arena.node(holder)) === 'coordinator') expect(arena.holder('web')).toBe(holder);
    }
    expect(arena.holder('web')).toBe(holder);
  });

  test('cut from each other both serve; on contact the lower term yields before it answers', () => {
    const arena = running(seed);
    split(arena);
    arena.runUntil(9000);
    expect(arena.overlapAt).toBeGreaterThan(5000);
    const [a, b] = terms(arena);
    expect(a).not.toBe(b);
    expect(a! % 2).not.toBe(b! % 2);
    const shared = (): boolean[] =>
      arena.nodes.map(({ world, state }) => mayBeShared(world, state, world.cluster.packages[0]!));
    expect(shared()).toEqual([true, true]);
    arena.cut.clear();
    arena.runUntil(9000 + 250);
    const winner = a! > b! ? 'alpha' : 'beta';
    expect(arena.holder('web')).toBe(winner);
    arena.runUntil(15_000);
    expect(arena.nodes.map((node) => arena.roleOf(node)).sort()).toEqual(['coordinator', 'follower']);
    expect(arena.runsAll()).toBe(true);
    expect(shared()[arena.nodes.findIndex(({ name }) => name === winner)]).toBe(false);
    expect(Object.keys(arena.nodes.flatMap(({ state }) => Object.keys(state.alarms)))).toEqual([]);
  });

  test('one that heard of the other before it yielded has no alarm once it follows', () => {
    const arena = running(seed);
    const follower = arena.nodes.find((node) => arena.roleOf(node) === 'follower')!;
    raiseAlarm(follower.state, 'dual', 'both nodes were coordinator at once', 5000, []);
    arena.runUntil(6000);
    expect(Object.keys(follower.state.alarms)).toEqual([]);
  });

  test('the one that reaches no target surrenders', () => {
    const arena = running(seed);
    const holder = arena.holder('web')!;
    for (const node of arena.nodes) node.health.reaches = node.name !== holder;
    split(arena);
    arena.runUntil(9000);
    expect(arena.holder('web')).toBe(holder === 'alpha' ? 'beta' : 'alpha');
  });
});
