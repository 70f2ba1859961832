/** What stands in a cluster, as its cluster file says it: there is no scenario to ask. */
import { expect, test } from 'vitest';
import { parseCluster } from '../../../src/config/parse.js';
import { recordedSetting } from '../../../src/drill/replay/recorded-setting.js';

const FILE = `cluster: shop
key: /k
nets:
  public: { targets: [10.77.0.254] }
  private1: { heartbeat: private }
nodes:
  alpha:
    public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 }
    private1: { primary: hb0, address: 10.78.0.1/24 }
    serial: { device: /dev/ttyS0 }
  beta:
    public: { primary: eth0, standby: [eth1], address: 10.77.0.2/24 }
    private1: { primary: hb0, address: 10.78.0.2/24 }
    serial: { device: /dev/ttyS0 }
packages:
  web: { nodes: [alpha, beta], resources: [{ address: 10.77.0.100, net: public }] }
`;

const ETCD = "quorum: { arbiter: { etcd: { endpoints: ['http://10.77.0.9:2379', 'http://192.0.2.9:2379'] } } }\n";
const HINTS = 'switches: { left: [alpha.eth0, beta.eth0], right: [alpha.eth1, beta.eth1] }\n';

test('without hints a net is one switch; the arbiter stands at the net on whose link it is, or beyond the public one', () => {
  const { switches, trunks, clients, nodes, serial, packages, disks } = recordedSetting(parseCluster(FILE + ETCD));
  expect(switches).toEqual([
    { name: 'public', private: false },
    { name: 'private1', private: true },
  ]);
  expect(trunks).toEqual([]);
  expect(clients.map(({ name, switch: at, arbiter }) => [name, at, arbiter])).toEqual([
    ['target', 'public', false],
    ['etcd1', 'public', true],
    ['etcd2', 'public', true],
  ]);
  expect(nodes[0]!.nics.map(({ name, role, cables }) => [name, role, cables[0]!.switch])).toEqual([
    ['eth0', 'primary', 'public'],
    ['eth1', 'standby', 'public'],
    ['hb0', 'primary', 'private1'],
  ]);
  expect(nodes[0]!.addresses).toEqual(['10.77.0.1', '10.78.0.1']);
  expect(serial).toEqual(['alpha', 'beta']);
  expect(packages).toEqual([{ name: 'web', nodes: ['alpha', 'beta'], addresses: ['10.77.0.100'] }]);
  expect(disks).toBe(0);
});

test('switches that the file names stand between the NICs and a core', () => {
  const disk = 'quorum: { arbiter: { disk: [/dev/a, /dev/b] } }\n';
  const { switches, trunks, nodes, disks } = recordedSetting(parseCluster(FILE + HINTS + disk));
  expect(switches.map(({ name }) => name)).toEqual(['left', 'right', 'core', 'private1']);
  expect(trunks.map(({ ends }) => ends)).toEqual([
    ['left', 'core'],
    ['right', 'core'],
  ]);
  expect(nodes[1]!.nics.map(({ cables }) => cables[0]!.switch)).toEqual(['left', 'right', 'private1']);
  expect(disks).toBe(2);
});
