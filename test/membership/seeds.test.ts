/**
 * Random troubles against the real stage. `BATON_SEEDS=5000` plays more, `BATON_SEED=17` one of them with its journal,
 * `BATON_MODE=a2` only clusters of that kind.
 */
import { expect, test, vi } from 'vitest';
import { isViolation, play } from './troubles.js';
import type { Mode } from './world.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

const mode = process.env['BATON_MODE'] as Mode | undefined;
const one = process.env['BATON_SEED'];
const from = Number(process.env['BATON_FROM'] ?? 1);
const count = Number(process.env['BATON_SEEDS'] ?? 100);

test.runIf(one !== undefined)('one seed, told', () => {
  const arena = play(Number(one), mode, true);
  console.log(arena.stat);
});

test.runIf(one === undefined && mode === undefined).each(['d2', 'd4'] as const)(
  'an arbiter on a disk brings none of that either: %s',
  (kind) => {
    for (let seed = from; seed < from + Math.ceil(count / 10); seed++) play(seed, kind);
  },
  36_000_000,
);

test.runIf(one === undefined)(
  'no seed brings two holders, two coordinators, a lost document, or a cluster that stays down',
  () => {
    const total: Record<string, number> = {};
    const violations: string[] = [];
    const heal: number[] = [];
    for (let seed = from; seed < from + count && violations.length < 5; seed++) {
      try {
        const { stat } = play(seed, mode);
        for (const [what, times] of Object.entries(stat))
          if (what !== 'heal-ms') total[what] = (total[what] ?? 0) + times;
        if (stat['heal-ms'] !== undefined) heal.push(stat['heal-ms']);
      } catch (error) {
        if (!isViolation(error)) throw error;
        violations.push(error.message);
        console.log(error.message);
      }
    }
    heal.sort((a, b) => a - b);
    if (count > 100)
      console.log(JSON.stringify({ ...total, healMedian: heal[heal.length >> 1], healMax: heal.at(-1) }));
    expect(violations).toEqual([]);
  },
  36_000_000,
);
