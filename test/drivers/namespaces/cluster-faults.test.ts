import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NamespacesLab } from '../../../drivers/namespaces/lab.js';
import { folderOf } from '../../../drivers/namespaces/names.js';
import { attempt, run } from '../../../drivers/namespaces/shell.js';
import { parseFault, scenarioSchema, type Scenario } from '../../../src/drill/scenario.js';

const notRoot = process.getuid?.() !== 0;
const FLOATING = ['10.77.0.100', 'fd77::100'];

function folderOfAlpha(lab: NamespacesLab): string {
  return `${folderOf(lab.namespaceOf('alpha').replace(/-alpha$/, ''))}/alpha`;
}

/** No daemon runs; addresses are put where a test wants them. */
function scenario(topology: Record<string, unknown> = {}, steps: Record<string, unknown>[] = []): Scenario {
  const parsed = scenarioSchema.parse({
    title: 'a cluster without daemons',
    topology: {
      switches: ['left', 'heart'],
      nodes: { alpha: { eth0: 'left', hb0: 'heart' }, beta: { eth0: 'left', hb0: 'heart' } },
      clients: {
        client: { switch: 'left', addresses: ['10.77.0.254/24', 'fd77::fe/64'], probes: ['10.77.0.1', 'fd77::1'] },
        third: { switch: 'left', addresses: ['10.77.0.9/24'] },
      },
      ...topology,
    },
    cluster: {
      nets: { public: { heartbeat: 'public' }, private1: { heartbeat: 'private' } },
      nodes: {
        alpha: {
          public: { primary: 'eth0', address: ['10.77.0.1/24', 'fd77::1/64'] },
          private1: { primary: 'hb0', address: '10.78.0.1/24' },
        },
        beta: {
          public: { primary: 'eth0', address: ['10.77.0.2/24', 'fd77::2/64'] },
          private1: { primary: 'hb0', address: '10.78.0.2/24' },
        },
      },
      packages: {
        web: { nodes: ['alpha', 'beta'], resources: FLOATING.map((address) => ({ address, net: 'public' })) },
      },
    },
    steps,
    until: '10s',
  });
  return { ...parsed, name: 'cluster-faults' };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await what())) {
    if (performance.now() > deadline) throw new Error(`did not come true within ${withinMs} ms: ${what.toString()}`);
    await pause(10);
  }
}

describe.skipIf(notRoot)('faults of a cluster on the kernel lab (needs root)', () => {
  let lab: NamespacesLab;
  const inside = (name: string, ...words: string[]): Promise<string> =>
    run('ip', ['netns', 'exec', lab.namespaceOf(name), ...words]);
  const reaches = async (name: string, address: string): Promise<boolean> =>
    (await attempt('ip', ['netns', 'exec', lab.namespaceOf(name), 'ping', '-c1', '-W1', '-q', address])).code === 0;
  const strike = (fault: string): Promise<void> => lab.inflict(parseFault(fault));
  const heal = (fault: string): Promise<void> => lab.heal(parseFault(fault));
  const put = async (node: string): Promise<void> => {
    for (const address of FLOATING)
      await inside(node, 'ip', 'address', 'add', address, 'dev', 'eth0', ...(address.includes(':') ? ['nodad'] : []));
  };
  const takeOff = async (node: string): Promise<void> => {
    for (const address of FLOATING) await inside(node, 'ip', 'address', 'delete', address, 'dev', 'eth0');
  };
  const holders = (): (string | null)[] => FLOATING.map((address) => lab.holder(address));

  beforeEach(() => {
    lab = new NamespacesLab();
  });
  afterEach(() => lab.destroy());

  it('the watcher tells who answers, nobody, and both', async () => {
    await lab.build(scenario());
    lab.begin();
    await pause(100);
    expect(holders()).toEqual([null, null]);
    await put('alpha');
    await until(() => holders().every((holder) => holder === 'alpha'));
    await takeOff('alpha');
    await until(() => holders().every((holder) => holder === null));
    await put('beta');
    await until(() => holders().every((holder) => holder === 'beta'));
    expect(lab.overlaps()).toEqual([]);
    await put('alpha');
    await until(() => new Set(lab.overlaps().map((overlap) => overlap.address)).size === 2);
    expect(lab.overlaps()[0]!.nodes).toEqual(['alpha', 'beta']);
    expect(lab.announcements()).toEqual([]);
  });

  it('power-off takes everything but the disk; a boot brings back what boots bring', async () => {
    await lab.build(scenario());
    lab.begin();
    await put('alpha');
    await inside('alpha', 'nft', 'add', 'table', 'inet', 'baton');
    await inside('alpha', 'sysctl', '-q', '-w', 'net.ipv4.conf.eth0.arp_ignore=1');
    await until(() => lab.holder(FLOATING[0]!) === 'alpha');
    const mac = async (): Promise<string | undefined> =>
      /link\/ether (\S+)/.exec(await inside('alpha', 'ip', 'link', 'show', 'eth0'))?.[1];
    const before = await mac();
    await strike('power-off alpha');
    await until(() => holders().every((holder) => holder === null));
    expect(await inside('alpha', 'ip', '-o', 'link', 'show', 'hb0')).toContain('NO-CARRIER');
    expect(await inside('beta', 'ip', '-o', 'link', 'show', 'hb0')).toContain('LOWER_UP');
    // There is no daemon to start again: its cluster file is refused on purpose.
    await run('rm', [`${folderOfAlpha(lab)}/cluster.yaml`]);
    await expect(heal('power-off alpha')).rejects.toThrow(/ended at its start/);
    expect((await lab.truth('alpha')).addresses).toEqual({
      eth0: ['10.77.0.1/24', 'fd77::1/64'],
      hb0: ['10.78.0.1/24'],
    });
    expect(await inside('alpha', 'nft', 'list', 'ruleset')).toBe('');
    expect(await inside('alpha', 'sysctl', '-n', 'net.ipv4.conf.eth0.arp_ignore')).toBe('0\n');
    expect(await mac()).toBe(before);
    await until(() => reaches('client', '10.77.0.1'));
    expect(holders()).toEqual([null, null]);
  });

  it('block is one way, split both ways, on every net', async () => {
    await lab.build(scenario());
    await inside('beta', 'ip', 'neigh', 'replace', '10.77.0.1', 'lladdr', '02:ba:70:00:01:00', 'dev', 'eth0');
    const heardBy = async (name: string, from: string): Promise<number> => {
      const rule = `table netdev seen { chain c { type filter hook ingress device "hb0" priority 0; counter; }\n}`;
      await run('ip', ['netns', 'exec', lab.namespaceOf(name), 'nft', '-f', '-'], rule);
      await attempt('ip', ['netns', 'exec', lab.namespaceOf(from), 'arping', '-c2', '-w1', '-I', 'hb0', '10.78.0.77']);
      const count = /packets (\d+)/.exec(await inside(name, 'nft', 'list', 'table', 'netdev', 'seen'))![1];
      await inside(name, 'nft', 'delete', 'table', 'netdev', 'seen');
      return Number(count);
    };
    await strike('block alpha beta');
    expect(await heardBy('beta', 'alpha')).toBe(0);
    expect(await heardBy('alpha', 'beta')).toBeGreaterThan(0);
    expect(await reaches('client', '10.77.0.1')).toBe(true);
    await heal('block alpha beta');
    expect(await reaches('alpha', '10.77.0.2')).toBe(true);
    await strike('split alpha|beta,client');
    expect([await reaches('client', '10.77.0.1'), await reaches('alpha', '10.78.0.2')]).toEqual([false, false]);
    expect([await reaches('client', '10.77.0.2'), await reaches('third', '10.77.0.1')]).toEqual([true, true]);
    await heal('split alpha|beta,client');
    expect(await reaches('alpha', '10.78.0.2')).toBe(true);
  });

  it('frames come twice, or late and out of order, and all of them come', async () => {
    await lab.build(scenario());
    const ping = (): Promise<string> => inside('client', 'ping', '-c50', '-i0.002', '-W1', '10.77.0.1');
    await strike('duplicate 100% alpha.eth0');
    expect(await ping()).toMatch(/50 received, \+\d\d+ duplicates/);
    await heal('duplicate 100% alpha.eth0');
    await strike('reorder 50%');
    const told = await ping();
    expect(told).toContain('50 received, 0% packet loss');
    const order = [...told.matchAll(/icmp_seq=(\d+)/g)].map((match) => Number(match[1]));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    await heal('reorder 50%');
    expect(await ping()).not.toContain('duplicates');
  });

  it("baton's frames of a switch are played again", async () => {
    await lab.build(scenario({}, [{ at: '1s', fault: 'replay left' }]));
    const send = "require('dgram').createSocket('udp4').send('old news', 7789, '10.77.0.2', () => process.exit())";
    const counted = `table ip seen { chain c { type filter hook input priority 0; udp dport 7789 counter; }\n}`;
    await run('ip', ['netns', 'exec', lab.namespaceOf('beta'), 'nft', '-f', '-'], counted);
    await inside('alpha', process.execPath, '-e', send);
    const seen = async (): Promise<string | undefined> =>
      /packets (\d+)/.exec(await inside('beta', 'nft', 'list', 'table', 'ip', 'seen'))?.[1];
    await until(async () => (await seen()) === '1');
    await strike('replay left');
    await until(async () => (await seen()) === '2');
    expect(await reaches('alpha', '10.77.0.2')).toBe(true);
  });

  it('a stranger claims an address, and lets go of it', async () => {
    await lab.build(scenario());
    await put('alpha');
    await strike('claim third 10.77.0.100');
    await until(() => lab.announcements().some((seen) => seen.address === '10.77.0.100' && seen.client === 'client'));
    expect(lab.holder('10.77.0.100')).toBe('alpha');
    expect(lab.overlaps()).toEqual([]);
    await heal('claim third 10.77.0.100');
    expect((await lab.truth('third')).addresses).toEqual({ eth0: ['10.77.0.9/24'] });
  });

  it('an arbiter that dies keeps its data, one that forgets does not', async () => {
    await lab.build(scenario({ arbiter: 'third' }));
    const etcdctl = (...words: string[]): Promise<string> =>
      inside('alpha', 'etcdctl', '--endpoints', 'http://10.77.0.9:2379', '--command-timeout', '2s', ...words);
    await etcdctl('put', 'k', 'v');
    await strike('arbiter-off');
    await expect(etcdctl('get', 'k')).rejects.toThrow();
    await heal('arbiter-off');
    expect(await etcdctl('get', 'k')).toBe('k\nv\n');
    await strike('arbiter-freeze');
    await expect(etcdctl('get', 'k')).rejects.toThrow();
    await heal('arbiter-freeze');
    await strike('arbiter-forget');
    expect(await etcdctl('get', 'k')).toBe('');
  }, 60_000);

  it('a state directory takes nothing more, and then does', async () => {
    await lab.build(scenario({}, [{ at: '1s', fault: 'disk-full alpha' }]));
    const state = `${folderOfAlpha(lab)}/state`;
    await run('sh', ['-c', `echo old > ${state}/old`]);
    await strike('disk-full alpha');
    await expect(run('cp', [`${state}/old`, `${state}/more`])).rejects.toThrow(/No space/);
    expect(await run('cat', [`${state}/old`])).toBe('old\n');
    await heal('disk-full alpha');
    await run('cp', [`${state}/old`, `${state}/more`]);
  });

  it('keeps processor and firewall busy until it is healed', async () => {
    await lab.build(scenario());
    await strike('cpu-busy 2');
    await strike('firewall-busy alpha');
    const busy = async (): Promise<boolean> => (await inside('alpha', 'nft', 'list', 'tables')).includes('inet busy');
    await until(busy, 30_000);
    await heal('firewall-busy alpha');
    await heal('cpu-busy 2');
    expect(await busy()).toBe(false);
    expect((await run('ip', ['netns', 'pids', lab.namespaceOf('left')])).trim()).toBe('');
  }, 60_000);
});
