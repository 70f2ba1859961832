import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { parseCluster } from '../../src/config/parse.js';
import { type HostNic, readHost } from '../../src/daemon/host.js';
import { macFindings, type MacFinding, type RunIp } from '../../src/daemon/mac-readiness.js';

const MAC = '02:00:00:00:00:07';

function find(host: HostNic[], ip: RunIp, mac = ', mac: follow'): Promise<MacFinding[]> {
  const cluster = parseCluster(`cluster: shop
key: /k
nets: { public: { targets: [10.77.0.254]${mac} } }
nodes: { alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 } } }
`);
  return macFindings(cluster, cluster.nodes[0]!, host, ip);
}

function nic(name: string, change: Partial<HostNic> = {}): HostNic {
  const plain = { ifindex: 2, mac: MAC, mtu: 1500, linkType: 'ether', admin: true, carrier: true, addresses: [] };
  return { nic: name, ...plain, ...change };
}

const SERVING = nic('eth0', {
  addresses: [{ family: 4, address: '10.77.0.1', prefixLength: 24, linkLocal: false }],
});

describe('which MACs are tried', () => {
  it.each<[string, HostNic[], string | undefined, string[]]>([
    ['a card in service is left alone, a standby gets its own', [SERVING, nic('eth1')], undefined, [`eth1 ${MAC}`]],
    ['one that is down another, too', [SERVING, nic('eth1', { admin: false })], undefined, ['eth1 0a', `eth1 ${MAC}`]],
    ['a primary without addresses', [nic('eth0')], undefined, [`eth0 ${MAC}`]],
    ['none where the MAC stays', [nic('eth0'), nic('eth1')], '', []],
  ])('%s', async (_, host, mac, tried) => {
    const asked: string[] = [];
    const ip: RunIp = (words) => {
      asked.push(`${words[3]} ${words[5]!.startsWith('0a:') ? '0a' : words[5]}`);
      return Promise.resolve();
    };
    expect(await find(host, ip, mac)).toEqual([]);
    expect(asked).toEqual(tried);
  });

  it.each([
    ['RTNETLINK answers: Operation not supported', 'error mac-fixed'],
    ['RTNETLINK answers: Cannot assign requested address', 'error mac-fixed'],
    ['RTNETLINK answers: Operation not permitted', 'warning mac-untried'],
    ['RTNETLINK answers: Device or resource busy', undefined],
  ])('%s', async (said, finding) => {
    const found = await find([SERVING, nic('eth1')], () =>
      Promise.reject(new Error(`Command failed: ip ...\n${said}\n`)),
    );
    expect(found.map(({ severity, what }) => `${severity} ${what}`)).toEqual(finding === undefined ? [] : [finding]);
  });
});

describe.runIf(process.geteuid?.() === 0)('on this kernel (needs root)', () => {
  const namespace = `btmac${process.pid}`;
  const ip = (...words: string[]): string => execFileSync('ip', ['-n', namespace, ...words], { encoding: 'utf8' });
  const seen = (): HostNic[] => readHost(JSON.parse(ip('-j', '-d', 'address', 'show')));
  const within: RunIp = (words) => promisify(execFile)('ip', ['-n', namespace, ...words]);

  beforeEach(() => {
    execFileSync('ip', ['netns', 'add', namespace]);
    ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far0');
    ip('address', 'add', '10.77.0.1/24', 'dev', 'eth0');
  });
  afterEach(() => execFileSync('ip', ['netns', 'del', namespace]));

  test.each([true, false])('an ifb takes no MAC, up: %s', async (up) => {
    ip('link', 'add', 'eth1', 'type', 'ifb');
    if (up) ip('link', 'set', 'eth1', 'up');
    const found = await find(seen(), within);
    expect(found.map(({ nic: name, what }) => `${name} ${what}`)).toEqual(['eth1 mac-fixed']);
    expect(found[0]!.text).toContain('Operation not supported');
  });

  test.each([true, false])('a veth takes one, and has its own afterwards, up: %s', async (up) => {
    ip('link', 'add', 'eth1', 'address', MAC, 'type', 'veth', 'peer', 'name', 'far1');
    if (up) ip('link', 'set', 'eth1', 'up');
    expect(await find(seen(), within)).toEqual([]);
    expect(seen().find((it) => it.nic === 'eth1')!.mac).toBe(MAC);
  });
});
