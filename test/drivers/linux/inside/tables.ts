/** What netlink/kernel.test.ts has done inside a namespace: ip(8) fills the kernel's tables, and judges what we read and write. */
import { execFileSync } from 'node:child_process';
import type { Step } from '../../../../src/action.js';
import type { Address, Neighbour, Route } from '../../../../src/input.js';
import { LinkTable } from '../../../../drivers/linux/link-table.js';
import { Memberships } from '../../../../drivers/linux/multicast.js';
import {
  decodeLink,
  encodeLinkByName,
  encodeLinkDump,
  encodeMacChange,
  RTM_GETLINK,
  RTM_NEWLINK,
} from '../../../../drivers/linux/netlink/link.js';
import { NetlinkError } from '../../../../drivers/linux/netlink/message.js';
import { Session } from '../../../../drivers/linux/netlink/session.js';
import { performStep } from '../../../../drivers/linux/step.js';
import { dumpAddresses, dumpNeighbours, dumpRoutes } from '../../../../drivers/linux/tables.js';

const PROTOCOL_KERNEL = 2;
const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8', stdio: 'pipe' });

/** One of every kind that must be kept. */
const FURNITURE = `
  addr add 10.1.0.1/24 broadcast 10.1.0.255 dev eth0
  addr add 10.1.0.2/24 dev eth0 label eth0:web
  addr add 10.1.9.1/32 dev eth0 scope link
  addr add 10.2.0.1 peer 10.2.0.9/32 dev eth0
  addr add 10.3.0.1/24 dev eth0 noprefixroute metric 77 valid_lft 6000 preferred_lft 3000
  addr add fd01::1/64 dev eth0 nodad
  addr add fd01::2/64 dev eth0 nodad noprefixroute valid_lft 6000 preferred_lft 0
  addr add fd02::1 peer fd02::9/128 dev eth0 nodad metric 33
  addr add 10.1.1.1/24 dev eth1
  addr add fd03::1/64 dev eth1 nodad
  route add default via 10.1.0.254 dev eth0 proto static metric 100
  route add default via 10.1.0.253 dev eth0 proto dhcp metric 200 src 10.1.0.2
  route add 10.10.0.0/16 via 10.1.0.254 dev eth0
  route add 10.10.0.0/16 tos 0x10 via 10.1.0.253 dev eth0
  route append 10.10.0.0/16 via 10.1.0.252 dev eth0
  route add 10.11.0.0/16 dev eth0 scope link
  route add 10.12.0.0/16 via 172.31.0.1 dev eth0 onlink table 7000 proto 77
  route add 10.13.0.0/16 via 10.1.0.254 dev eth0 mtu lock 1400 advmss 1300 initcwnd 20 rto_min 300ms quickack 1
  route add 10.14.0.0/16 via inet6 fe80::9 dev eth0
  route add 10.15.0.0/16 proto static nexthop via 10.1.0.254 dev eth0 weight 3 nexthop via 10.1.1.254 dev eth1 weight 1
  route add 10.16.0.0/16 via 10.1.0.254 dev eth0 congctl reno
  -6 route add default via fe80::fe dev eth0 proto static metric 20 pref high
  -6 route add fd10::/32 via fd01::fe dev eth0 mtu 1280 hoplimit 9
  -6 route add fd11::/32 dev eth0 metric 5 table 99 proto 77
  -6 route add fd12::/32 from fd01::/64 via fd01::fe dev eth0
  -6 route add fd13::/32 via fd01::fe dev eth0 expires 6000
  -6 route add fd14::/32 proto static nexthop via fd01::fe dev eth0 weight 2 nexthop via fd03::fe dev eth1
  -6 route add fd15::/32 via fd09::1 dev eth0 onlink src fd01::2
  neigh add 10.1.0.254 lladdr 02:00:00:00:00:fe dev eth0 nud permanent
  neigh add 10.1.0.253 lladdr 02:00:00:00:00:fd dev eth0 nud permanent proto 9
  neigh add fd01::fe lladdr 02:00:00:00:00:fe dev eth0 nud permanent router
  neigh add proxy 10.1.0.77 dev eth0
  neigh add proxy fd01::77 dev eth0`;

function furnish(): void {
  for (const nic of ['eth0', 'eth1']) {
    ip('link', 'add', nic, 'type', 'veth', 'peer', 'name', `p-${nic}`);
    execFileSync('sysctl', ['-qw', `net.ipv6.conf.${nic}.accept_dad=0`, `net.ipv4.conf.${nic}.promote_secondaries=1`]);
    ip('link', 'set', nic, 'up');
    ip('link', 'set', `p-${nic}`, 'up');
  }
  for (const line of FURNITURE.trim().split('\n')) ip(...line.trim().split(' '));
}

/** What ip says, each item a text, sorted; time that runs is rounded. */
function told(...words: string[]): string[] {
  const items = JSON.parse(ip('-j', '-d', ...words)) as unknown[];
  const calm = (_key: string, value: unknown) =>
    typeof value === 'number' && value > 1000 && value < 10_000 ? Math.round(value / 100) * 100 : value;
  return items.map((item) => JSON.stringify(item, calm)).sort();
}

function everything() {
  const addresses = (JSON.parse(ip('-j', '-d', 'addr', 'show', 'dev', 'eth0')) as { addr_info: unknown[] }[])[0];
  const calm = JSON.stringify(addresses?.addr_info.map((each) => JSON.stringify(each)).sort());
  return {
    addresses: calm.replace(
      /(_life_time\\":)(\d{4})\b/g,
      (_all, key: string, time: string) => key + Math.round(Number(time) / 100),
    ),
    routes4: told('-4', 'route', 'show', 'table', 'all', 'dev', 'eth0'),
    multipath4: told('route', 'show', '10.15.0.0/16'),
    routes6: told('-6', 'route', 'show', 'table', 'all', 'dev', 'eth0').filter(
      (line) => !/"multicast"|"anycast"/.test(line),
    ),
    multipath6: told('-6', 'route', 'show', 'fd14::/32'),
    neighbours: told('neigh', 'show', 'dev', 'eth0', 'nud', 'permanent'),
    proxies: told('neigh', 'show', 'proxy'),
  };
}

function open() {
  const session = new Session();
  const names = new LinkTable();
  names.replaceAll(session.dump(RTM_GETLINK, encodeLinkDump(), decodeLink));
  const tools = { session, names, memberships: new Memberships(), linkOf: () => undefined, isMonitored: () => false };
  return { session, names, tools };
}

export interface Seen {
  addresses: Address[];
  routes: Route[];
  neighbours: Neighbour[];
}

function look({ session, names }: ReturnType<typeof open>): Seen {
  const ifindex = names.indexOf('eth0') ?? 0;
  const both = [4, 6] as const;
  return {
    addresses: both.flatMap((family) => dumpAddresses(session, family, ifindex)(ifindex)),
    routes: both.flatMap((family) => dumpRoutes(session, family, ifindex, names)(ifindex)),
    neighbours: dumpNeighbours(session, ifindex)(ifindex).filter(({ state, flags }) => state & 0x80 || flags & 8),
  };
}

/** Reads all of eth0, takes it away, puts it back, twice over; with ip's view of each moment. */
export function roundTrip() {
  furnish();
  const kernel = open();
  const seen = look(kernel);
  const whole = look({ ...kernel, session: Object.assign(new Session(), { filters: false }) });
  const before = everything();
  const nic = 'eth0';
  const movable = seen.addresses.filter(({ local }) => !local.startsWith('fe80'));
  const routes = seen.routes.filter(({ protocol }) => protocol !== PROTOCOL_KERNEL);
  const away: Step[] = [
    ...seen.neighbours.map((neighbour): Step => ({ do: 'delete-neighbour', nic, neighbour })),
    ...routes.map((route): Step => ({ do: 'delete-route', route })),
    ...[...movable].reverse().map((address): Step => ({ do: 'delete-address', nic, address })),
  ];
  const keys = new Set<string>();
  const back: Step[] = [
    ...movable.map((address): Step => ({ do: 'add-address', nic, address })),
    ...routes.map((route): Step => {
      const key = [route.destination, route.source, route.tos, route.metric, route.table].join(' ');
      const again = keys.has(key) && route.family === 4;
      keys.add(key);
      return { do: again ? 'append-route' : 'replace-route', route };
    }),
    ...seen.neighbours.map((neighbour): Step => ({ do: 'set-neighbour', nic, neighbour })),
  ];
  const perform = (steps: Step[]) => steps.forEach((step) => performStep(step, kernel.tools));
  // Each twice: done twice is done once.
  perform([...away, ...away]);
  const bare = everything();
  perform([...back, ...back]);
  return { seen, whole, before, bare, after: everything(), seenAfter: look(kernel) };
}

/** What the kernel says to nonsense, as code and text. */
export function refusals() {
  ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'p-eth0');
  const { tools } = open();
  const ask = (step: Step): string => {
    try {
      performStep(step, tools);
      return 'done';
    } catch (error) {
      return error instanceof NetlinkError ? `${error.code}: ${error.text}` : String(error);
    }
  };
  const route: Route = {
    family: 4,
    destination: '10.0.0.0/8',
    table: 254,
    protocol: 4,
    scope: 0,
    type: 1,
    tos: 0,
    nic: 'eth0',
    flags: 0,
  };
  const local = { family: 4, local: '10.0.0.1', prefixLength: 24, scope: 0, flags: 0 } as const;
  return {
    down: ask({ do: 'replace-route', route }),
    gateway: ask({ do: 'replace-route', route: { ...route, nic: 'lo', gateway: '192.0.2.1' } }),
    prefixLength: ask({ do: 'add-address', nic: 'lo', address: { ...local, prefixLength: 77 } }),
    lifetime: ask({ do: 'add-address', nic: 'lo', address: { ...local, validS: 5, preferredS: 9 } }),
    noNic: ask({ do: 'add-address', nic: 'eth7', address: local }),
    gone: [
      ask({ do: 'delete-address', nic: 'eth7', address: local }),
      ask({ do: 'delete-route', route }),
      ask({ do: 'delete-route', route: { ...route, family: 6, destination: 'fd00::/8', nic: 'eth7' } }),
      ask({ do: 'leave-group', nic: 'eth0', group: '239.1.1.1' }),
      ask({ do: 'leave-group', nic: 'eth7', group: 'ff15::1' }),
    ],
    sysctl: ['kernel/hostname', 'ipv4/ip_forward', 'ipv4/conf/../../../x', 'ipv4/conf/eth0/../lo/x'].map((name) =>
      ask({ do: 'set-sysctl', nic: 'eth0', name, value: '1' }),
    ),
  };
}

/** Changes eth0's MAC; ip's opinion of it before and after. */
export function changeMac() {
  ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'p-eth0');
  const { session, names } = open();
  const mac = () => (JSON.parse(ip('-j', 'link', 'show', 'dev', 'eth0')) as { address: string }[])[0]?.address;
  const before = mac();
  session.request(RTM_NEWLINK, 0, encodeMacChange(names.indexOf('eth0') ?? 0, Buffer.from('0200000000aa', 'hex')));
  session.request(RTM_GETLINK, 0, encodeLinkByName('eth0'));
  return { before, after: mac() };
}

/** Milliseconds for one NIC's routes among `count` others, and for all of them. */
export function manyRoutes(count: number) {
  ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'p-eth0');
  ip('link', 'set', 'eth0', 'up');
  ip('link', 'set', 'p-eth0', 'up');
  ip('addr', 'add', '10.1.0.1/24', 'dev', 'eth0');
  ip('addr', 'add', '10.2.0.1/24', 'dev', 'p-eth0');
  const lines = Array.from({ length: count }, (_, i) => `route add 11.${i >> 8}.${i & 255}.0/24 via 10.1.0.254\n`);
  execFileSync('ip', ['-batch', '-'], { input: lines.join('') });
  const { session, names } = open();
  const time = (nic: string) => {
    const ifindex = names.indexOf(nic) ?? 0;
    const begin = performance.now();
    const found = dumpRoutes(session, 4, ifindex, names)(ifindex).length;
    return { found, ms: performance.now() - begin };
  };
  time('eth0');
  return { all: time('eth0'), few: time('p-eth0') };
}
