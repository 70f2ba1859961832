/** `baton what-if` beside the kernel: the same cluster file and the same faults, predicted in the simulator and dealt to real daemons. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NamespacesLab } from '../../drivers/namespaces/lab.js';
import type { Blow } from '../../src/drill/foresight/blow.js';
import { outcomeOf, type Outcome, type PackageOutcome } from '../../src/drill/foresight/outcome.js';
import { rehearse } from '../../src/drill/foresight/rehearsal.js';
import { situationOfFile, type Situation } from '../../src/drill/foresight/situation.js';
import { packageRoot } from '../../src/version.js';
import { count, UsageError, type Bench } from './bench.js';
import { standing, takeDown } from './outage.js';
import { showSpread, table } from './table.js';

const OPTIONS = {
  runs: { type: 'string' },
  rehearsals: { type: 'string' },
  only: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** Ten, of every kind that moves something. */
export const CASES: readonly (readonly Blow[])[] = [
  [{ at: 0, fault: 'power-off alpha' }],
  [{ at: 0, fault: 'kill alpha' }],
  [{ at: 0, fault: 'freeze alpha' }],
  [{ at: 0, fault: 'stop alpha' }],
  [{ at: 0, fault: 'cut alpha.eth0' }],
  [{ at: 0, fault: 'drop both alpha.eth0' }],
  [{ at: 0, fault: 'switch-off left' }],
  [{ at: 0, fault: 'switch-mute left' }],
  [{ at: 0, fault: 'trunk left-core' }],
  [
    { at: 0, fault: 'cut alpha.eth0' },
    { at: 1000, fault: 'cut alpha.eth1' },
  ],
];

interface Compared {
  faults: string[];
  predicted: PackageOutcome[];
  measured: PackageOutcome[];
}

/** `docs/samples/cured.yaml`. */
export function sampleSituation(): Situation {
  const path = fileURLToPath(new URL('docs/samples/cured.yaml', packageRoot()));
  return situationOfFile(readFileSync(path, 'utf8'), path);
}

/** Dealt to real daemons, from the situation's own state on. */
export async function dealt(situation: Situation, blows: readonly Blow[], seed: number): Promise<Outcome> {
  const lab = new NamespacesLab();
  standing.add(lab);
  try {
    const rehearsed = await rehearse(situation, blows, { seed, brief: true, lab });
    const [failure] = rehearsed.report.failures;
    if (failure !== undefined) throw new Error(failure);
    return outcomeOf(situation, rehearsed);
  } finally {
    await takeDown(lab);
  }
}

export const foresight: Bench = {
  usage: '[--runs N] [--rehearsals N] [--only FIRST..LAST] [--json]',
  async run(words, say) {
    const { runs, rehearsals, cases } = read(words);
    const situation = sampleSituation();
    const compared: Compared[] = [];
    for (const blows of cases) {
      const faults = blows.map(({ at, fault }) => (at > 0 ? `${fault} (after ${at / 1000} s)` : fault));
      const one: Compared = { faults, predicted: [], measured: [] };
      for (let seed = 1; seed <= rehearsals; seed++)
        one.predicted.push(...outcomeOf(situation, await rehearse(situation, blows, { seed, brief: true })).packages);
      for (let seed = 1; seed <= runs; seed++) one.measured.push(...(await dealt(situation, blows, seed)).packages);
      say(
        `${faults.join(', ')}: predicted ${showSpread(outagesOf(one.predicted))}, measured ${showSpread(outagesOf(one.measured))} ms`,
      );
      compared.push(one);
    }
    return { figures: { compared }, text: shown(compared), missed: compared.flatMap(differs) };
  },
};

function read(words: readonly string[]): { runs: number; rehearsals: number; cases: typeof CASES } {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    const [first, last = first] = (values.only ?? `1..${CASES.length}`).split('..').map(Number);
    if (!first || !last || last > CASES.length)
      throw new UsageError(`--only wants faults from 1 to ${CASES.length}, such as 2..4`);
    return {
      runs: count('runs', values.runs, 2),
      rehearsals: count('rehearsals', values.rehearsals, 5),
      cases: CASES.slice(first - 1, last),
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

function outagesOf(outcomes: readonly PackageOutcome[]): number[] {
  return outcomes.map(({ ms }) => ms);
}

function holdersOf(outcomes: readonly PackageOutcome[]): string {
  return [...new Set(outcomes.map(({ after }) => after ?? 'nobody'))].join(' or ');
}

function shown(compared: readonly Compared[]): string[] {
  const rows = compared.map(({ faults, predicted, measured }) => [
    faults.join(', '),
    holdersOf(predicted),
    holdersOf(measured),
    showSpread(outagesOf(predicted)),
    showSpread(outagesOf(measured)),
  ]);
  const head = ['fault', 'holder, predicted', 'on the kernel', 'outage, predicted', 'on the kernel'];
  return ['', 'Outage in ms: median (range); 0 stands for less than 5', '', ...table([head, ...rows])];
}

function differs({ faults, predicted, measured }: Compared): string[] {
  const [foreseen, found] = [holdersOf(predicted), holdersOf(measured)];
  return foreseen === found
    ? []
    : [`${faults.join(', ')}: predicted ${foreseen} as holder, on the kernel it is ${found}`];
}
