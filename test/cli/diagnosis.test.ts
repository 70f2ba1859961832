/** What doctor says of what it sees: one row a rival. */
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../src/cli/doctor/diagnosis.js';
import type { Evidence } from '../../src/cli/doctor/evidence.js';
import type { DaemonStatus } from '../../src/client/document.js';
import type { MembershipStatus } from '../../src/status.js';
import { parseCluster } from '../../src/config/parse.js';
import type { HostNic } from '../../src/daemon/host.js';
import { bareStatus } from './bare-status.js';

const cluster = parseCluster(`cluster: shop
key: /k
nets: { public: { targets: [10.77.0.254] } }
nodes: { alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 } } }
`);

const nic = (name: string, ifindex: number): HostNic => ({
  nic: name,
  ifindex,
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  linkType: 'ether',
  admin: true,
  carrier: true,
  addresses: [],
});

const healthy: Evidence = {
  cluster,
  self: cluster.nodes[0]!,
  host: [nic('eth0', 2), nic('eth1', 3)],
  missingTools: [],
  processes: [{ pid: 1, name: 'init', args: [] }],
  settings: [{ nic: 'eth0', role: 'primary', name: 'ipv4/conf/{nic}/arp_ignore', value: '1' }],
  networkd: {},
  networkManager: {},
  interfaces: [],
  naming: [],
  packetSockets: true,
  nftables: true,
  key: null,
  disks: [],
  line: [],
  fencing: [],
  directories: [],
  daemon: null,
};

const daemon = (maxMs: number, reason?: 'unproven'): DaemonStatus => ({
  version: '0.1.0',
  pid: 1,
  uptimeMs: 1,
  lateness: { p99Ms: 1, maxMs },
  shadow: false,
  inputs: 1,
  status: {
    ...structuredClone(bareStatus),
    nets: [{ name: 'public', polling: 'light', switching: false, switches: 0, hearing: [] }],
    nics: (['eth0', 'eth1'] as const).map((name) => ({
      name,
      net: 'public',
      role: name === 'eth0' ? 'primary' : 'standby',
      health: 'up',
      ...(reason === undefined ? {} : { reason }),
      since: 0,
      carrying: [],
      poller: false,
      rxPackets: 0,
      txPackets: 0,
      hears: {},
      heardBy: {},
      targets: {},
    })),
  },
});

const learnt = { family: 6 as const, address: 'fd77::1', prefixLength: 64, linkLocal: false };

function carriedBy(carrier: string): DaemonStatus {
  const given = daemon(1);
  for (const nic of given.status.nics) if (nic.name === carrier) nic.carrying = ['10.77.0.1/24', 'fd77::1/64'];
  return given;
}

function withDropped(dropped: Record<string, number>): DaemonStatus {
  const given = daemon(1);
  given.status.dropped = dropped;
  return given;
}

function withKeys(keys: Partial<DaemonStatus['status']['keys']>): DaemonStatus {
  const given = daemon(1);
  Object.assign(given.status.keys, { file: ['aaaa0000', 'bbbb1111'], ...keys });
  return given;
}

const process = (name: string, ...args: string[]): Partial<Evidence> => ({
  processes: [{ pid: 99, name, args: [name, ...args] }],
});
const rp = { nic: 'eth1', role: 'standby' as const, name: 'ipv4/conf/{nic}/rp_filter', value: '1' };

describe('doctor', () => {
  test.each<[string, Partial<Evidence>, string[]]>([
    ['all well', {}, []],
    [
      'a new key that a node does not know',
      { daemon: withKeys({ taken: ['aaaa0000', 'bbbb1111'], lacking: ['beta'] }) },
      ['note key-rotation: copy /k there; a batond that runs takes both keys within a second'],
    ],
    ['a new key that all know', { daemon: withKeys({ taken: ['aaaa0000', 'bbbb1111'] }) }, []],
    [
      'an old key that all have given up',
      { daemon: withKeys({ taken: ['bbbb1111'] }) },
      ['note key-rotation: on one node: baton keygen --rotate --finish; then copy /k to the others'],
    ],
    ['ip missing', { missingTools: ['ip'] }, ['error tool: apt-get install iproute2']],
    ['ping missing', { missingTools: ['ping'] }, ['warning tool: apt-get install iputils-ping']],
    ['no packet sockets', { packetSockets: false }, ['error kernel: modprobe af_packet']],
    ['no nftables', { nftables: false }, ['note kernel: modprobe nf_tables, or write fence: lifetime']],
    [
      'an open key',
      { key: 'cluster key /k: others may read it (mode 0644); do: chmod 0600 /k' },
      ['error key: do: chmod 0600 /k'],
    ],
    [
      'a NIC missing',
      { host: [nic('eth0', 2)] },
      ['error missing: correct the name in the cluster file, or put the card in'],
    ],
    [
      'a learnt address where batond put it',
      {
        host: [nic('eth0', 2), { ...nic('eth1', 3), addresses: [learnt] }],
        daemon: carriedBy('eth1'),
      },
      [],
    ],
    [
      'a strange address on a standby that carries nothing',
      {
        host: [nic('eth0', 2), { ...nic('eth1', 3), addresses: [learnt] }],
        daemon: carriedBy('eth0'),
      },
      ['error standby-address: do: ip address del fd77::1/64 dev eth1, or add it to the address list of the net'],
    ],
    [
      'a node with another key',
      { daemon: withDropped({ 'poll-seal': 7 }) },
      [
        'warning other-key: compare on every node: sha256sum /k; copy the right one; a batond whose file shared no key with the copy says key-file then: restart it',
      ],
    ],
    [
      'a node with the same name, garbage, and another cluster',
      { daemon: withDropped({ 'poll-foreign-incarnation': 7, 'poll-short': 1, 'poll-cluster': 1 }) },
      [
        'error namesake: start it with its own name: baton daemon --node NAME',
        'note other-cluster: none is needed, unless it is a node of this cluster: then correct `cluster` in its file',
        'note unreadable: none is needed, unless a node runs another version of baton: then install the same everywhere',
      ],
    ],
    ['frames that every start drops', { daemon: withDropped({ 'poll-stale': 1, 'poll-unproven': 4 }) }, []],
    [
      'a full state directory',
      { directories: [{ name: 'state', problem: '/var/lib/baton is full (0 KiB left)' }] },
      ['warning directory: mend that, or name another directory with --state-dir'],
    ],
    ['a NIC renamed', { host: [nic('eth0', 2), nic('eth9', 3)] }, ['error missing: did you mean eth9?']],
    [
      'a setting, no daemon yet',
      { settings: [rp] },
      ['note setting: batond sets that when it starts, and puts it back when it is stopped'],
    ],
    [
      'a setting that something set back',
      { settings: [rp], daemon: daemon(1) },
      [
        'warning setting: find what sets it back (grep -r eth1 /etc/sysctl.d), then: sysctl -w net/ipv4/conf/eth1/rp_filter=2',
      ],
    ],
    [
      'two settings, no daemon yet: one note',
      { settings: [rp, { ...rp, nic: 'eth0' }] },
      ['note setting: batond sets that when it starts, and puts it back when it is stopped'],
    ],
    [
      'sockets of batond, and another',
      {
        daemon: daemon(1),
        naming: [
          { nic: 'eth0', kind: 'socket', text: 'udp UNCONN 0 0 10.77.0.1%eth0:7789 0.0.0.0:*' },
          { nic: 'eth0', kind: 'socket', text: 'udp UNCONN 0 0 [fd77::1]%eth0:7789 [::]:*' },
          { nic: 'eth0', kind: 'socket', text: 'udp UNCONN 0 0 10.77.0.1%eth0:77890 0.0.0.0:*' },
        ],
      },
      ['note not-moved: make it independent of the NIC, or write one for each NIC of the net'],
    ],
    ['a setting of a kernel without IPv6', { settings: [{ ...rp, value: null }] }, []],
    [
      'networkd manages a NIC',
      { ...process('systemd-network'), networkd: { eth0: 'configured', eth1: 'unmanaged' } },
      [
        'warning rival-manager: add to the .network file of eth0: [Network] ConfigureWithoutCarrier=yes IgnoreCarrierLoss=yes; then: networkctl reload',
      ],
    ],
    ['networkd without our NICs', { ...process('systemd-network'), networkd: { eth9: 'configured' } }, []],
    [
      'NetworkManager manages one',
      { ...process('NetworkManager'), networkManager: { eth0: 'connected', eth1: 'unmanaged' } },
      [
        'warning rival-manager: write /etc/NetworkManager/conf.d/baton.conf: [keyfile] unmanaged-devices=interface-name:eth0; then: nmcli general reload',
      ],
    ],
    [
      'dhclient for one NIC',
      process('dhclient', '-4', 'eth1'),
      ['warning rival-manager: give eth1 a static address and end dhclient for it'],
    ],
    [
      'ifupdown acts on hotplug',
      { interfaces: [{ nic: 'eth0', line: 'allow-hotplug eth0' }] },
      ['warning rival-manager: write "auto eth0" instead'],
    ],
    ['a static line', { interfaces: [{ nic: 'eth0', line: 'iface eth0 inet static' }] }, []],
    [
      'DHCP by ifupdown',
      { interfaces: [{ nic: 'eth0', line: 'iface eth0 inet dhcp' }] },
      ['warning rival-manager: write "iface eth0 inet static" with its address'],
    ],
    [
      'keepalived',
      process('keepalived'),
      ['warning rival: keep it away from the NICs of the cluster file, or: systemctl disable --now keepalived'],
    ],
    [
      'a policy rule',
      { naming: [{ nic: 'eth0', kind: 'rule', text: 'from all iif eth0 lookup 7' }] },
      ['note not-moved: make it independent of the NIC, or write one for each NIC of the net'],
    ],
    ['a routing daemon', process('bird'), ['note not-moved: let it know the standby NICs too']],
    [
      'late wake-ups',
      { daemon: daemon(101) },
      ['warning late: give the service CAP_SYS_NICE and less load, or write timing: calm'],
    ],
    ['wake-ups in time', { daemon: daemon(100) }, []],
    [
      'a fabric that drops the EtherType',
      { daemon: daemon(1, 'unproven') },
      ['warning fabric: let the switches of net public forward it, or give the net targets'],
    ],
  ])('%s', (_what, seen, expected) => {
    expect(diagnose({ ...healthy, ...seen }).map(({ severity, what, fix }) => `${severity} ${what}: ${fix}`)).toEqual(
      expected,
    );
  });

  test('errors come first, notes last', () => {
    const found = diagnose({ ...healthy, nftables: false, ...process('keepalived'), packetSockets: false });
    expect(found.map(({ severity }) => severity)).toEqual(['error', 'warning', 'note']);
  });
});

describe('who votes', () => {
  const membership: MembershipStatus = {
    coordinator: 'beta',
    role: 'follower',
    term: 3,
    quorum: true,
    version: '3.4',
    committed: '3.4',
    voters: ['alpha', 'beta', 'gamma'],
    hasVote: true,
    fences: [],
    leaseLeftMs: 500,
  };
  const said = (change: Partial<MembershipStatus>, halted: string[] = []): string[] => {
    const running = daemon(1);
    const status = { ...running.status, membership: { ...membership, ...change }, halted };
    return diagnose({ ...healthy, daemon: { ...running, status } })
      .filter(({ what }) => what === 'voters' || what === 'no-quorum')
      .map(({ severity, text, fix }) => `${severity}: ${text}; ${fix}`);
  };

  test.each<[string, Partial<MembershipStatus>, string[], RegExp]>([
    [
      'no quorum',
      { quorum: false, waiting: 'waits for beta: only beta has the newest document' },
      [],
      /^error: no quorum: this node waits for beta: only beta has .*--force/,
    ],
    ['a joint document', { previousVoters: ['alpha', 'beta'] }, [], /^note: the voters are being changed/],
    ['no vote', { hasVote: false }, [], /^warning: this node has no vote yet; the coordinator beta takes it in/],
    ['removed', { hasVote: false }, ['alpha'], /^warning: .*removed; baton node run alpha$/],
  ])('%s', (_what, change, halted, expected) => {
    expect(said({})).toEqual([]);
    expect(said(change, halted)[0]).toMatch(expected);
  });
});
