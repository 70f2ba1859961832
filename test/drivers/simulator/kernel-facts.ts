/**
 * What a Linux kernel does with addresses and routes, as a table: operations in the words of `ip`, the errno of each that
 * fails, and the state in which they leave the host. The same rows are played on the simulated kernel and on this one.
 * Source: DESIGN 17, and the kernel functions named in the rows.
 *
 * The host has eth0 and eth1, up and with carrier. `cable eth0 out` takes the carrier away.
 */
export interface Fact {
  name: string;
  /** Operations that fail are followed by ` !ERRNO`. */
  does: string[];
  /** `eth0 10.77.0.1/24`, then routes, in canonical text; kernel-made ones (`proto 2`) among them, link-local ones not. */
  leaves: string[];
  /** Kernels before this version differ. */
  since?: [major: number, minor: number];
}

const PREFIX = (nic: string, source: string): string => `10.77.0.0/24 dev ${nic} src ${source} proto 2`;
const PREFIX6 = (nic: string): string => `fd77::/64 dev ${nic} metric 256 proto 2`;

export const FACTS: Fact[] = [
  {
    name: 'an IPv4 address brings its prefix route',
    does: ['address add 10.77.0.1/24 dev eth0'],
    leaves: ['eth0 10.77.0.1/24', PREFIX('eth0', '10.77.0.1')],
  },
  {
    name: 'a /32 brings no route',
    does: ['address add 10.77.0.1/32 dev eth0'],
    leaves: ['eth0 10.77.0.1/32'],
  },
  {
    name: 'the same address twice is EEXIST',
    does: ['address add 10.77.0.1/24 dev eth0', 'address add 10.77.0.1/24 dev eth0 !EEXIST'],
    leaves: ['eth0 10.77.0.1/24', PREFIX('eth0', '10.77.0.1')],
  },
  {
    name: 'an address that is not there cannot be deleted',
    does: ['address delete 10.77.0.9/24 dev eth0 !EADDRNOTAVAIL', 'address delete fd77::9/64 dev eth0 !EADDRNOTAVAIL'],
    leaves: [],
  },
  {
    name: 'both NICs may carry the address; the older prefix route stands first, and goes with its address',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.77.0.1/24 dev eth1',
      'address delete 10.77.0.1/24 dev eth0',
    ],
    leaves: ['eth1 10.77.0.1/24', PREFIX('eth1', '10.77.0.1')],
  },
  {
    name: 'deleting the last IPv4 address drops all routes of the NIC, in every table',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'route add 10.9.0.0/16 via 10.77.0.9 dev eth0',
      'route add 10.8.0.0/16 via 10.77.0.9 dev eth0 table 77',
      'address delete 10.77.0.1/24 dev eth0',
    ],
    leaves: [],
  },
  {
    name: 'with another address left the static routes stay',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.78.0.1/24 dev eth0',
      'route add 10.9.0.0/16 via 10.77.0.9 dev eth0',
      'address delete 10.77.0.1/24 dev eth0',
    ],
    leaves: ['eth0 10.78.0.1/24', '10.78.0.0/24 dev eth0 src 10.78.0.1 proto 2', '10.9.0.0/16 via 10.77.0.9 dev eth0'],
  },
  {
    name: 'a second address of the subnet is secondary, and goes with the first',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.77.0.2/24 dev eth0',
      'address delete 10.77.0.1/24 dev eth0',
    ],
    leaves: [],
  },
  {
    name: 'with promote_secondaries the secondary becomes the first',
    does: [
      'sysctl ipv4/conf/eth0/promote_secondaries 1',
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.77.0.2/24 dev eth0',
      'address delete 10.77.0.1/24 dev eth0',
    ],
    leaves: ['eth0 10.77.0.2/24', PREFIX('eth0', '10.77.0.2')],
  },
  {
    name: 'deleting a secondary leaves the rest',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.77.0.2/24 dev eth0',
      'address delete 10.77.0.2/24 dev eth0',
    ],
    leaves: ['eth0 10.77.0.1/24', PREFIX('eth0', '10.77.0.1')],
  },
  {
    name: 'routes with that src go with the address, from every NIC',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.78.0.1/24 dev eth1',
      'address add 10.79.0.1/24 dev eth0',
      'route add 10.9.0.0/16 via 10.78.0.9 dev eth1 src 10.77.0.1',
      'address delete 10.77.0.1/24 dev eth0',
    ],
    leaves: [
      'eth0 10.79.0.1/24',
      'eth1 10.78.0.1/24',
      '10.78.0.0/24 dev eth1 src 10.78.0.1 proto 2',
      '10.79.0.0/24 dev eth0 src 10.79.0.1 proto 2',
    ],
  },
  {
    name: 'routes with that src stay while another NIC has the address',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.78.0.1/24 dev eth1',
      'route add 10.9.0.0/16 via 10.78.0.9 dev eth1 src 10.77.0.1',
      'address add 10.77.0.1/24 dev eth1',
      'address delete 10.77.0.1/24 dev eth0',
    ],
    leaves: [
      'eth1 10.77.0.1/24',
      'eth1 10.78.0.1/24',
      PREFIX('eth1', '10.77.0.1'),
      '10.78.0.0/24 dev eth1 src 10.78.0.1 proto 2',
      '10.9.0.0/16 via 10.78.0.9 dev eth1 src 10.77.0.1',
    ],
  },
  {
    name: 'a route with a src that the host has not is EINVAL',
    does: ['address add 10.77.0.1/24 dev eth0', 'route add 10.9.0.0/16 via 10.77.0.9 dev eth0 src 10.77.0.5 !EINVAL'],
    leaves: ['eth0 10.77.0.1/24', PREFIX('eth0', '10.77.0.1')],
  },
  {
    name: 'IPv4: adding a second default is EEXIST, also over another NIC (fib_table_insert)',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.77.0.1/24 dev eth1',
      'route add default via 10.77.0.254 dev eth0',
      'route add default via 10.77.0.254 dev eth1 !EEXIST',
    ],
    leaves: [
      'eth0 10.77.0.1/24',
      'eth1 10.77.0.1/24',
      PREFIX('eth0', '10.77.0.1'),
      PREFIX('eth1', '10.77.0.1'),
      'default via 10.77.0.254 dev eth0',
    ],
  },
  {
    name: 'IPv4: replace takes the place of the route with the same key, over whichever NIC',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.77.0.1/24 dev eth1',
      'route add default via 10.77.0.254 dev eth0',
      'route replace default via 10.77.0.254 dev eth1',
      'address delete 10.77.0.1/24 dev eth0',
    ],
    leaves: ['eth1 10.77.0.1/24', PREFIX('eth1', '10.77.0.1'), 'default via 10.77.0.254 dev eth1'],
  },
  {
    name: 'IPv4: another metric is another key',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'route add default via 10.77.0.254 dev eth0 metric 100',
      'route replace default via 10.77.0.253 dev eth0 metric 50',
    ],
    leaves: [
      'eth0 10.77.0.1/24',
      PREFIX('eth0', '10.77.0.1'),
      'default via 10.77.0.254 dev eth0 metric 100',
      'default via 10.77.0.253 dev eth0 metric 50',
    ],
  },
  {
    name: 'IPv4: append puts a second one behind the first; replace of the second over again is EEXIST',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'route add default via 10.77.0.254 dev eth0',
      'route append default via 10.77.0.253 dev eth0',
      'route append default via 10.77.0.253 dev eth0 !EEXIST',
      'route replace default via 10.77.0.253 dev eth0 !EEXIST',
      'route replace default via 10.77.0.254 dev eth0',
    ],
    leaves: [
      'eth0 10.77.0.1/24',
      PREFIX('eth0', '10.77.0.1'),
      'default via 10.77.0.254 dev eth0',
      'default via 10.77.0.253 dev eth0',
    ],
  },
  {
    name: 'IPv4: a gateway that is not on the link of that NIC is ENETUNREACH, unless onlink says so',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add 10.78.0.1/24 dev eth1',
      'route add 10.9.0.0/16 via 10.77.0.9 dev eth1 !ENETUNREACH',
      'route add 10.9.0.0/16 via 10.99.0.9 dev eth1 onlink',
    ],
    leaves: [
      'eth0 10.77.0.1/24',
      'eth1 10.78.0.1/24',
      PREFIX('eth0', '10.77.0.1'),
      '10.78.0.0/24 dev eth1 src 10.78.0.1 proto 2',
      '10.9.0.0/16 via 10.99.0.9 dev eth1 onlink',
    ],
  },
  {
    name: 'a route that is not there cannot be deleted',
    does: ['route delete 10.9.0.0/16 via 10.77.0.9 dev eth0 !ESRCH', 'route delete fd99::/64 dev eth0 !ESRCH'],
    leaves: [],
  },
  {
    name: 'set down: IPv4 addresses stay, routes go and only the prefix route comes back',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'route add default via 10.77.0.254 dev eth0',
      'link set eth0 down',
      'link set eth0 up',
    ],
    leaves: ['eth0 10.77.0.1/24', PREFIX('eth0', '10.77.0.1')],
  },
  {
    name: 'a route over a NIC that is down is ENETDOWN; an address can be added',
    does: ['link set eth0 down', 'address add 10.77.0.1/24 dev eth0', 'route add 10.9.0.0/16 dev eth0 !ENETDOWN'],
    leaves: ['eth0 10.77.0.1/24'],
  },
  {
    name: 'set down: IPv6 addresses and routes go',
    does: ['address add fd77::1/64 dev eth0 nodad', 'link set eth0 down', 'link set eth0 up'],
    leaves: [],
  },
  {
    name: 'keep_addr_on_down: IPv6 addresses stay, with their prefix route, other routes go',
    does: [
      'sysctl ipv6/conf/eth0/keep_addr_on_down 1',
      'address add fd77::1/64 dev eth0 nodad',
      'route add fd99::/64 via fd77::9 dev eth0',
      'link set eth0 down',
      'link set eth0 up',
    ],
    leaves: ['eth0 fd77::1/64', PREFIX6('eth0')],
  },
  {
    name: 'lost carrier takes no address and no route',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add fd77::1/64 dev eth0 nodad',
      'route add default via 10.77.0.254 dev eth0',
      'route add default via fd77::fe dev eth0',
      'cable eth0 out',
    ],
    leaves: [
      'eth0 10.77.0.1/24',
      'eth0 fd77::1/64',
      PREFIX('eth0', '10.77.0.1'),
      'default via 10.77.0.254 dev eth0',
      PREFIX6('eth0'),
      'default via fd77::fe dev eth0',
    ],
  },
  {
    name: 'addresses and routes can be added to a NIC without carrier',
    does: [
      'cable eth0 out',
      'address add 10.77.0.1/24 dev eth0',
      'address add fd77::1/64 dev eth0 nodad',
      'route add default via 10.77.0.254 dev eth0',
    ],
    leaves: [
      'eth0 10.77.0.1/24',
      'eth0 fd77::1/64',
      PREFIX('eth0', '10.77.0.1'),
      'default via 10.77.0.254 dev eth0',
      PREFIX6('eth0'),
    ],
  },
  {
    name: 'IPv6: routes do not go with their address, only the prefix route does',
    does: [
      'address add fd77::1/64 dev eth0 nodad',
      'route add default via fd77::fe dev eth0',
      'address delete fd77::1/64 dev eth0',
    ],
    leaves: ['default via fd77::fe dev eth0'],
  },
  {
    name: 'IPv6: the prefix route stays while another address has that prefix',
    does: [
      'address add fd77::1/64 dev eth0 nodad',
      'address add fd77::2/64 dev eth0 nodad',
      'address delete fd77::1/64 dev eth0',
    ],
    leaves: ['eth0 fd77::2/64', PREFIX6('eth0')],
  },
  {
    name: 'IPv6: both NICs may carry the address, and both prefix routes stand',
    does: ['address add fd77::1/64 dev eth0 nodad', 'address add fd77::1/64 dev eth1 nodad'],
    leaves: ['eth0 fd77::1/64', 'eth1 fd77::1/64', PREFIX6('eth0'), PREFIX6('eth1')],
  },
  {
    name: 'IPv6: a /128 brings its route',
    does: ['address add fd77::1/128 dev eth0 nodad'],
    leaves: ['eth0 fd77::1/128', 'fd77::1/128 dev eth0 metric 256 proto 2'],
  },
  {
    name: 'IPv6: a route loses its src with the address',
    does: [
      'address add fd77::1/64 dev eth0 nodad',
      'address add fd77::2/64 dev eth0 nodad',
      'route add fd99::/64 via fd77::9 dev eth0 src fd77::1',
      'address delete fd77::1/64 dev eth0',
    ],
    leaves: ['eth0 fd77::2/64', PREFIX6('eth0'), 'fd99::/64 via fd77::9 dev eth0'],
  },
  {
    name: 'IPv6: a route with a src that the host has not is EINVAL',
    does: ['address add fd77::1/64 dev eth0 nodad', 'route add fd99::/64 via fd77::9 dev eth0 src fd77::5 !EINVAL'],
    leaves: ['eth0 fd77::1/64', PREFIX6('eth0')],
  },
  {
    name: 'IPv6: adding a second default is EEXIST',
    does: [
      'address add fd77::1/64 dev eth0 nodad',
      'route add default via fd77::fe dev eth0',
      'route add default via fd77::fd dev eth0 !EEXIST',
    ],
    leaves: ['eth0 fd77::1/64', PREFIX6('eth0'), 'default via fd77::fe dev eth0'],
  },
  {
    name: 'IPv6: append makes a multipath route over both NICs',
    does: [
      'address add fd77::1/64 dev eth0 nodad',
      'address add fd77::1/64 dev eth1 nodad',
      'route add default via fd77::fe dev eth0',
      'route append default via fd77::fe dev eth1',
    ],
    leaves: [
      'eth0 fd77::1/64',
      'eth1 fd77::1/64',
      PREFIX6('eth0'),
      PREFIX6('eth1'),
      'default nexthop via fd77::fe dev eth0 weight 1 nexthop via fd77::fe dev eth1 weight 1',
    ],
  },
  {
    name: 'IPv6: one leg of a multipath route can be deleted',
    does: [
      'address add fd77::1/64 dev eth0 nodad',
      'address add fd77::1/64 dev eth1 nodad',
      'route add default via fd77::fe dev eth0',
      'route append default via fd77::fe dev eth1',
      'route delete default via fd77::fe dev eth0',
    ],
    leaves: ['eth0 fd77::1/64', 'eth1 fd77::1/64', PREFIX6('eth0'), PREFIX6('eth1'), 'default via fd77::fe dev eth1'],
  },
  {
    name: 'IPv6: replace takes the place of the route over the other NIC',
    does: [
      'address add fd77::1/64 dev eth0 nodad',
      'address add fd77::1/64 dev eth1 nodad',
      'route add default via fd77::fe dev eth0',
      'route replace default via fd77::fe dev eth1',
    ],
    leaves: ['eth0 fd77::1/64', 'eth1 fd77::1/64', PREFIX6('eth0'), PREFIX6('eth1'), 'default via fd77::fe dev eth1'],
  },
  {
    name: 'IPv6: replace of a route without gateway over the other NIC',
    does: [
      'address add fd77::1/64 dev eth0 nodad',
      'address add fd77::1/64 dev eth1 nodad',
      'route add fd99::/64 dev eth0',
      'route replace fd99::/64 dev eth1',
    ],
    leaves: ['eth0 fd77::1/64', 'eth1 fd77::1/64', PREFIX6('eth0'), PREFIX6('eth1'), 'fd99::/64 dev eth1'],
  },
  {
    name: 'IPv6: a gateway that is not on the link is EHOSTUNREACH',
    does: ['route add fd99::/64 via fd78::9 dev eth0 !EHOSTUNREACH'],
    leaves: [],
  },
  {
    name: 'disable_ipv6: an address is EACCES',
    does: ['sysctl ipv6/conf/eth0/disable_ipv6 1', 'address add fd77::1/64 dev eth0 nodad !EACCES'],
    leaves: [],
  },
  {
    name: 'a NIC is renamed while it is up (Linux 6.2): all that hangs on it stays',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add fd77::1/64 dev eth0 nodad',
      'route add default via 10.77.0.254 dev eth0',
      'rename eth0 lan0',
    ],
    leaves: [
      'lan0 10.77.0.1/24',
      'lan0 fd77::1/64',
      PREFIX('lan0', '10.77.0.1'),
      'default via 10.77.0.254 dev lan0',
      PREFIX6('lan0'),
    ],
    since: [6, 2],
  },
  {
    name: 'deleting the NIC takes all that hung on it',
    does: [
      'address add 10.77.0.1/24 dev eth0',
      'address add fd77::1/64 dev eth0 nodad',
      'route add default via 10.77.0.254 dev eth0',
      'link delete eth0',
    ],
    leaves: [],
  },
];
