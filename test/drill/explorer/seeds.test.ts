/** Some seeds keep every invariant. More of them: `BATON_EXPLORE=500`, which `.ci/run` sets; without end: `npm run explore:night`. */
import { availableParallelism } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { Builder } from '../../mutants/build.js';
import type { SubjectLine } from '../../mutants/subject.js';
import { runTrial } from '../../mutants/trial.js';

/** A minute or so of virtual time each. */
const SEEDS = Number(process.env['BATON_EXPLORE'] ?? 12);
const TOLD_EVERY = 100;
/** Of a busy machine, for all of them together. */
const WITHIN_MS = 300_000 + SEEDS * 5000;
/** A process is warm only after some seeds, and a cold one takes several times as long for each. */
const WORTH_A_JOB = 50;

const builder = new Builder();
afterAll(() => builder.end());

/** What is wrong with it, and the command that shows it again. */
function complaint({ seed, violations }: SubjectLine): string[] {
  const [first] = violations;
  if (first === undefined) return [];
  const again = `node bin/baton.js scenario explore --seeds ${seed} --trace`;
  return [`seed ${seed}: ${first.invariant} at ${first.at.toFixed(0)} ms: ${first.text}; ${again}`];
}

test(
  `${SEEDS} seeds keep what must hold`,
  async () => {
    const explorer = await builder.build(null);
    const lines: SubjectLine[] = [];
    const onSeed = (line: SubjectLine): void => {
      lines.push(line);
      if (lines.length % TOLD_EVERY !== 0 && complaint(line).length === 0) return;
      process.stderr.write(`explored ${lines.length} of ${SEEDS} seeds ${complaint(line).join()}\n`);
    };
    const jobs = Math.min(availableParallelism(), Math.ceil(SEEDS / WORTH_A_JOB));
    const trials = await Promise.all(
      Array.from({ length: jobs }, (_, n) => {
        const order = { from: n + 1, to: SEEDS, every: jobs, untilCaught: false };
        return runTrial({ explorer, order, withinMs: WITHIN_MS, onSeed });
      }),
    );
    expect(trials.flatMap(({ broke }) => broke ?? [])).toEqual([]);
    expect(lines.flatMap(complaint)).toEqual([]);
    expect(lines).toHaveLength(SEEDS);
  },
  WITHIN_MS + 60_000,
);
