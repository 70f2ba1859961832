/**
 * Every scenario on the simulator, line by line as it was when last looked at. A difference means that the machine decides
 * otherwise than before: understand it first, then take it over with `BATON_GOLDEN=1 npx vitest run test/drill/golden`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runDrill } from '../../src/drill/drill.js';
import type { DrillReport } from '../../src/drill/report.js';
import { openLab } from '../../src/drill/labs.js';
import { listScenarios, loadScenario } from '../../src/drill/load.js';

const folder = fileURLToPath(new URL('../golden/', import.meta.url));
const renew = process.env['BATON_GOLDEN'] === '1';

function traceOf(report: DrillReport): string {
  const lines = report.timeline.map((line) => `${line.at.toFixed(3).padStart(10)} ${line.what.padEnd(7)} ${line.text}`);
  return [`# ${report.title}`, ...lines, `# ${report.verdict}`, ''].join('\n');
}

describe('golden traces', () => {
  const scenarios = listScenarios()
    .map(loadScenario)
    .filter((scenario) => scenario.labs.includes('simulator'));

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    async (name, scenario) => {
      const lab = await openLab('simulator');
      if (typeof lab === 'string') throw new Error(lab);
      const report = await runDrill(scenario, lab);
      expect(report.failures).toEqual([]);
      const file = `${folder}${name}.txt`;
      const trace = traceOf(report);
      if (renew) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(file, trace);
      }
      expect(trace).toBe(readFileSync(file, 'utf8'));
    },
    300_000,
  );
});
