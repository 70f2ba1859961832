/** The table of a whole hunt as a page for people: `docs/mutants.md`. */
import type { Hunt } from './hunt.js';
import type { Mutant } from './mutant.js';

export interface Row {
  mutant: Mutant;
  found: Hunt;
}

const HEAD = `# Planted bugs

Each is planted alone into the explorer while that is built (\`test/mutants\`), which then explores seed after seed, from 1 on,
until an invariant (DESIGN 15) says what the bug has done. A seed that says so without the bug, too, catches nothing. An aim
(\`src/drill/explorer/aim\`) is a kind of misfortune: it says what meets, its dice say when, where and for how long;
\`drawn\` are schedules that nobody aimed.

\`npm run mutants -- --markdown docs/mutants.md\` writes this page. The seeds that \`npm test\` runs stand in the catalogue.
`;

/** Markdown. In the order of `mutants`, whatever the order of the hunts. */
export function page(mutants: readonly Mutant[], rows: readonly Row[]): string {
  const caught = rows.filter(({ found }) => found.caught !== null);
  const seeds = caught.map(({ found }) => found.seeds).sort((a, b) => a - b);
  const cpuMs = rows.reduce((sum, { found }) => sum + found.cpuMs, 0);
  const lines = mutants.flatMap((mutant) => rows.filter((row) => row.mutant === mutant).map(line));
  const most = `${seeds[seeds.length >> 1] ?? 0} in the median, ${seeds.at(-1) ?? 0} at most`;
  const sum = `${caught.length} of ${rows.length} are caught. Seeds needed: ${most}; ${seconds(cpuMs)} s of one processor in all.`;
  return [
    HEAD,
    sum,
    '',
    '| bug | what it plants | invariant | aim | seeds | CPU s |',
    '| --- | --- | --- | --- | ---: | ---: |',
    ...lines,
    '',
  ].join('\n');
}

function line({ mutant, found }: Row): string {
  const by = found.caught?.invariant ?? '**none**';
  return `| ${mutant.name} | ${mutant.plants} | ${by} | ${found.aim ?? 'drawn'} | ${found.seeds} | ${seconds(found.cpuMs)} |`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
