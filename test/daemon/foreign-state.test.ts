import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NamespacesLab, refusal } from '../../drivers/namespaces/lab.js';
import { attempt, run } from '../../drivers/namespaces/shell.js';
import { parseScenario } from '../../src/drill/load.js';
import type { Fault } from '../../src/drill/scenario.js';

const scenario = parseScenario(
  `
title: a host with much that is not baton's
topology:
  switches: [left, right]
  trunks: [left-right]
  nodes: { alpha: { eth0: left, eth1: right }, beta: { eth0: left, eth1: right } }
  clients: { client: { switch: left, addresses: [10.77.0.254/24, 'fd77::254/64'] } }
cluster:
  timing: fast
  nets: { public: { heartbeat: public, targets: [10.77.0.254], upDelay: 300ms } }
  nodes:
    alpha: { public: { primary: eth0, standby: [eth1], address: [10.77.0.1/24, 'fd77::1/64'] } }
    beta: { public: { primary: eth0, standby: [eth1], address: [10.77.0.2/24, 'fd77::2/64'] } }
  quorum: none
steps: []
until: 1s
`,
  'foreign.yaml',
);

/** What an administrator of long standing may have left on a host. */
const FOREIGN = [
  'addr add 192.0.2.5/24 brd 192.0.2.255 label eth0:old dev eth0',
  'addr add 192.0.2.6/24 dev eth0',
  'addr add 198.51.100.1 peer 198.51.100.2/32 dev eth0',
  'addr add 2001:db8::5/64 dev eth0 nodad noprefixroute',
  'addr add 2001:db8::6/64 dev eth0 nodad preferred_lft 0',
  'link add br7 type bridge forward_delay 0',
  'link add v7 type veth peer name v8',
  'link set v7 master br7 up',
  'link set v8 up',
  'link set br7 up',
  'addr add 172.16.7.1/24 dev br7',
  'addr add 127.9.9.9/8 dev lo',
  'route add default via 10.77.0.254 dev eth0 metric 100 mtu 1400 advmss 1300',
  'route add default via 10.77.0.253 dev eth0 metric 200 onlink',
  'route add 203.0.113.0/24 via 10.77.0.254 dev eth0 src 192.0.2.5 proto static',
  'route add 203.0.113.0/24 via 10.77.0.252 dev eth0 table 100 tos 0x10',
  'route add blackhole 203.0.114.0/24',
  'route add unreachable 203.0.115.0/24 metric 9',
  'route add 172.17.0.0/16 via 172.16.7.2 dev br7',
  'route add 203.0.116.0/24 nexthop via 10.77.0.254 dev eth0 weight 2 nexthop via 172.16.7.2 dev br7 weight 3',
  '-6 route add default via fd77::254 dev eth0 metric 512',
  '-6 route add 2001:db8:7::/48 via fd77::254 dev eth0 metric 64 mtu 1400 pref high',
  '-6 route add 2001:db8:8::/48 dev br7 table 200',
  'rule add from 192.0.2.5 lookup 100 priority 1000',
  'rule add iif eth0 fwmark 0x7 lookup 100 priority 1001',
  '-6 rule add from 2001:db8::5 lookup 200 priority 1000',
  'neigh add 10.77.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent',
  'neigh add fd77::77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent',
  'neigh add 172.16.7.2 lladdr 02:00:00:00:00:02 dev br7 nud permanent',
  'neigh add proxy 10.77.0.88 dev br7',
];

/** Everything that `ip` and sysctl show, without what time alone changes: caches, counters, fdb timers. */
async function portrait(namespace: string): Promise<Record<string, string>> {
  const show = (...words: string[]): Promise<string> => run('ip', ['-n', namespace, '-j', ...words]);
  const sysctl = await attempt('ip', ['netns', 'exec', namespace, 'sysctl', '-a', '--pattern', '^net\\.']);
  return {
    addresses: await show('-d', 'addr'),
    routes4: await show('-d', '-N', '-4', 'route', 'show', 'table', 'all'),
    routes6: await show('-d', '-N', '-6', 'route', 'show', 'table', 'all'),
    rules4: await show('-4', 'rule'),
    rules6: await show('-6', 'rule'),
    neighbours: await show('neigh', 'show', 'nud', 'permanent'),
    proxies: await show('neigh', 'show', 'proxy'),
    sysctl: sysctl.stdout.replace(/^net\.netfilter\.nf_conntrack_count.*\n/m, ''),
  };
}

/** Bridges count down to their next hello within what -d shows. */
function steady(text: string): string {
  return text.replace(
    /"([a-z_]*hold_timer|forward_delay_timer|message_age_timer|gc_timer|hello_timer|tcn_timer|topology_change_timer)":[\d.]+/g,
    '"$1":0',
  );
}

const reason = refusal();

describe.skipIf(reason !== null)(`a host's own configuration ${reason ?? ''}`, () => {
  const lab = new NamespacesLab();
  const node = lab.namespaceOf('alpha');
  const until = async (address: string, nic: string): Promise<void> => {
    await expect
      .poll(async () => (await lab.truth('alpha')).addresses[nic]?.includes(address), { timeout: 15_000 })
      .toBe(true);
  };
  let before: Record<string, string> = {};

  beforeAll(async () => {
    await lab.build(scenario);
    for (const line of FOREIGN) await run('ip', ['-n', node, ...line.split(' ')]);
    await run('ip', [
      'netns',
      'exec',
      node,
      'sysctl',
      '-qw',
      'net.ipv4.conf.eth0.arp_notify=1',
      'net.ipv4.conf.eth1.rp_filter=1',
      'net.ipv6.conf.eth1.accept_ra=2',
    ]);
    const settled = async (): Promise<boolean> =>
      !/tentative|"state":"(learning|listening)"/.test((before = await portrait(node))['addresses']!);
    await vi.waitUntil(settled, { timeout: 15_000, interval: 200 });
  });
  afterAll(() => lab.destroy());

  it('is bit-identical after start, switch, switch back and stop with a healthy primary (S6, S7)', async () => {
    const cut: Fault = { fault: 'cut', at: { node: 'alpha', nic: 'eth0' } };
    await lab.startDaemon('alpha');
    await lab.startDaemon('beta');
    lab.begin();
    await until('10.77.0.1/24', 'eth0');
    await expect
      .poll(async () => (await lab.status('alpha'))?.nics.map((nic) => nic.health), { timeout: 15_000 })
      .toEqual(['up', 'up']);
    await lab.inflict(cut);
    await until('10.77.0.1/24', 'eth1');
    await until('192.0.2.5/24', 'eth1');
    await lab.heal(cut);
    await until('10.77.0.1/24', 'eth0');
    await lab.inflict({ fault: 'stop', node: 'alpha' });
    const after = await portrait(node);
    for (const [what, text] of Object.entries(before))
      expect(sorted(what, steady(after[what] ?? '')), what).toEqual(sorted(what, steady(text)));
  });
});

/** The kernel shows IPv6 addresses and routes in an order of its own, newest first: the set counts there, the order of IPv4 addresses counts everywhere. */
function sorted(what: string, text: string): unknown {
  if (what === 'sysctl') return text.split('\n');
  const rows = JSON.parse(text) as Record<string, unknown>[];
  if (what.startsWith('routes') || what === 'neighbours') return rows.map((row) => JSON.stringify(row)).sort();
  for (const row of rows) {
    const addresses = row['addr_info'] as { family: string }[] | undefined;
    const of = (family: string): unknown[] => (addresses ?? []).filter((address) => address.family === family);
    if (addresses)
      row['addr_info'] = [
        ...of('inet'),
        ...of('inet6')
          .map((address) => JSON.stringify(address))
          .sort(),
      ];
  }
  return rows;
}
