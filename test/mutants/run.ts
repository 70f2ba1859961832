/**
 * `npm run mutants`: each planted bug against the explorer, seed after seed until it is caught. A table; exit code 1 if one survives.
 *
 *   npm run mutants -- [NAME...] [--seeds 5000] [--aim AIM] [--jobs 1] [--json] [--markdown FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Builder } from './build.js';
import { MUTANTS } from './catalogue.js';
import { aimsOf, hunt, type Hunt } from './hunt.js';
import type { Mutant } from './mutant.js';
import { page, type Row } from './page.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '5000' },
    aim: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    markdown: { type: 'string' },
  },
});

const chosen = MUTANTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const unknown = positionals.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}; there are ${MUTANTS.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

const width = Math.max(...chosen.map(({ name }) => name.length));
const builder = new Builder();
const clean = await builder.build(null);
const left = [...chosen];
const rows: Row[] = [];
let survivors = 0;

function row({ name }: Mutant, { caught, seeds, cpuMs, broke, aim }: Hunt): string {
  const by = caught
    ? `${caught.invariant} ${aim ?? 'drawn'} ${caught.seed}`
    : `SURVIVED${broke === null ? '' : `: ${broke}`}`;
  return `${name.padEnd(width)}  ${by.padEnd(34)} ${String(seeds).padStart(5)} seeds ${(cpuMs / 1000).toFixed(1).padStart(7)} s`;
}

async function job(): Promise<void> {
  for (let mutant = left.shift(); mutant; mutant = left.shift()) {
    const explorer = await builder.build(mutant);
    const found = await hunt({
      explorer,
      clean,
      caughtBy: mutant.caughtBy,
      seeds: Number(values.seeds),
      aims: aimsOf(mutant, values.aim),
    });
    rows.push({ mutant, found });
    if (found.caught === null) survivors++;
    process.stdout.write(
      values.json ? `${JSON.stringify({ name: mutant.name, ...found })}\n` : `${row(mutant, found)}\n`,
    );
  }
}

await Promise.all(Array.from({ length: Number(values.jobs) }, job));
await builder.end();
if (values.markdown !== undefined) writeFileSync(values.markdown, page(chosen, rows));
if (!values.json) process.stdout.write(`${chosen.length - survivors} of ${chosen.length} caught\n`);
process.exitCode = survivors > 0 ? 1 : 0;
