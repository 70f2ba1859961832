/**
 * npm run bench -- local-switch [--runs N] [--only carrier,silent,idle] [--json]
 *
 * Figures on this kernel, each beside its budget (DESIGN 16). Exit code 0: all kept; 1: one is not, or a run failed;
 * 2: usage, or this machine cannot run the kernel lab.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { refusal as refusalOfLab } from '../../drivers/namespaces/lab.js';
import { missed, type BenchReport } from './figures.js';
import { IDLE_CASES, measureIdle } from './idle.js';
import { compileMinimal } from './minimal.js';
import { measureSwitch, standing, switchCases } from './outage.js';
import { showReport } from './table.js';

const PARTS = ['carrier', 'silent', 'idle'];
const USAGE = 'usage: npm run bench -- local-switch [--runs N] [--only carrier,silent,idle] [--json]';

function usage(text: string): never {
  console.error(`${text}\n${USAGE}`);
  process.exit(2);
}

function readArguments(): { runs: number; parts: string[]; json: boolean } {
  try {
    const options = { runs: { type: 'string' }, only: { type: 'string' }, json: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length !== 1 || positionals[0] !== 'local-switch') usage('which bench? There is: local-switch');
    const runs = Number(values.runs ?? 20);
    if (!Number.isInteger(runs) || runs < 1) usage('--runs wants a whole number from 1');
    const parts = values.only?.split(',') ?? PARTS;
    const unknown = parts.find((part) => !PARTS.includes(part));
    if (unknown !== undefined) usage(`--only knows ${PARTS.join(', ')}, not "${unknown}"`);
    return { runs, parts, json: values.json ?? false };
  } catch (error) {
    usage((error as Error).message);
  }
}

const { runs, parts, json } = readArguments();
const refusal = refusalOfLab();
if (refusal !== null) usage(refusal);

const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void Promise.allSettled([...standing].map((lab) => lab.destroy())).then(() => {
      rmSync(folder, { recursive: true, force: true });
      process.exit(130);
    });
  });

const say = (line: string): void => console.error(line);
const report: BenchReport = {
  machine: {
    kernel: release(),
    node: process.version,
    cores: availableParallelism(),
    loadBefore: loadavg()[0]!,
    loadAfter: NaN,
  },
  switches: [],
  idle: [],
};
try {
  const minimal = compileMinimal(folder);
  const cases = switchCases().filter((bench) => parts.includes(bench.fault.fault === 'cut' ? 'carrier' : 'silent'));
  for (const bench of cases) report.switches.push(await measureSwitch(bench, runs, minimal, say));
  if (parts.includes('idle')) for (const bench of IDLE_CASES) report.idle.push(await measureIdle(bench, say));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
report.machine.loadAfter = loadavg()[0]!;
console.log(json ? JSON.stringify({ ...report, missed: missed(report) }, null, 2) : showReport(report));
process.exitCode = missed(report).length === 0 ? 0 : 1;
