import { readdirSync, existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NamespacesLab } from '../../../drivers/namespaces/lab.js';
import { attempt, run } from '../../../drivers/namespaces/shell.js';
import { parseFault, scenarioSchema, type Scenario } from '../../../src/drill/scenario.js';

const notRoot = process.getuid?.() !== 0;

/** beta is the far end of everything that is measured here; no daemon runs. */
function scenario(topology: Record<string, unknown> = {}): Scenario {
  const parsed = scenarioSchema.parse({
    title: 'a lab of its own',
    topology: {
      switches: ['left', 'right'],
      trunks: ['left-right'],
      nodes: { alpha: { eth0: 'left', eth1: 'right' } },
      clients: {
        probe: {
          switch: 'left',
          addresses: ['10.77.0.254/24', 'fd77::fe/64'],
          probes: ['10.77.0.1', 'fd77::1'],
          tcp: ['10.77.0.1'],
        },
      },
      ...topology,
    },
    cluster: {
      nets: { public: {} },
      nodes: { alpha: { public: { primary: 'eth0', standby: ['eth1'], address: ['10.77.0.1/24', 'fd77::1/64'] } } },
    },
    steps: [],
    until: '10s',
  });
  return { ...parsed, name: 'lab-test' };
}

/** How long a busy machine may keep a prober waiting that asks each millisecond. */
const LATE_MAX_MS = 100;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for what the world does at its own pace. */
async function until(what: () => boolean | Promise<boolean>, withinMs = 5000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await what())) {
    if (performance.now() > deadline) throw new Error(`did not come true within ${withinMs} ms: ${what.toString()}`);
    await pause(10);
  }
}

function namespacesWith(prefix: string): string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(prefix)) : [];
}

describe.skipIf(notRoot)('the kernel lab (needs root)', () => {
  let lab: NamespacesLab;
  const alpha = (): string => lab.namespaceOf('alpha');
  const carries = async (nic: string): Promise<boolean> =>
    (await run('ip', ['-n', alpha(), '-o', 'link', 'show', nic])).includes('LOWER_UP');
  const answers = (address: string): boolean => {
    const asked = lab.now();
    const probe = lab.probes().find((p) => p.address === address);
    // An outage that goes on lasts until the moment of the question.
    return probe !== undefined && probe.answered > 0 && !probe.gaps.some((gap) => gap.toMs >= asked);
  };
  const strike = (fault: string): Promise<void> => lab.inflict(parseFault(fault));
  const heal = (fault: string): Promise<void> => lab.heal(parseFault(fault));

  const build = async (topology?: Record<string, unknown>): Promise<void> => {
    await lab.build(scenario(topology));
    await until(() => answers('10.77.0.1') && answers('fd77::1'));
    lab.begin();
  };

  beforeEach(() => {
    lab = new NamespacesLab();
  });
  afterEach(() => lab.destroy());

  it('builds what the scenario says and leaves nothing', async () => {
    await build({
      routes: { alpha: ['default via 10.77.0.254 dev eth0 metric 50', 'fd99::/48 via fd77::fe dev eth0'] },
    });
    expect(await lab.truth('alpha')).toEqual({
      addresses: { eth0: ['10.77.0.1/24', 'fd77::1/64'], eth1: [] },
      routes: ['default via 10.77.0.254 dev eth0 metric 50', 'fd99::/48 via fd77::fe dev eth0'],
    });
    await until(() => lab.connections().some((c) => c.alive));
    expect(await lab.status('alpha')).toBeNull();
    const prefix = alpha().replace(/alpha$/, '');
    expect(namespacesWith(prefix)).toHaveLength(4);
    await lab.destroy();
    expect(namespacesWith(prefix)).toEqual([]);
    await lab.destroy();
  });

  it('removes a half-built network', async () => {
    await expect(lab.build(scenario({ routes: { alpha: ['default via 10.99.0.1 dev eth0'] } }))).rejects.toThrow(
      /ip .*-batch/,
    );
    await lab.destroy();
    expect(namespacesWith(alpha().replace(/alpha$/, ''))).toEqual([]);
  });

  it.each([
    ['cut alpha.eth0', false, false],
    ['drop in alpha.eth0', true, false],
    ['drop out alpha.eth0', true, false],
    ['drop both alpha.eth0', true, false],
    ['loss 100% alpha.eth0', true, false],
    ['loss 100%', true, false],
    ['client-off probe', true, false],
    ['switch-off left', false, false],
    ['switch-mute left', true, false],
    ['admin-down alpha.eth1', true, true],
    ['trunk left-right', true, true],
  ])('%s: carrier at eth0 %s, answers %s, and all is well after it is healed', async (fault, carrier, answered) => {
    await build();
    await strike(fault);
    await pause(50);
    expect(await carries('eth0')).toBe(carrier);
    await until(() => answers('10.77.0.1') === answered && answers('fd77::1') === answered);
    await heal(fault);
    await until(() => answers('10.77.0.1') && answers('fd77::1'));
    await until(() => lab.connections().some((c) => c.alive));
    await expect(heal(fault)).rejects.toThrow(/not in force/);
  });

  it('a cut trunk parts the switches and costs no node its carrier', async () => {
    await build();
    await run('ip', ['netns', 'exec', alpha(), 'sysctl', '-q', '-w', 'net.ipv4.conf.all.arp_ignore=1']);
    await run('ip', ['-n', alpha(), 'address', 'add', '10.77.0.9/24', 'dev', 'eth1']);
    const reaches = async (): Promise<boolean> =>
      (await attempt('ip', ['netns', 'exec', alpha(), 'ping', '-c1', '-W1', '-I', 'eth1', '10.77.0.254'])).code === 0;
    expect(await reaches()).toBe(true);
    await strike('trunk left-right');
    expect(await reaches()).toBe(false);
    expect([await carries('eth0'), await carries('eth1')]).toEqual([true, true]);
    await heal('trunk left-right');
    await until(reaches);
  });

  it('a card that was deleted comes back with its name and MAC, in its port', async () => {
    await build();
    const macOf = async (): Promise<string | undefined> =>
      /link\/ether (\S+)/.exec(await run('ip', ['-n', alpha(), 'link', 'show', 'eth0']))?.[1];
    const mac = await macOf();
    await strike('delete alpha.eth0');
    expect((await lab.truth('alpha')).addresses).toEqual({ eth1: [] });
    await heal('delete alpha.eth0');
    expect(await macOf()).toBe(mac);
    await run('ip', ['-n', alpha(), 'address', 'add', '10.77.0.1/24', 'dev', 'eth0']);
    await until(() => answers('10.77.0.1'));
  });

  it('renames a NIC and back, and removes an address once', async () => {
    await build();
    await strike('rename alpha.eth1 lan7');
    expect(Object.keys((await lab.truth('alpha')).addresses)).toEqual(['eth0', 'lan7']);
    await heal('rename alpha.eth1 lan7');
    await strike('remove-address alpha fd77::1');
    expect((await lab.truth('alpha')).addresses).toEqual({ eth0: ['10.77.0.1/24'], eth1: [] });
  });

  it('a network manager strips the NIC that lost its carrier and puts back what it had seen', async () => {
    const routes = [
      'default via 10.77.0.254 dev eth0',
      'default via fd77::fe dev eth0',
      '10.9.0.0/16 via 10.77.0.254 dev eth0 metric 7 mtu 1400',
    ];
    await build({ routes: { alpha: routes } });
    const before = await lab.truth('alpha');
    await strike('manager alpha.eth0');
    await strike('cut alpha.eth0');
    await until(
      async () =>
        JSON.stringify(await lab.truth('alpha')) === JSON.stringify({ addresses: { eth0: [], eth1: [] }, routes: [] }),
    );
    await heal('cut alpha.eth0');
    await until(async () => JSON.stringify(await lab.truth('alpha')) === JSON.stringify(before));
    await heal('manager alpha.eth0');
  });

  it('measures an outage of known length', async () => {
    await build();
    const from = lab.now();
    await strike('drop in alpha.eth0');
    const inForce = lab.now();
    await pause(120);
    const healing = lab.now();
    await heal('drop in alpha.eth0');
    const to = lab.now();
    await until(() => answers('10.77.0.1'));
    for (const { address, gaps } of lab.probes()) {
      const longest = gaps.reduce((a, b) => (b.toMs - b.fromMs > a.toMs - a.fromMs ? b : a));
      // The fault came into force and was healed somewhere within the calls; a probe a millisecond looks at it.
      expect(longest.fromMs, address).toBeGreaterThanOrEqual(from);
      expect(longest.fromMs, address).toBeLessThanOrEqual(inForce + LATE_MAX_MS);
      expect(longest.toMs, address).toBeGreaterThanOrEqual(healing);
      expect(longest.toMs, address).toBeLessThanOrEqual(to + LATE_MAX_MS);
    }
    const [connection] = lab.connections();
    expect(connection).toMatchObject({ alive: true });
    expect(connection!.pauseMaxMs).toBeGreaterThan(100);
  });

  it('hears announcements, and a stuck client believes only them', async () => {
    await build({
      clients: {
        probe: {
          switch: 'left',
          addresses: ['10.77.0.254/24', 'fd77::fe/64'],
          probes: ['10.77.0.1', 'fd77::1'],
          stuck: true,
        },
      },
    });
    await strike('drop both alpha.eth0');
    await run('ip', ['-n', alpha(), 'address', 'del', '10.77.0.1/24', 'dev', 'eth0']);
    await run('ip', ['netns', 'exec', alpha(), 'sysctl', '-q', '-w', 'net.ipv4.conf.all.arp_ignore=1']);
    await run('ip', ['-n', alpha(), 'address', 'add', '10.77.0.1/24', 'dev', 'eth1']);
    await pause(1500);
    expect(answers('10.77.0.1')).toBe(false);
    await run('ip', ['netns', 'exec', alpha(), 'sysctl', '-q', '-w', 'net.ipv4.conf.eth1.arp_notify=1']);
    // With arp_notify the kernel announces a new MAC.
    await run('ip', ['-n', alpha(), 'link', 'set', 'eth1', 'address', '02:ba:70:00:09:09']);
    await until(() => answers('10.77.0.1'));
    expect(lab.announcements()).toContainEqual(
      expect.objectContaining({ client: 'probe', address: '10.77.0.1', mac: '02:ba:70:00:09:09', form: 'arp-request' }),
    );
  });

  it.each(['239.77.0.1', 'ff15::77'])('sends and receives the group %s', async (group) => {
    await build({ multicast: { node: 'alpha', nic: 'eth0', group, from: 'probe' } });
    await until(() => lab.multicastReceived('alpha', lab.now() - 200) > 3);
    await strike('drop in alpha.eth0');
    await pause(100);
    const since = lab.now();
    await pause(200);
    expect(lab.multicastReceived('alpha', since)).toBe(0);
  });

  it('flaps as often as it says, then the cable is in', async () => {
    await build();
    const changes = async (): Promise<number> =>
      Number(await run('ip', ['netns', 'exec', alpha(), 'cat', '/sys/class/net/eth0/carrier_down_count']));
    const before = await changes();
    await strike('flap alpha.eth0 50ms 50ms 5');
    await until(async () => (await changes()) === before + 5);
    await until(() => answers('10.77.0.1'));
    await pause(150);
    expect(await changes()).toBe(before + 5);
  });

  it('keeps rtnl busy and cleans that up too', async () => {
    await build();
    await strike('rtnl-busy');
    await until(() => namespacesWith(lab.namespaceOf('busy')).length === 0, 20_000);
  });

  it.each(['plain', 'physical'])('%s cards: iflink and carrier events are as on such a card', async (cards) => {
    await build({ cards });
    const sysfs = async (file: string): Promise<string> =>
      (await run('ip', ['netns', 'exec', alpha(), 'cat', `/sys/class/net/eth0/${file}`])).trim();
    expect((await sysfs('iflink')) === (await sysfs('ifindex'))).toBe(cards === 'physical');
    // The count follows the cable, `operstate` the event, which the kernel may keep for a second after the last one.
    const toldLate: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      const downs = Number(await sysfs('carrier_down_count'));
      await strike('cut alpha.eth0');
      await pause(30);
      toldLate.push((await sysfs('operstate')) === 'up');
      expect(Number(await sysfs('carrier_down_count'))).toBe(downs + 1);
      await until(async () => (await sysfs('operstate')) !== 'up');
      await heal('cut alpha.eth0');
      await until(async () => (await sysfs('operstate')) === 'up');
    }
    expect(toldLate.includes(true)).toBe(cards === 'physical');
  });
});
