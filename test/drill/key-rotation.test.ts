/**
 * The cluster's key replaced again and again, under 5 % loss: no lease is missed and nothing moves. BATON_ROTATIONS=1000 for
 * as many.
 */
import { expect, it } from 'vitest';
import { runDrill } from '../../src/drill/drill.js';
import { SimulatorLab } from '../../drivers/simulator/lab.js';
import { listScenarios, loadScenario } from '../../src/drill/load.js';
import { scenarioSchema, type Scenario } from '../../src/drill/scenario.js';
import { dice } from '../health/fabric.js';

const ROTATIONS = Number(process.env['BATON_ROTATIONS'] ?? 20);
const FIRST_AT_MS = 6000;
const EACH_MS = 7000;

const NODES = ['alpha', 'beta', 'gamma'];

/** The file is copied in any order, and everything takes a while. */
function rotation(at: number, random: () => number): Scenario['steps'] {
  const [first, ...others] = [...NODES].sort(() => random() - 0.5);
  const [second, third] = others;
  const soon = (from: number): string => `${Math.round(at + from + random() * 400)}ms`;
  return [
    { at: soon(0), do: `${first}: keygen --rotate` },
    { at: soon(500), fault: `copy-key ${first} ${second}` },
    { at: soon(1000), fault: `copy-key ${first} ${third}` },
    { at: soon(4800), do: `${second}: keygen --rotate --finish` },
    { at: soon(5300), fault: `copy-key ${second} ${third}` },
    { at: soon(5800), fault: `copy-key ${second} ${first}` },
  ] as unknown as Scenario['steps'];
}

it(
  `${ROTATIONS} rotations`,
  async () => {
    const base = loadScenario(listScenarios().find((path) => path.includes('key-rotation'))!);
    const random = dice(ROTATIONS);
    const steps = Array.from({ length: ROTATIONS }, (_, i) => rotation(FIRST_AT_MS + i * EACH_MS, random)).flat();
    const { client } = base.topology.clients;
    const story = scenarioSchema.parse({
      title: `${ROTATIONS} rotations`,
      topology: { ...base.topology, clients: { client: { ...client, probes: [] } } },
      cluster: base.cluster,
      before: ['loss 5%'],
      steps,
      until: `${FIRST_AT_MS + ROTATIONS * EACH_MS + 2000}ms`,
      always: { unmoved: true },
    });
    const lab = new SimulatorLab({ seed: ROTATIONS });
    const given: Record<string, number> = {};
    const report = await runDrill({ ...story, name: 'key-rotations' }, lab, {
      onLine: ({ what, text }) => {
        const node = /^(\w+) keys .*given-up/.exec(text)?.[1];
        if (what === 'journal' && node !== undefined) given[node] = (given[node] ?? 0) + 1;
      },
    });
    expect(report.failures).toEqual([]);
    expect(given).toEqual({ alpha: ROTATIONS, beta: ROTATIONS, gamma: ROTATIONS });
    const moves = report.timeline.filter(({ text }) => /lease-ended|package-moved|peer-health .* lost/.test(text));
    expect(moves).toEqual([]);
  },
  60_000 + ROTATIONS * 10_000,
);
