import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { heartbeatAddresses } from '../../../drivers/linux/datagrams.js';
import type { Cluster, ClusterNode } from '../../../src/config/cluster.js';
import * as cases from './inside/heartbeat-sockets.js';
import { asRoot, Namespace } from './inside.js';

describe('addresses that carry heartbeat', () => {
  const alpha: ClusterNode = {
    name: 'alpha',
    nets: [
      { net: 'public', primary: 'eth0', standby: ['eth1'], addresses: [prefix('10.77.0.1'), prefix('fd77::1')] },
      { net: 'storage', primary: 'eth2', standby: [], addresses: [prefix('10.78.0.1')] },
      { net: 'private', primary: 'hb0', standby: [], addresses: [prefix('10.7.0.1')] },
    ],
  };
  const cluster = {
    nets: [{ name: 'public', heartbeat: 'public' }, { name: 'storage' }, { name: 'private', heartbeat: 'private' }],
    nodes: [alpha, { name: 'beta', nets: [] }],
  } as unknown as Cluster;

  function prefix(address: string) {
    return { family: address.includes(':') ? 6 : 4, address, prefixLength: 24 } as const;
  }

  it('are those of the file on every net with `heartbeat:`, with the NICs of that net', () => {
    expect(heartbeatAddresses(cluster, alpha)).toEqual([
      { address: '10.77.0.1', nics: ['eth0', 'eth1'] },
      { address: 'fd77::1', nics: ['eth0', 'eth1'] },
      { address: '10.7.0.1', nics: ['hb0'] },
    ]);
  });

  it('are none where there is no other node', () => {
    expect(heartbeatAddresses({ ...cluster, nodes: [alpha] }, alpha)).toEqual([]);
  });
});

describe.skipIf(!asRoot)('heartbeat sockets between two namespaces (needs root)', () => {
  const module = new URL('./inside/heartbeat-sockets.ts', import.meta.url);
  let alpha: Namespace;
  let beta: Namespace;
  let folder: string;
  let listening: Promise<Record<string, number>>;

  beforeAll(async () => {
    alpha = new Namespace('dgram', 'a');
    beta = new Namespace('dgram', 'b');
    for (const nic of ['hb0', 'hb1', 'pub0']) {
      alpha.ip(`link add ${nic} type veth peer name ${nic} netns ${beta.name}`);
    }
    for (const [ns, last] of [
      [alpha, 1],
      [beta, 2],
    ] as const) {
      ns.run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0');
      for (const nic of ['hb0', 'hb1', 'pub0']) ns.ip(`link set ${nic} up`);
      ns.ip(`address add 10.7.0.${last}/24 dev hb0`);
      ns.ip(`address add fd07::${last}/64 dev hb0 nodad`);
      ns.ip(`address add 10.77.0.${last}/24 dev pub0`);
    }
    folder = mkdtempSync(join(tmpdir(), 'baton-datagrams-'));
    listening = beta.call(module, 'listen', folder);
    listening.catch(() => undefined);
    await vi.waitFor(() => expect(cases.heardBy(folder)).toEqual([]), { timeout: 10_000 });
  });
  afterAll(async () => {
    writeFileSync(join(folder, 'end'), '');
    await listening.catch(() => undefined);
    for (const ns of [alpha, beta]) ns.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const call = <K extends keyof typeof cases>(name: K, ...args: unknown[]) =>
    alpha.call<Awaited<ReturnType<(typeof cases)[K]>>>(module, name, ...args);

  it('carries both families, more than a batch in one turn, and says where each came in', async () => {
    expect(await call('sendMany', folder)).toEqual({});
    const heard = cases.heardBy(folder);
    expect(heard.filter((line) => line.includes('v4-'))).toEqual(
      Array.from({ length: 70 }, (_, i) => `hb0 10.7.0.1 10.7.0.2 v4-${i}`),
    );
    expect(heard.filter((line) => line.includes('v6-'))).toEqual(
      Array.from({ length: 70 }, (_, i) => `hb0 fd07::1 fd07::2 v6-${i}`),
    );
  });

  it('never sends by another NIC than its own while that is down; what comes in by another one is shown as such', async () => {
    const { drops, answers } = await call('down', folder);
    const heard = cases.heardBy(folder);
    expect(heard).toContain('pub0 10.77.0.1 10.7.0.2 stray');
    expect(heard.filter((line) => line.includes('leaked'))).toEqual([]);
    expect(drops['datagram-unsent-enetunreach'] ?? drops['datagram-unsent-enetdown']).toBeGreaterThanOrEqual(20);
    // No "port unreachable", which tells a stranger that nobody listens.
    expect(answers).toEqual([]);
  });

  it('is bound anew where the address goes, and nothing is sent under it from elsewhere', async () => {
    // Beta's addresses stay on hb0: what alpha sends by hb1 shows there where it came in.
    const mac = /ether (\S+)/.exec(beta.ip('link show dev hb1'))![1];
    const drops = await call('move', folder, mac);
    const heard = cases.heardBy(folder);
    expect(drops['datagram-from-nowhere']).toBe(2);
    expect(heard.filter((line) => /(gone|old|new|back)$/.test(line))).toEqual([
      'hb1 10.7.0.1 10.7.0.2 new',
      'hb1 fd07::1 fd07::2 new',
      'hb0 10.7.0.1 10.7.0.2 back',
      'hb0 fd07::1 fd07::2 back',
    ]);
  });

  it('cannot be taken from us by a local process', async () => {
    expect(await call('steal')).toBe('EADDRINUSE');
  });

  it('drops by name what has no socket or no target', async () => {
    expect(await call('vanish')).toEqual({
      'datagram-from-nowhere': 2,
      'datagram-target': 1,
      'datagram-family': 1,
      'datagram-length': 1,
    });
  });
});
