/** Whole drills in memory. */
import { describe, expect, test } from 'vitest';
import { SimulatorLab } from '../../../drivers/simulator/lab.js';
import { runDrill } from '../../../src/drill/drill.js';
import { parseScenario } from '../../../src/drill/load.js';
import type { Scenario } from '../../../src/drill/scenario.js';

const TEXT = `
title: two nodes, two switches
topology:
  switches: [left, right]
  trunks: [left-right]
  nodes:
    alpha: { eth0: left, eth1: right }
    beta: { eth0: left, eth1: right }
  clients:
    client: { switch: left, addresses: [10.77.0.254/24], probes: [10.77.0.1], tcp: [10.77.0.1] }
  routes:
    alpha: ['default via 10.77.0.254 dev eth0 metric 100']
cluster:
  timing: fast
  nets: { public: { heartbeat: public, targets: [10.77.0.254], upDelay: 500ms } }
  nodes:
    alpha: { public: { primary: eth0, standby: [eth1], address: [10.77.0.1/24, 'fd77::1/64'] } }
    beta: { public: { primary: eth0, standby: [eth1], address: 10.77.0.2/24 } }
  quorum: none
steps:
  - { at: 1s, fault: cut alpha.eth0 }
  - { at: 2s, heal: cut alpha.eth0 }
  - { at: 3s, fault: 'loss 20%' }
until: 4s
`;
const SCENARIO: Scenario = parseScenario(TEXT, 'drill.yaml');

async function traceOf(seed: number): Promise<string> {
  const lab = new SimulatorLab({ seed });
  await runDrill(SCENARIO, lab);
  return lab.trace();
}

async function built(changed: Partial<Scenario> = {}): Promise<SimulatorLab> {
  const lab = new SimulatorLab();
  await lab.build({ ...SCENARIO, ...changed });
  for (const node of ['alpha', 'beta']) await lab.startDaemon(node);
  lab.begin();
  await lab.runUntil(500);
  return lab;
}

test('the same seed gives the same trace, byte for byte; another seed another', async () => {
  const first = await traceOf(7);
  expect(first).toContain('switch-done');
  expect(await traceOf(7)).toBe(first);
  expect(await traceOf(8)).not.toBe(first);
});

test('a drill is much faster than its own time', async () => {
  const quiet = { ...SCENARIO, steps: [], until: 60_000 };
  const { tookMs, verdict } = await runDrill(quiet, new SimulatorLab());
  expect(verdict).toBe('passed');
  expect(tookMs).toBeLessThan(30_000);
});

describe('truth', () => {
  test('says which NIC carries which address, and what routes there are', async () => {
    const lab = await built();
    expect(await lab.truth('alpha')).toEqual({
      addresses: { eth0: ['10.77.0.1/24', 'fd77::1/64'], eth1: [] },
      routes: ['default via 10.77.0.254 dev eth0 metric 100'],
    });
    await lab.inflict({ fault: 'cut', at: { node: 'alpha', nic: 'eth0' } });
    await lab.runUntil(700);
    expect(await lab.truth('alpha')).toEqual({
      addresses: { eth0: [], eth1: ['10.77.0.1/24', 'fd77::1/64'] },
      routes: ['default via 10.77.0.254 dev eth1 metric 100'],
    });
    expect(lab.announcements().some(({ address, form }) => address === '10.77.0.1' && form === 'arp-request')).toBe(
      true,
    );
  });

  test('without addresses at boot the daemon raises them', async () => {
    const lab = await built({ topology: { ...SCENARIO.topology, addressesAtBoot: false, routes: {} } });
    await lab.runUntil(1500);
    expect((await lab.truth('alpha')).addresses['eth0']).toEqual(['10.77.0.1/24', 'fd77::1/64']);
  });
});

describe('an operator', () => {
  test.each([
    [['link', 'switch', '--net', 'public'], 0],
    [['link', 'switch', '--net', 'nosuch'], 1],
    [['link', 'switch'], 2],
    [['link', 'lock'], 2],
    [['link', 'bend', 'eth0'], 2],
    [['cluster', 'dance'], 2],
    [['link', 'switch', '--nosuch'], 2],
  ])('%j exits with %i', async (command, code) => {
    const result = await (await built()).operate('alpha', command);
    expect(result.code, result.stderr).toBe(code);
    expect((code === 0 ? result.stdout : result.stderr).length).toBeGreaterThan(1);
  });

  test('finds no daemon where it was killed', async () => {
    const lab = await built();
    await lab.inflict({ fault: 'kill', node: 'alpha' });
    expect((await lab.operate('alpha', ['link', 'switch', '--net', 'public'])).code).toBe(3);
    expect(await lab.status('alpha')).toBeNull();
    await lab.heal({ fault: 'kill', node: 'alpha' });
    await lab.runUntil(1500);
    expect((await lab.status('alpha'))?.node).toBe('alpha');
  });
});

describe('a fault', () => {
  test('that is in force cannot be inflicted again, and one that is not cannot be healed', async () => {
    const lab = await built();
    const cut = { fault: 'cut', at: { node: 'alpha', nic: 'eth0' } } as const;
    await expect(lab.heal(cut)).rejects.toThrow('not in force');
    await lab.inflict(cut);
    await expect(lab.inflict(cut)).rejects.toThrow('in force already');
    await lab.heal(cut);
    await lab.inflict(cut);
  });

  test('of something that is not there names it', async () => {
    const lab = await built();
    await expect(lab.inflict({ fault: 'cut', at: { node: 'alpha', nic: 'eth7' } })).rejects.toThrow('alpha.eth7');
    await expect(lab.inflict({ fault: 'trunk', trunk: 'a-b' })).rejects.toThrow('a-b');
    await expect(lab.inflict({ fault: 'kill', node: 'omega' })).rejects.toThrow('omega');
  });

  test('that the simulator cannot deal is refused with the reason', async () => {
    await expect((await built()).inflict({ fault: 'rtnl-busy' })).rejects.toThrow('kernel lab only');
  });

  test('kill-at leaves the host as it was before that change; the next daemon puts it right', async () => {
    const lab = await built();
    const kill = { fault: 'kill-at', node: 'alpha', step: 2 } as const;
    await lab.inflict(kill);
    await lab.inflict({ fault: 'cut', at: { node: 'alpha', nic: 'eth0' } });
    await lab.runUntil(1000);
    expect(await lab.status('alpha')).toBeNull();
    await lab.heal(kill);
    await lab.runUntil(3000);
    expect((await lab.truth('alpha')).addresses).toEqual({ eth0: [], eth1: ['10.77.0.1/24', 'fd77::1/64'] });
  });

  test('freeze: no status, and nothing is done, until it thaws', async () => {
    const lab = await built();
    await lab.inflict({ fault: 'freeze', node: 'alpha' });
    await lab.inflict({ fault: 'cut', at: { node: 'alpha', nic: 'eth0' } });
    await lab.runUntil(2500);
    expect(await lab.status('alpha')).toBeNull();
    expect((await lab.truth('alpha')).addresses['eth1']).toEqual([]);
    await lab.heal({ fault: 'freeze', node: 'alpha' });
    await lab.runUntil(2700);
    expect((await lab.truth('alpha')).addresses['eth1']).toContain('10.77.0.1/24');
    expect(lab.journal().filter(({ event }) => event === 'stalled')).toHaveLength(1);
  });
});

test('a topology with an unknown switch is refused', async () => {
  const topology = { ...SCENARIO.topology, nodes: { alpha: { eth0: 'nosuch' } } };
  await expect(new SimulatorLab().build({ ...SCENARIO, topology })).rejects.toThrow('nosuch');
});

test('destroy may come at any time, and twice', async () => {
  const lab = new SimulatorLab();
  await lab.destroy();
  await lab.build(SCENARIO);
  await lab.destroy();
  await lab.destroy();
});
