/**
 * How much faster than time the simulator is: idle clusters of the scale bench's network, and explored seeds, which are
 * anything but idle.
 */
import { cpuUsage } from 'node:process';
import { parseArgs } from 'node:util';
import { SimulatorLab } from '../../drivers/simulator/lab.js';
import { exploreSeed } from '../../src/drill/explorer/exploration.js';
import { count, UsageError, type Bench } from './bench.js';
import { scaleNetwork } from './network.js';
import { table } from './table.js';

const OPTIONS = {
  nodes: { type: 'string' },
  seconds: { type: 'string' },
  seeds: { type: 'string' },
  json: { type: 'boolean' },
} as const;
/** Simulated seconds of CPU that three idle nodes are to get out of one (DESIGN 16). */
const BUDGET = 1000;
const BUDGET_NODES = 3;
/** The cluster is formed and polls lightly. */
const FORMED_MS = 30_000;
/** So many make the engine compile what is hot: below, a good part of the time is the compiler's. */
const WARM_INPUTS = 100_000;
const PARTS = 4;

interface Speed {
  of: string;
  simulatedS: number;
  /** Best part of the run: other programs disturb, none helps. */
  timesRealTime: number;
  inputsPerNodeSecond: number | null;
}

function read(words: readonly string[]): { sizes: number[]; seconds: number; seeds: number } {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    return {
      sizes: (values.nodes ?? '2,3,4,8,16').split(',').map((text) => count('nodes', text, 3)),
      seconds: count('seconds', values.seconds, 60),
      seeds: values.seeds === '0' ? 0 : count('seeds', values.seeds, 20),
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

function cpuMsOf(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

async function idle(nodes: number, seconds: number): Promise<Speed> {
  let inputs = 0;
  const lab = new SimulatorLab({ stepped: () => inputs++ });
  try {
    await lab.build(scaleNetwork(nodes));
    for (const daemon of lab.network.daemons.values()) daemon.start();
    lab.begin();
    let from = FORMED_MS;
    await lab.runUntil(from);
    while (inputs < WARM_INPUTS) await lab.runUntil((from += 1000));
    inputs = 0;
    let best = 0;
    for (let part = 1; part <= PARTS; part++) {
      const before = cpuMsOf();
      await lab.runUntil(from + (part * seconds * 1000) / PARTS);
      best = Math.max(best, (seconds * 1000) / PARTS / (cpuMsOf() - before));
    }
    const inputsPerNodeSecond = inputs / nodes / seconds;
    return { of: `${nodes} idle nodes`, simulatedS: seconds, timesRealTime: best, inputsPerNodeSecond };
  } finally {
    await lab.destroy();
  }
}

async function explored(seeds: number): Promise<Speed> {
  const before = cpuMsOf();
  let simulatedMs = 0;
  for (let seed = 1; seed <= seeds; seed++) simulatedMs += (await exploreSeed(seed)).simulatedMs;
  return {
    of: `seeds 1 to ${seeds}`,
    simulatedS: simulatedMs / 1000,
    timesRealTime: simulatedMs / (cpuMsOf() - before),
    inputsPerNodeSecond: null,
  };
}

export const simulator: Bench = {
  usage: '[--nodes 2,3,4,8,16] [--seconds N] [--seeds N] [--json]',
  async run(words, say) {
    const { sizes, seconds, seeds } = read(words);
    const all: Speed[] = [];
    const missed: string[] = [];
    for (const nodes of sizes) {
      say(`${nodes} idle nodes`);
      const speed = await idle(nodes, seconds);
      all.push(speed);
      if (nodes === BUDGET_NODES && speed.timesRealTime < BUDGET)
        missed.push(`${nodes} nodes run at ${speed.timesRealTime.toFixed(0)} times real time, not at ${BUDGET}`);
    }
    if (seeds > 0) {
      say(`seeds 1 to ${seeds}`);
      all.push(await explored(seeds));
    }
    const head = ['of', 'simulated s', 'times real time', 'inputs per node and s'];
    const rows = all.map(({ of, simulatedS, timesRealTime, inputsPerNodeSecond }) => [
      ...[of, simulatedS.toFixed(0), timesRealTime.toFixed(1), inputsPerNodeSecond?.toFixed(1) ?? '-'],
    ]);
    return {
      figures: { simulator: all },
      text: ['', 'Simulated time by CPU time of one core', '', ...table([head, ...rows])],
      missed,
    };
  },
};
