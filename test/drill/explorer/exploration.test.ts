/** The explorer: what it draws is sound, the same seed is the same story, also as a scenario. */
import { describe, expect, test } from 'vitest';
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import { runDrill } from '../../../src/drill/drill.js';
import { exploreSeed } from '../../../src/drill/explorer/exploration.js';
import { drawSchedule } from '../../../src/drill/explorer/schedule.js';
import { scenarioOf, writeScenario } from '../../../src/drill/explorer/story.js';
import { drawTopology } from '../../../src/drill/explorer/topology.js';
import { parseScenario } from '../../../src/drill/load.js';
import { parseFault } from '../../../src/drill/scenario.js';

describe('what a seed draws', () => {
  test('blows that are known, in a cluster that the parser takes', () => {
    for (let seed = 0; seed < 60; seed++) {
      const { blows, endsAt } = drawSchedule(seed, drawTopology(seed));
      for (const blow of blows) {
        expect(blow.at).toBeLessThan(endsAt);
        if (blow.do === 'inflict' && !blow.fault.startsWith('isolate'))
          expect(() => parseFault(blow.fault), blow.fault).not.toThrow();
      }
    }
  });

  test('many kinds of blows, sizes and kinds of clusters come up', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const drawn = drawTopology(seed);
      const { topology, cluster } = drawn.scenario;
      seen.add(`${drawn.nodes.length} nodes`).add(`${topology.switches.length} switches`);
      seen.add(drawn.hasDisk ? 'disk' : drawn.hasArbiter ? 'etcd' : 'no arbiter');
      for (const key of ['fence', 'fenceAgents'].filter((one) => one in cluster)) seen.add(key);
      if (cluster['quorum'] === 'none') seen.add('quorum none');
      if (drawn.hasLine) seen.add('serial');
      for (const blow of drawSchedule(seed, drawn).blows)
        seen.add(blow.do === 'inflict' ? blow.fault.split(' ')[0]! : blow.do);
    }
    const expected = [
      '1 nodes',
      '2 nodes',
      '3 nodes',
      '4 nodes',
      '5 nodes',
      'disk',
      'etcd',
      'no arbiter',
      'quorum none',
    ];
    for (const one of [...expected, 'serial', 'fence', 'fenceAgents', 'ask', 'command', 'slow-disk'])
      expect(seen, one).toContain(one);
    expect(seen.size).toBeGreaterThan(60);
  });

  test('a seed without a kind of blow has all others as before', () => {
    const drawn = drawTopology(7);
    const { blows } = drawSchedule(7, drawn);
    const without = drawSchedule(7, { ...drawn, hasLine: !drawn.hasLine }).blows;
    const others = (all: typeof blows) => all.filter((one) => one.do !== 'inflict' || !one.fault.startsWith('serial'));
    expect(others(without)).toEqual(others(blows));
  });
});

test('the same seed is the same story, byte for byte; another seed another', async () => {
  const first = await exploreSeed(2);
  expect((await exploreSeed(2)).text).toBe(first.text);
  expect((await exploreSeed(4)).traceHash).not.toBe(first.traceHash);
}, 300_000);

test('what happened is the same story as a scenario file, stops of processes within a moment included', async () => {
  const { story, text } = await exploreSeed(3);
  expect(story.acts.some(({ fault }) => fault?.startsWith('pause'))).toBe(true);
  const scenario = parseScenario(writeScenario(scenarioOf({ ...story, peace: null })), 'seed-3.yaml');
  const lab = new SimulatorLab({ seed: scenario.world!.seed });
  let trace = '';
  lab.destroy = async () => void (trace = lab.trace());
  await runDrill(scenario, lab);
  const told = (all: string): string[] =>
    all.split('\n').filter((line) => /^ *-?\d/.test(line) && !line.includes('"fault":"pause"'));
  expect(told(trace)).toEqual(told(text));
}, 300_000);
