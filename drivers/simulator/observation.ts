/** One NIC of a simulated host as rtnetlink and procfs show it. */
import type { Address, NicObservation, Route } from '../../src/input.js';
import { OBSERVED_SETTINGS } from '../../src/takeover/settings.js';
import { validLeftS } from './addresses.js';
import type { Host } from './host.js';
import { Macvlan } from './macvlan.js';
import { NUD } from './neighbours.js';
import type { Nic } from './nic.js';

const ETHERNET = 1;
/** Each with its words, as kernels are asked for it. */
const SETTINGS = OBSERVED_SETTINGS.map((name) => {
  const [family, kind, , key] = name.split('/') as [string, string, string, string];
  return { name, group: `${family}/${kind}`, key };
});

export function observe(host: Host, nic: Nic): NicObservation {
  return {
    nic: nic.name,
    ifindex: nic.ifindex,
    mac: nic.mac,
    mtu: nic.mtu,
    linkType: ETHERNET,
    ...kindOf(nic),
    admin: nic.admin,
    carrier: nic.running,
    addresses: nic.addresses.map((held) => shown(host, held)),
    routes: host.routes.list.filter((route) => leavesBy(route, nic.name)).map((route) => ({ ...route })),
    neighbours: neighboursOf(host, nic),
    groups: [...new Set([...nic.groups.programs, ...nic.groups.daemon])],
    settings: settingsOf(host, nic.name),
    ...(nic.lag === undefined ? {} : { ports: nic.lag.observed() }),
    children: nic.macvlans.map(({ name }) => name).sort(),
  };
}

function kindOf(nic: Nic): { kind?: string; below?: string } {
  if (nic instanceof Macvlan) return { kind: 'macvlan', below: nic.below.name };
  if (nic.lag !== undefined) return { kind: 'bond' };
  return nic.physical ? {} : { kind: 'veth' };
}

function shown(host: Host, held: Address): Address {
  const validS = validLeftS(host, held);
  return validS === undefined ? { ...held } : { ...held, validS };
}

function leavesBy(route: Route, nic: string): boolean {
  return route.nic === nic || (route.nextHops ?? []).some((leg) => leg.nic === nic);
}

/** All entries that hold a MAC. */
function neighboursOf(host: Host, nic: Nic): NicObservation['neighbours'] {
  return [...host.neighbours.entries.values()]
    .filter((entry) => entry.nic === nic.name && (entry.state & ~(NUD.incomplete | NUD.failed)) !== 0)
    .map(({ address, mac, state }) => ({ family: address.includes(':') ? 6 : 4, address, mac, state, flags: 0 }));
}

function settingsOf(host: Host, nic: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const { name, group, key } of SETTINGS) {
    const value = host.sysctl(group, nic, key);
    if (value !== undefined) settings[name] = value;
  }
  return settings;
}
