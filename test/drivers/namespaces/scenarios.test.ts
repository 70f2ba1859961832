import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { planWiring } from '../../../drivers/namespaces/wiring.js';
import { parseRoute } from '../../../drivers/route-text.js';
import { listScenarios, loadScenario, scenarioDirectory } from '../../../src/drill/load.js';
import { parseFault, type Fault } from '../../../src/drill/scenario.js';

const names = listScenarios();
const scenarios = names.map(loadScenario);

function faultsOf(scenario: (typeof scenarios)[number]): Fault[] {
  return [...scenario.before, ...scenario.steps.flatMap((step) => [step.fault ?? [], step.heal ?? []].flat())].map(
    parseFault,
  );
}

/** NICs that a story names in its expectations. */
function nicsNamed(scenario: (typeof scenarios)[number]): string[] {
  return scenario.steps.flatMap(({ expect: e }) => [
    ...Object.values(e?.carried ?? {}),
    ...Object.keys(e?.health ?? {}),
  ]);
}

describe('every scenario that comes with baton', () => {
  it('is listed in the README, and no other', () => {
    const readme = readFileSync(`${scenarioDirectory()}README.md`, 'utf8');
    const listed = [...readme.matchAll(/\[([a-z0-9-]+)\]\(\1\.yaml\)/g)].map((match) => match[1]).sort();
    expect(listed).toEqual(names);
  });

  it('has its title in the README', () => {
    const readme = readFileSync(`${scenarioDirectory()}README.md`, 'utf8');
    for (const { name, title } of scenarios) expect(readme, name).toContain(title);
  });

  it('draws its topology on top', () => {
    for (const file of readdirSync(scenarioDirectory()).filter((f) => f.endsWith('.yaml')))
      expect(readFileSync(scenarioDirectory() + file, 'utf8'), file).toMatch(/^#[^]*[─│][^]*\ntitle: /);
  });

  it('together they deal every blow that the language knows', () => {
    const dealt = new Set(scenarios.flatMap(faultsOf).map((fault) => fault.fault));
    const known = /known: (.*)$/.exec(unknownFault())![1]!.split(', ');
    expect([...dealt].sort()).toEqual(known.sort());
  });

  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s fits its own topology',
    (_name, scenario) => {
      const { topology } = scenario;
      const wiring = planWiring(topology);
      const lags = Object.entries(topology.lags).flatMap(([node, own]) =>
        Object.keys(own).map((lag) => `${node}.${lag}`),
      );
      const nics = [...wiring.cables.map((cable) => `${cable.owner}.${cable.nic}`), ...lags];
      for (const nic of nicsNamed(scenario)) expect(nics).toContain(nic);
      for (const fault of faultsOf(scenario))
        if ('at' in fault && fault.at) expect(nics).toContain(`${fault.at.node}.${fault.at.nic}`);
      for (const line of Object.values(topology.routes).flat())
        expect(parseRoute(line).nic).toMatch(/^(eth|bond|team)/);
      for (const { at, expect: expected } of scenario.steps)
        expect(at + (expected?.within ?? 0)).toBeLessThanOrEqual(scenario.until);
      const probed = Object.values(topology.clients).flatMap((client) => client.probes);
      const asked = [
        ...Object.keys(scenario.always.outage),
        ...scenario.steps.flatMap((step) => step.expect?.answers ?? []),
      ];
      for (const address of asked) expect(probed).toContain(address);
      const healed = scenario.steps.flatMap((step) => step.heal ?? []);
      const inflicted = [...scenario.before, ...scenario.steps.flatMap((step) => step.fault ?? [])];
      for (const fault of healed) expect(inflicted).toContain(fault);
    },
  );
});

function unknownFault(): string {
  try {
    parseFault('no-such-fault');
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}
