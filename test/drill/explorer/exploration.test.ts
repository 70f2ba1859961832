/** The explorer: what it draws is sound, the same seed is the same story, and a few seeds keep every invariant. */
import { describe, expect, test } from 'vitest';
import { Random } from '../../../drivers/simulator/random.js';
import { parseCluster } from '../../../src/config/parse.js';
import { exploreSeed } from '../../../src/drill/explorer/exploration.js';
import { drawSchedule } from '../../../src/drill/explorer/schedule.js';
import { drawTopology } from '../../../src/drill/explorer/topology.js';
import { parseFault } from '../../../src/drill/scenario.js';
import { stringify } from 'yaml';

/** A minute or so of virtual time each; more are tried by `baton scenario explore`. */
const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

describe('what a seed draws', () => {
  test.each(Array.from({ length: 60 }, (_, i) => i))(
    'seed %i: a cluster file that is accepted, blows that are known',
    (seed) => {
      const random = new Random(seed).stream('explore');
      const drawn = drawTopology(seed, random);
      const file = { cluster: 'drill', key: '/k', ...drawn.scenario.cluster };
      expect(() => parseCluster(stringify(file), 'drawn')).not.toThrow();
      const { blows, endsAt } = drawSchedule(random, drawn);
      for (const blow of blows) {
        expect(blow.at).toBeLessThan(endsAt);
        if (blow.do === 'inflict' && !blow.fault.startsWith('isolate'))
          expect(() => parseFault(blow.fault)).not.toThrow();
      }
    },
  );

  test('many kinds of blows and sizes of clusters come up', () => {
    const verbs = new Set<string>();
    const sizes = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const random = new Random(seed).stream('explore');
      const drawn = drawTopology(seed, random);
      sizes.add(drawn.nodes.length);
      for (const blow of drawSchedule(random, drawn).blows)
        verbs.add(blow.do === 'inflict' ? blow.fault.split(' ')[0]! : blow.do);
    }
    expect([...sizes].sort()).toEqual([2, 3, 4, 5]);
    expect(verbs.size).toBeGreaterThan(24);
  });
});

test('the same seed is the same story, byte for byte; another seed another', async () => {
  const first = await exploreSeed(2);
  expect((await exploreSeed(2)).story).toBe(first.story);
  expect((await exploreSeed(4)).traceHash).not.toBe(first.traceHash);
}, 300_000);

test.each(SEEDS)(
  'seed %i keeps what must hold',
  async (seed) => {
    const { violations } = await exploreSeed(seed);
    expect(violations).toEqual([]);
  },
  300_000,
);
