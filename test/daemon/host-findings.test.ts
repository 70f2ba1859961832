/** The cluster file against what `ip -j -d address show` says: one row a finding. */
import { expect, test } from 'vitest';
import { parseCluster } from '../../src/config/parse.js';
import { hostFindings } from '../../src/daemon/host-findings.js';
import { readHost } from '../../src/daemon/host.js';

type Shown = Record<string, unknown>;

const FOREVER = 4294967295;
const inet = (local: string, life = FOREVER): Shown => ({
  family: 'inet',
  local,
  prefixlen: 24,
  scope: 'global',
  valid_life_time: life,
});
const inet6 = (local: string, scope = 'global', life = FOREVER): Shown => ({
  family: 'inet6',
  local,
  prefixlen: 64,
  scope,
  valid_life_time: life,
});

function nic(ifindex: number, ifname: string, change: Shown = {}): Shown {
  const flags = ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'];
  return {
    ifindex,
    ifname,
    flags,
    mtu: 1500,
    link_type: 'ether',
    address: '02:00:00:00:00:01',
    addr_info: [],
    ...change,
  };
}

const LO = nic(1, 'lo', { link_type: 'loopback', mtu: 65536 });
const ETH0 = nic(2, 'eth0', { addr_info: [inet('10.77.0.1'), inet6('fe80::1', 'link')] });
const ETH1 = nic(3, 'eth1', { addr_info: [inet6('fe80::2', 'link')] });

function check(host: Shown[], address = ', address: 10.77.0.1/24'): string[] {
  const cluster = parseCluster(`cluster: shop
key: /k
nets: { public: { targets: [10.77.0.254] } }
nodes: { alpha: { public: { primary: eth0, standby: [eth1]${address} } } }
`);
  return hostFindings(cluster, cluster.nodes[0]!, readHost(host)).map(
    ({ severity, what, nic }) => `${severity} ${what} ${nic}`,
  );
}

test.each<[string, Shown[], string[]]>([
  ['as it should be', [LO, ETH0, ETH1], []],
  ['empty objects of iproute2 among them', [{}, ETH0, {}, ETH1], []],
  ['after a local switch', [nic(2, 'eth0'), nic(3, 'eth1', { addr_info: [inet('10.77.0.1')] })], []],
  [
    'after a local switch that took a learnt address along',
    [nic(2, 'eth0'), nic(3, 'eth1', { addr_info: [inet('10.77.0.1'), inet6('fd77::1')] })],
    [],
  ],
  [
    'a strange address beside one of the file, which the primary has too',
    [ETH0, nic(3, 'eth1', { addr_info: [inet('10.77.0.1'), inet6('fd77::1')] })],
    ['error standby-address eth1'],
  ],
  ['standby missing', [LO, ETH0], ['error missing eth1']],
  ['both missing', [LO], ['error missing eth0', 'error missing eth1']],
  [
    'a bridge port',
    [ETH0, nic(3, 'eth1', { master: 'br0', linkinfo: { info_slave_kind: 'bridge' } })],
    ['error port eth1'],
  ],
  [
    'a bond port',
    [nic(2, 'eth0', { master: 'bond0', linkinfo: { info_slave_kind: 'bond' } }), ETH1],
    ['error port eth0'],
  ],
  ['in a VRF', [nic(2, 'eth0', { master: 'red', linkinfo: { info_slave_kind: 'vrf' } }), ETH1], []],
  [
    'other link type',
    [ETH0, nic(3, 'eth1', { link_type: 'infiniband' })],
    ['error not-ethernet eth1', 'error link-type eth1'],
  ],
  ['other MTU', [ETH0, nic(3, 'eth1', { mtu: 9000 })], ['warning mtu eth1']],
  ['set down', [ETH0, nic(3, 'eth1', { flags: ['BROADCAST'] })], ['warning admin-down eth1']],
  [
    'standby with an address',
    [ETH0, nic(3, 'eth1', { addr_info: [inet('10.9.0.1')] })],
    ['error standby-address eth1'],
  ],
  ['DHCP on the primary', [nic(2, 'eth0', { addr_info: [inet('10.77.0.1', 600)] }), ETH1], ['error dhcp eth0']],
  [
    'an IPv6 address of router advertisements',
    [nic(2, 'eth0', { addr_info: [inet6('fd77::5', 'global', 600)] }), ETH1],
    [],
  ],
  [
    'the address on a NIC that the net does not have',
    [ETH0, ETH1, nic(4, 'eth9', { addr_info: [inet('10.77.0.1')] })],
    ['error elsewhere eth9'],
  ],
  [
    'a target that is this host itself',
    [ETH0, ETH1, nic(4, 'br0', { addr_info: [inet('10.77.0.254')] })],
    ['error own-target br0'],
  ],
  [
    'a VLAN on the primary',
    [ETH0, ETH1, nic(4, 'eth0.5', { link: 'eth0', linkinfo: { info_kind: 'vlan' } })],
    ['warning child eth0'],
  ],
  [
    'the other end of a veth is no child',
    [nic(2, 'eth0', { link: 'eth1', linkinfo: { info_kind: 'veth' } }), ETH1],
    [],
  ],
])('%s', (_what, host, expected) => {
  expect(check(host)).toEqual(expected);
});

test('learnt addresses on the standby: wrong while the primary has some, else perhaps a local switch', () => {
  const standby = nic(3, 'eth1', { addr_info: [inet('10.77.0.5')] });
  expect(check([ETH0, standby], '')).toEqual(['error standby-address eth1']);
  expect(check([nic(2, 'eth0'), standby], '')).toEqual(['warning standby-address eth1']);
});

test('an address of another node: to be removed, or this host is that node', () => {
  const cluster = parseCluster(`cluster: shop
key: /k
nets: { public: {} }
nodes:
  alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 } }
  beta: { public: { primary: eth0, standby: [eth1], address: 10.77.0.2/24 } }
`);
  const found = (...addresses: string[]): string[] => {
    const host = readHost([nic(2, 'eth0', { addr_info: addresses.map((it) => inet(it)) }), ETH1]);
    return hostFindings(cluster, cluster.nodes[0]!, host).map(({ what, text, fix }) => `${what}: ${text}; ${fix}`);
  };
  expect(found('10.77.0.1')).toEqual([]);
  expect(found('10.77.0.1', '10.77.0.2')).toEqual([
    'other-node: eth0 carries 10.77.0.2/24, an address of node beta; do: ip address del 10.77.0.2/24 dev eth0',
  ]);
  expect(found('10.77.0.2')).toEqual([
    'wrong-node: eth0 carries 10.77.0.2/24, an address of node beta; say --node beta, or do: ip address del 10.77.0.2/24 dev eth0',
  ]);
});
