/**
 * npm run bench -- NAME [options]
 *
 * Figures on this kernel, each beside its budget (DESIGN 16). Exit code 0: all kept; 1: one is not, or a run failed;
 * 2: usage, or this machine cannot run the kernel lab.
 */
import { availableParallelism, loadavg, release } from 'node:os';
import { refusal as refusalOfLab } from '../../drivers/namespaces/lab.js';
import { UsageError, type Bench } from './bench.js';
import { foresight } from './foresight-bench.js';
import { gate } from './gate-bench.js';
import { localSwitch } from './local-switch.js';
import { mac } from './mac.js';
import { standing } from './outage.js';
import { scale } from './scale.js';
import { simulator } from './simulator.js';
import { takeover } from './takeover-bench.js';

const BENCHES: Record<string, Bench> = {
  'local-switch': localSwitch,
  takeover,
  mac,
  gate,
  scale,
  simulator,
  'what-if': foresight,
};

function usage(text: string): never {
  const lines = Object.entries(BENCHES).map(([name, bench]) => `  npm run bench -- ${name} ${bench.usage}`);
  console.error(`${text}\nusage:\n${lines.join('\n')}`);
  process.exit(2);
}

const [name, ...words] = process.argv.slice(2);
const bench = BENCHES[name ?? ''];
if (bench === undefined) usage(`which bench? There is: ${Object.keys(BENCHES).join(', ')}`);
const refusal = refusalOfLab();
if (refusal !== null) usage(refusal);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void Promise.allSettled([...standing].map((lab) => lab.destroy())).then(() => process.exit(130));
  });

const loadBefore = loadavg()[0]!;
try {
  const { figures, text, missed } = await bench.run(words, (line) => console.error(line));
  const machine = {
    ...{ kernel: release(), node: process.version, cores: availableParallelism() },
    ...{ loadBefore, loadAfter: loadavg()[0]! },
  };
  if (process.argv.includes('--json')) console.log(JSON.stringify({ machine, ...figures, missed }, null, 2));
  else {
    const { kernel, node, cores } = machine;
    const load = `load ${loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after`;
    const verdict = missed.length === 0 ? ['All budgets kept.'] : ['Not kept:', ...missed.map((line) => `  ${line}`)];
    console.log([`Linux ${kernel}, Node ${node}, ${cores} cores, ${load}`, ...text, '', ...verdict].join('\n'));
  }
  process.exitCode = missed.length === 0 ? 0 : 1;
} catch (error) {
  if (error instanceof UsageError) usage(error.message);
  throw error;
}
