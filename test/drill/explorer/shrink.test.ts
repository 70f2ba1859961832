/** What breaks a rule is made small, and breaks it the same way as a file. */
import { expect, test } from 'vitest';
import { failsAgain, shrink } from '../../../src/drill/explorer/shrink.js';
import { writeScenario, type Act, type Story } from '../../../src/drill/explorer/story.js';
import { parseScenario } from '../../../src/drill/load.js';
import { scenarioSchema } from '../../../src/drill/scenario.js';

const NODES = ['alpha', 'beta', 'gamma', 'delta'];

const SCENARIO = scenarioSchema.parse({
  title: 'a story that breaks a rule',
  world: { seed: 7, start: 'together' },
  topology: {
    switches: ['left', 'blue'],
    nodes: Object.fromEntries(NODES.map((name) => [name, { eth0: 'left', hb0: 'blue' }])),
  },
  cluster: {
    timing: { poll: '600ms' },
    nets: { public: { heartbeat: 'public', upDelay: '500ms' }, private0: { heartbeat: 'private', upDelay: '500ms' } },
    nodes: Object.fromEntries(
      NODES.map((name, n) => [
        name,
        {
          public: { primary: 'eth0', address: `10.77.0.${n + 1}/24` },
          private0: { primary: 'hb0', address: `10.78.0.${n + 1}/24` },
        },
      ]),
    ),
    packages: {
      web: { nodes: NODES, resources: [{ address: '10.77.0.100', net: 'public' }] },
      mail: { nodes: NODES, resources: [{ address: '10.77.0.110', net: 'public' }] },
    },
  },
  before: ['drift beta 300'],
  steps: [{ at: '0s', say: 'begin' }],
  until: '1m',
});

const ACTS: Act[] = [
  { at: 2000, blow: 1, fault: 'loss 5%' },
  { at: 2100, blow: 2, fault: 'cut alpha.hb0' },
  { at: 2345, blow: 3, fault: 'power-off gamma' },
  { at: 2400, blow: 4, ask: 'alpha: package move web --to beta' },
  { at: 2500, blow: 1, heal: 'loss 5%' },
  { at: 2600, blow: 5, fault: 'pause beta effect 2 40ms' },
  { at: 2700, blow: 2, heal: 'cut alpha.hb0' },
  { at: 2800, blow: 6, fault: 'restart beta' },
];

const STORY: Story = {
  scenario: { ...SCENARIO, name: 'story' },
  acts: ACTS,
  peace: { at: 3000, core: NODES, withinMs: 4000 },
  until: 7000,
};

test('of many blows the one that breaks the rule is left, in a smaller cluster, at a rounder time', async () => {
  const small = await shrink(STORY, 'L3', 600_000);
  expect(small).not.toBeNull();
  expect(small!.steps.map(({ fault, heal, ask }) => fault ?? heal ?? ask).filter(Boolean)).toEqual(['power-off gamma']);
  expect(small!.steps[0]!.at).toBe(2000);
  expect(Object.keys(small!.cluster['packages'] as object)).toHaveLength(1);
  expect(Object.keys(small!.topology.nodes)).toHaveLength(3);
  expect(small!.before).toEqual([]);
  const file = parseScenario(writeScenario(small!), 'small.yaml');
  expect((await failsAgain(file, 'L3'))?.text).toContain('gamma');
  expect(await failsAgain(file, 'S1')).toBeNull();
}, 900_000);

test('what does not break the rule is not made smaller', async () => {
  const acts = ACTS.filter(({ fault }) => fault !== 'power-off gamma');
  expect(
    await shrink({ ...STORY, acts, peace: { ...STORY.peace!, withinMs: 15_000 }, until: 20_000 }, 'L3', 600_000),
  ).toBeNull();
}, 900_000);
