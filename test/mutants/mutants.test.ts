/**
 * Planted bugs that are known to be caught: each still is, by the seed that is known to do it, and that seed finds nothing
 * where there is no bug. `npm run mutants` looks for the seeds.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, describe, expect, test } from 'vitest';
import { AIMS } from '../../src/drill/explorer/aimed.js';
import { exploreSeed } from '../../src/drill/explorer/exploration.js';
import { Builder, ROOT } from './build.js';
import { MUTANTS } from './catalogue.js';
import { planted, type Mutant } from './mutant.js';
import { page } from './page.js';
import { runTrial, type Trial } from './trial.js';

const WITHIN_MS = 240_000;
/** All that DESIGN 15 lists. */
const INVARIANTS = [
  ...Array.from({ length: 13 }, (_, i) => `S${i + 1}`),
  ...Array.from({ length: 6 }, (_, i) => `L${i + 1}`),
];

describe('the catalogue', () => {
  test('has at least 30 bugs under names of their own, and one for each invariant', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(MUTANTS.length).toBeGreaterThanOrEqual(30);
    const named = new Set<string>(MUTANTS.flatMap(({ caughtBy }) => caughtBy));
    expect(INVARIANTS.filter((name) => !named.has(name))).toEqual([]);
  });

  test.each(MUTANTS)('$name: its places are there, the file with it is one, and its aim is known', async (mutant) => {
    for (const file of new Set(mutant.edits.map((edit) => edit.file))) {
      expect(existsSync(join(ROOT, file))).toBe(true);
      const text = planted(mutant, file, await readFile(join(ROOT, file), 'utf8'));
      await expect(transform(text, { loader: 'ts' })).resolves.toBeDefined();
    }
    if (mutant.aim !== null) expect(Object.keys(AIMS)).toContain(mutant.aim);
  });

  test('docs/mutants.md has them all, each caught', async () => {
    const text = await readFile(join(ROOT, 'docs/mutants.md'), 'utf8');
    const told = [...text.matchAll(/^\| ([a-z\d-]+) \| (.*?) \| ([SL]\d+) \|/gm)].map(([, name, plants]) => [
      name,
      plants,
    ]);
    const hint = 'npm run mutants -- --markdown docs/mutants.md';
    expect(told, hint).toEqual(MUTANTS.map(({ name, plants }) => [name, plants]));
  });

  test('the page has them in the order of the catalogue, and says which survived', () => {
    const [one, other] = MUTANTS as [Mutant, Mutant];
    const caught = { invariant: 'S1', seed: 3, text: '' } as const;
    const text = page(
      [one, other],
      [
        { mutant: other, found: { aim: null, caught: null, seeds: 9, cpuMs: 4000, broke: null } },
        { mutant: one, found: { aim: 'leftover', caught, seeds: 3, cpuMs: 1250, broke: null } },
      ],
    );
    expect(text).toContain('1 of 2 are caught. Seeds needed: 3 in the median, 3 at most; 5.3 s');
    expect(text.trim().split('\n').slice(-2)).toEqual([
      `| ${one.name} | ${one.plants} | S1 | leftover | 3 | 1.3 |`,
      `| ${other.name} | ${other.plants} | **none** | drawn | 9 | 4.0 |`,
    ]);
  });

  test('a place that is gone, or there twice, is told', () => {
    const name = 'example';
    const edits = [{ file: 'a.ts', find: 'one', replace: 'two' }];
    expect(planted({ name, edits }, 'a.ts', 'only one')).toBe('only two');
    expect(planted({ name, edits }, 'b.ts', 'only one')).toBe('only one');
    expect(() => planted({ name, edits }, 'a.ts', 'two')).toThrow('has its place 0 times');
    expect(() => planted({ name, edits }, 'a.ts', 'one one')).toThrow('has its place 2 times');
  });
});

const builder = new Builder();
afterAll(() => builder.end());

function run(explorer: string, aim: string | null, seed: number): Promise<Trial> {
  return runTrial({ explorer, order: { aim, from: seed, to: seed, untilCaught: true }, withinMs: WITHIN_MS });
}

test.each(MUTANTS)(
  '$name is caught: $plants',
  async (mutant) => {
    const { lines, broke } = await run(await builder.build(mutant), mutant.aim, mutant.seed);
    expect(broke).toBeNull();
    const said = lines.flatMap(({ violations }) => violations.map(({ invariant }) => invariant));
    const hint = `said: ${said.join(' ') || 'nothing'}; npm run mutants -- ${mutant.name} looks for another seed`;
    expect(
      said.some((name) => mutant.caughtBy.some((known) => known === name)),
      hint,
    ).toBe(true);
  },
  WITHIN_MS,
);

const seeds = [...new Map(MUTANTS.map(({ aim, seed }) => [`${aim} ${seed}`, { aim, seed }])).values()];

test.each(seeds)(
  'without a bug nothing is said: $aim, seed $seed',
  async ({ aim, seed }) => {
    expect((await exploreSeed(seed, aim)).violations).toEqual([]);
  },
  WITHIN_MS,
);
