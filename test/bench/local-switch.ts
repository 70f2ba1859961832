/** The local switch: outages of carrier loss and of silent failures, and what an idle daemon costs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { choice, count, UsageError, type Bench } from './bench.js';
import { missed, type LocalSwitchFigures } from './figures.js';
import { IDLE_CASES, measureIdle } from './idle.js';
import { compileMinimal } from './minimal.js';
import { measureSwitch, switchCases } from './outage.js';
import { showFigures } from './table.js';

const PARTS = ['carrier', 'silent', 'idle'] as const;
const OPTIONS = { runs: { type: 'string' }, only: { type: 'string' }, json: { type: 'boolean' } } as const;

function read(words: readonly string[]): { runs: number; parts: readonly string[] } {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    return { runs: count('runs', values.runs, 20), parts: choice('only', values.only, PARTS) };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

export const localSwitch: Bench = {
  usage: '[--runs N] [--only carrier,silent,idle] [--json]',
  async run(words, say) {
    const { runs, parts } = read(words);
    const figures: LocalSwitchFigures = { switches: [], idle: [] };
    const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
    try {
      const minimal = compileMinimal(folder);
      const cases = switchCases().filter((bench) => parts.includes(bench.fault.fault === 'cut' ? 'carrier' : 'silent'));
      for (const bench of cases) figures.switches.push(await measureSwitch(bench, runs, minimal, say));
      if (parts.includes('idle')) for (const bench of IDLE_CASES) figures.idle.push(await measureIdle(bench, say));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return { figures: { ...figures }, text: showFigures(figures), missed: missed(figures) };
  },
};
