import { describe, expect, it } from 'vitest';
import { SimulatorLab } from '../../drivers/simulator/lab.js';
import { verdictText } from '../../src/cli/output/drill-text.js';
import { paintFor } from '../../src/cli/output/paint.js';
import { runDrill } from '../../src/drill/drill.js';
import type { TimelineLine } from '../../src/drill/report.js';
import { loadScenario, parseScenario } from '../../src/drill/load.js';

const story = (steps: string, always = ''): string => `
title: a cable
topology:
  switches: [left, right]
  trunks: [left-right]
  nodes: { alpha: { eth0: left, eth1: right }, beta: { eth0: left, eth1: right } }
  clients: { client: { switch: left, addresses: [10.77.0.254/24], probes: [10.77.0.1] } }
cluster:
  nets: { public: { heartbeat: public } }
  nodes:
    alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 } }
    beta: { public: { primary: eth0, standby: [eth1], address: 10.77.0.2/24 } }
  quorum: none
steps:
${steps}
until: 4s
${always}
`;

const play = (steps: string, always?: string) =>
  runDrill(parseScenario(story(steps, always), 'x.yaml'), new SimulatorLab());

describe('a drill', () => {
  it('tells what each blow cost, from it to the next', async () => {
    const report = await play(`
  - { at: 1s, fault: drop both alpha.eth0, expect: { carried: { 10.77.0.1: alpha.eth1 }, answers: [10.77.0.1] } }
  - { at: 3s, do: 'alpha: link lock eth0 --reason worn' }`);
    expect(report.failures).toEqual([]);
    expect(report.acts.map(({ label }) => label)).toEqual([
      'drop both alpha.eth0',
      'alpha: link lock eth0 --reason worn',
    ]);
    expect(report.acts[0]!.felt[0]).toMatchObject({ client: 'client', address: '10.77.0.1' });
    expect(report.acts[0]!.felt[0]!.longestMs).toBeGreaterThan(100);
    expect(report.acts[1]!.felt[0]!.longestMs).toBe(0);
    const text = verdictText(report, paintFor({ isTTY: false })).join('\n');
    expect(text).toMatch(/drop both alpha\.eth0 +\d+\.\d ms\n/);
  });

  it.each([
    [
      'an address on another NIC',
      `  - { at: 1s, expect: { within: 200ms, carried: { 10.77.0.1: alpha.eth1 } } }`,
      /10\.77\.0\.1 is on eth0 of alpha, not on eth1 alone/,
    ],
    [
      'another health',
      `  - { at: 1s, expect: { within: 200ms, health: { alpha.eth0: down } } }`,
      /alpha\.eth0 is up, not down/,
    ],
    [
      'an event that did not come',
      `  - { at: 1s, expect: { within: 200ms, events: { 'alpha switch-done': 1 } } }`,
      /alpha journalled switch-done 0 times, not 1/,
    ],
    [
      'no alarm',
      `  - { at: 1s, expect: { within: 200ms, alarms: { alpha: [cabling] } } }`,
      /alpha has no alarm cabling/,
    ],
    [
      'a silent address',
      `  - { at: 1s, fault: client-off client, expect: { within: 300ms, answers: [10.77.0.1] } }`,
      /10\.77\.0\.1 does not answer client/,
    ],
    [
      'something that held only for a while',
      `  - { at: 1s, fault: cut alpha.eth0, expect: { within: 1s, throughout: true, health: { alpha.eth0: up } } }`,
      /alpha\.eth0 is down carrier, not up/,
    ],
    ['a command that fails', `  - { at: 1s, do: 'alpha: link switch --net nowhere' }`, /exit code 1, not 0/],
  ])('fails for %s', async (_, steps, message) => {
    const report = await play(steps);
    expect(report.verdict).toBe('failed');
    expect(report.failures.join('\n')).toMatch(message);
  });

  it('judges what held until the next blow before that blow falls, however late it began', async () => {
    const steps = `
  - { at: 1s, expect: { within: 1s, throughout: true, carried: { 10.77.0.1: alpha.eth0 } } }
  - { at: 2s, fault: rename alpha.eth0 wan0 }`;
    const lab = new SimulatorLab();
    const runUntil = lab.runUntil.bind(lab);
    lab.runUntil = (at) => runUntil(at === 1000 ? at + 25 : at);
    const report = await runDrill(parseScenario(story(steps), 'x.yaml'), lab);
    expect(report.failures).toEqual([]);
  });

  it('fails for an outage above its bound, and for a switch where none was due', async () => {
    const report = await play(
      `  - { at: 1s, fault: drop both alpha.eth0 }`,
      `always: { still: true, outage: { 10.77.0.1: 50ms } }`,
    );
    expect(report.failures.join('\n')).toMatch(/out for \d+\.\d ms to client, more than 50 ms/);
    expect(report.failures.join('\n')).toMatch(/switches where none was due/);
  });

  it('fails for an address that another node answered for where nothing was to move', async () => {
    const scenario = loadScenario('node-off');
    scenario.always.unmoved = true;
    const report = await runDrill(scenario, new SimulatorLab());
    expect(report.failures.join('\n')).toMatch(/10\.77\.0\.100 moved: alpha, then beta answered for it/);
  });

  it('ends and cleans up when it is called off', async () => {
    const ending = new AbortController();
    const lines: TimelineLine[] = [];
    const scenario = parseScenario(story(`  - { at: 1s, fault: cut alpha.eth0 }`), 'x.yaml');
    const onLine = (line: TimelineLine): void => {
      lines.push(line);
      if (line.what === 'fault') ending.abort();
    };
    await runDrill(scenario, new SimulatorLab(), { onLine, signal: ending.signal }).catch(() => undefined);
    expect(lines.some((line) => line.at > 2000)).toBe(false);
  });
});
