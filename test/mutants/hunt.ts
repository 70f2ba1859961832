/** Seed after seed, until an invariant says what a bug has done. */
import type { InvariantName, Mutant } from './mutant.js';
import { runTrial } from './trial.js';

export interface HuntOptions {
  /** Built with the bug, and without it. */
  explorer: string;
  clean: string;
  /** What may say so; another invariant that the bug breaks, too, is not what it is planted for. */
  caughtBy: readonly InvariantName[];
  /** So many at most. */
  seeds: number;
  aims: readonly (string | null)[];
}

export interface Caught {
  invariant: InvariantName;
  seed: number;
  text: string;
}

export interface Hunt {
  aim: string | null;
  caught: Caught | null;
  seeds: number;
  /** Processor time of the explorer with the bug in it. */
  cpuMs: number;
  broke: string | null;
}

/** Of one seed, with a bug that makes it slow. */
const SEED_WITHIN_MS = 120_000;

/** The aim that is asked for, else the one that it is known to be caught by. */
export function aimsOf({ aim }: Mutant, asked: string | undefined): (string | null)[] {
  return [asked === undefined ? aim : asked === 'drawn' ? null : asked];
}

/** From 1 on. A seed that breaks an invariant without the bug, too, catches nothing. */
export async function hunt({ explorer, clean, caughtBy, seeds, aims }: HuntOptions): Promise<Hunt> {
  const found: Hunt = { aim: null, caught: null, seeds: 0, cpuMs: 0, broke: null };
  for (const aim of aims) {
    found.aim = aim;
    for (let from = 1; from <= seeds;) {
      const withinMs = SEED_WITHIN_MS * Math.min(20, seeds - from + 1);
      const { lines, broke } = await runTrial({
        explorer,
        order: { aim, from, to: seeds, untilCaught: true },
        withinMs,
      });
      found.seeds += lines.length;
      for (const { cpuMs } of lines) found.cpuMs += cpuMs;
      found.broke = broke;
      const last = lines.at(-1);
      if (last === undefined) break;
      from = last.seed + 1;
      const said = last.violations.find((one) => caughtBy.some((name) => name === one.invariant));
      if (said === undefined || !(await isClean(clean, aim, last.seed))) continue;
      found.caught = { invariant: said.invariant as InvariantName, seed: last.seed, text: said.text };
      return found;
    }
  }
  return found;
}

export async function isClean(clean: string, aim: string | null, seed: number): Promise<boolean> {
  const trial = await runTrial({
    explorer: clean,
    order: { aim, from: seed, to: seed, untilCaught: true },
    withinMs: SEED_WITHIN_MS,
  });
  return trial.broke === null && trial.lines.every(({ violations }) => violations.length === 0);
}
