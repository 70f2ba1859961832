/**
 * The cluster's key replaced again and again, under 5 % loss: nothing moves, and no lease is missed that the same loss does
 * not cost without rotations. A rotation adds no message, so under one seed the same ones are lost: all that is told but of
 * keys must be the same, to the moment. BATON_ROTATIONS=1000 for as many.
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

interface Told {
  failures: readonly unknown[];
  /** Each with its moment. */
  journal: string[];
  keys: string[];
}

async function run(steps: Scenario['steps']): Promise<Told> {
  const base = loadScenario(listScenarios().find((path) => path.includes('key-rotation'))!);
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
  const journal: string[] = [];
  const keys: string[] = [];
  const lab = new SimulatorLab({ seed: ROTATIONS });
  const { failures } = await runDrill({ ...story, name: 'key-rotations' }, lab, {
    onLine: ({ at, what, text }) => {
      if (what === 'journal') (/^\w+ keys /.test(text) ? keys : journal).push(`${at.toFixed(3)} ${text}`);
    },
  });
  return { failures, journal, keys };
}

it(
  `${ROTATIONS} rotations`,
  async () => {
    const random = dice(ROTATIONS);
    const steps = Array.from({ length: ROTATIONS }, (_, i) => rotation(FIRST_AT_MS + i * EACH_MS, random)).flat();
    const rotated = await run(steps);
    for (const node of NODES)
      expect(rotated.keys.filter((line) => line.includes(` ${node} keys `) && line.includes('given-up'))).toHaveLength(
        ROTATIONS,
      );
    expect(rotated.journal.filter((line) => / placed /.test(line))).toHaveLength(1);
    expect(rotated.journal.filter((line) => /package-moved|peer-health .* lost/.test(line))).toEqual([]);
    const control = await run([]);
    expect(control.keys).toEqual([]);
    expect(rotated.journal).toEqual(control.journal);
    expect(rotated.failures).toEqual(control.failures);
  },
  120_000 + ROTATIONS * 20_000,
);
