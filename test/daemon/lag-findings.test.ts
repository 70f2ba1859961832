import { expect, test } from 'vitest';
import { parseCluster } from '../../src/config/parse.js';
import { hostFindings } from '../../src/daemon/host-findings.js';
import { readHost } from '../../src/daemon/host.js';

type Shown = Record<string, unknown>;

const inet = { family: 'inet', local: '10.77.0.1', prefixlen: 24, scope: 'global', valid_life_time: 4294967295 };
const nic = (ifindex: number, ifname: string, more: Shown = {}): Shown => ({
  ifindex,
  ifname,
  flags: ['UP', 'LOWER_UP'],
  mtu: 1500,
  link_type: 'ether',
  address: `02:00:00:00:00:0${ifindex}`,
  ...more,
});
const bond = (data: Shown, more: Shown = {}): Shown =>
  nic(4, 'bond0', { linkinfo: { info_kind: 'bond', info_data: { mode: 'active-backup', ...data } }, ...more });
const port = (ifindex: number, of = 'bond0'): Shown =>
  nic(ifindex, `eth${ifindex}`, { master: of, linkinfo: { info_slave_kind: of.replace(/\d/, '') } });
const vlan = (ifindex: number, on: string, id: number): Shown =>
  nic(ifindex, `${on}.${id}`, { link: on, linkinfo: { info_kind: 'vlan', info_data: { id } } });
const STANDBY = nic(9, 'eth9');
const WATCHFUL = { miimon: 100, arp_interval: 0, downdelay: 0 };

function check(host: Shown[], primary = 'bond0', standby = 'eth9', switches = ''): string[] {
  const cluster = parseCluster(`cluster: shop
key: /k
nets: { public: { targets: [10.77.0.254] } }
nodes: { alpha: { public: { primary: ${primary}, standby: [${standby}], address: 10.77.0.1/24 } } }
${switches}
`);
  return hostFindings(cluster, cluster.nodes[0]!, readHost(host)).map(
    ({ severity, what, text }) => `${severity} ${what}: ${text}`,
  );
}

test.each<[string, Shown[], string[]]>([
  ['as it should be', [bond(WATCHFUL, { addr_info: [inet] }), port(1), port(2), STANDBY], []],
  ['a bond that watches its ports by ARP', [bond({ miimon: 0, arp_interval: 200 }), port(1), port(2), STANDBY], []],
  [
    'a bond that watches no carrier never loses its own',
    [bond({ miimon: 0, arp_interval: 0 }), port(1), port(2), STANDBY],
    ['error bond-blind: bond0 watches no carrier (miimon 0): a pulled cable changes nothing'],
  ],
  [
    'a bond that takes its time',
    [bond({ miimon: 100, downdelay: 2000 }), port(1), port(2), STANDBY],
    ['warning bond-slow: bond0 notices a pulled cable after 2100 ms (miimon 100, downdelay 2000)'],
  ],
  ['a bond without ports', [bond(WATCHFUL), STANDBY], ['error lag-ports: bond0 is a bond without a port']],
  [
    'a bond of one port',
    [bond(WATCHFUL), port(1), STANDBY],
    ['warning lag-ports: bond0 is a bond of one port, eth1: it protects nothing'],
  ],
])('%s', (_name, host, found) => {
  expect(check(host)).toEqual(found);
});

test('a port of the bond as a NIC of its own is refused', () => {
  const host = [bond(WATCHFUL), port(1), port(2)];
  expect(check(host, 'bond0', 'eth1')).toEqual(['error port: eth1 is a port of the bond bond0']);
});

test('a VLAN on the bond: what is wrong with the bond below is told, and two VLANs on one card are no standby', () => {
  const host = [bond({ miimon: 0 }), port(1), port(2), vlan(5, 'bond0', 7), vlan(6, 'bond0', 8)];
  expect(check(host, 'bond0.7', 'bond0.8')).toEqual([
    'error bond-blind: bond0 watches no carrier (miimon 0): a pulled cable changes nothing',
    'error same-card: bond0.7 and bond0.8 both hang on bond0: what kills one kills the other',
  ]);
});

test('a bond whose net has all its NICs on one switch, by the hints of the file', () => {
  const host = [bond(WATCHFUL), port(1), port(2), STANDBY];
  const [told] = check(host, 'bond0', 'eth9', 'switches: { left: [alpha.bond0, alpha.eth9] }');
  expect(told).toMatch(/^warning one-switch: all ports of bond0 hang on switch left/);
  expect(check(host, 'bond0', 'eth9', 'switches: { left: [alpha.bond0], right: [alpha.eth9] }')).toEqual([]);
});
