import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NamespacesLab } from '../../../drivers/namespaces/lab.js';
import { attempt } from '../../../drivers/namespaces/shell.js';
import { parseFault, scenarioSchema, type Scenario } from '../../../src/drill/scenario.js';

const cannot = process.getuid?.() !== 0 || !existsSync(new URL('../../../dist/src/cli/commands', import.meta.url));

function scenario(cluster: Record<string, unknown> = {}): Scenario {
  const parsed = scenarioSchema.parse({
    title: 'one node',
    topology: { switches: ['left'], nodes: { alpha: { eth0: 'left', eth1: 'left' } } },
    cluster: {
      nets: { public: {} },
      nodes: { alpha: { public: { primary: 'eth0', standby: ['eth1'], address: '10.77.0.1/24' } } },
      ...cluster,
    },
    steps: [],
    until: '10s',
  });
  return { ...parsed, name: 'one-node' };
}

/** What this process started and what is still there. */
async function daemonsOf(lab: NamespacesLab): Promise<string[]> {
  return (await attempt('ip', ['netns', 'pids', lab.namespaceOf('alpha')])).stdout.split(/\s+/).filter(Boolean);
}

describe.skipIf(cannot)('a daemon in the kernel lab (needs root and a built dist)', () => {
  let lab: NamespacesLab;
  const strike = (fault: string): Promise<void> => lab.inflict(parseFault(fault));
  const heal = (fault: string): Promise<void> => lab.heal(parseFault(fault));
  const starts = (): number => lab.journal().filter((entry) => entry.event === 'node-started').length;
  const untilStarts = async (n: number): Promise<void> => {
    const deadline = performance.now() + 5000;
    while (starts() < n && performance.now() < deadline) await lab.runUntil(lab.now() + 20);
    expect(starts()).toBe(n);
  };

  beforeEach(() => {
    lab = new NamespacesLab();
  });
  afterEach(() => lab.destroy());

  it('starts, answers, is killed, stopped and restarted, and tells its journal once', async () => {
    await lab.build(scenario());
    await lab.startDaemon('alpha');
    lab.begin();
    expect(await lab.status('alpha')).toMatchObject({ node: 'alpha', cluster: 'drill' });
    await untilStarts(1);
    // It began before the drill did, on the same clock.
    expect(lab.journal()[0]!.at).toBeLessThanOrEqual(0);
    expect(lab.journal()[0]!.at).toBeGreaterThan(-30_000);

    await strike('kill alpha');
    expect([await lab.status('alpha'), await daemonsOf(lab)]).toEqual([null, []]);
    await heal('kill alpha');
    await untilStarts(2);
    await strike('restart alpha');
    await untilStarts(3);
    expect(await lab.status('alpha')).not.toBeNull();
    await strike('stop alpha');
    expect([await lab.status('alpha'), await daemonsOf(lab)]).toEqual([null, []]);
    await heal('stop alpha');
    await untilStarts(4);

    await strike('freeze alpha');
    expect((await attempt('ps', ['-o', 'state=', '-p', (await daemonsOf(lab))[0]!])).stdout.trim()).toBe('T');
    await heal('freeze alpha');
    expect(await lab.status('alpha')).not.toBeNull();
  });

  it('kills it at a change of the hands, and says when there was none', async () => {
    await lab.build(scenario());
    await lab.startDaemon('alpha');
    await strike('kill-at alpha 1');
    await strike('remove-address alpha 10.77.0.1');
    const deadline = performance.now() + 5000;
    while ((await lab.status('alpha')) !== null && performance.now() < deadline) await lab.runUntil(lab.now() + 50);
    expect(await daemonsOf(lab)).toEqual([]);
    await heal('kill-at alpha 1');
    await strike('kill-at alpha 99');
    await expect(heal('kill-at alpha 99')).rejects.toThrow('alpha lives: its hands sent fewer than 99 messages');
    expect(await lab.status('alpha')).not.toBeNull();
  });

  it('obeys an operator, and says why it does not start', async () => {
    await lab.build(scenario());
    await lab.startDaemon('alpha');
    expect(await lab.operate('alpha', ['status', '--json'])).toMatchObject({ code: 0, stderr: '' });
    expect(await lab.operate('alpha', ['no-such-word'])).not.toMatchObject({ code: 0 });
    await lab.destroy();
    lab = new NamespacesLab();
    await lab.build(scenario({ colour: 'blue' }));
    await expect(lab.startDaemon('alpha')).rejects.toThrow(/alpha: batond ended at its start\n[^]*colour/);
  });
});
