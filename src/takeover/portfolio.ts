/**
 * What the NIC that carries a net has for it: addresses, routes, neighbour entries, multicast groups. It is written in
 * terms of the primary NIC wherever it lies at present, so that the same portfolio fits every NIC of the net
 * (`onNic`), and two observations of it on different NICs compare equal.
 *
 *   observation of a NIC ──read──▶ portfolio in terms of the primary ──onNic──▶ what another NIC should have
 */
import { samePrefix } from '../frame/ip.js';
import type { Address, Ms, Neighbour, NicObservation, Route } from '../input.js';

export interface Portfolio {
  addresses: Address[];
  routes: Route[];
  neighbours: Neighbour[];
  groups: string[];
  /** Moment to which the lifetimes belong. */
  at: Ms;
}

/** IFA_F_* (linux/if_addr.h). */
export const NODAD = 0x02;
export const DAD_FAILED = 0x08;
export const NO_PREFIX_ROUTE = 0x200;
/** Those that a user may set: nodad, home address, managed temporaries, noprefixroute, auto-join. The kernel sets the others by itself. */
const USER_FLAGS = NODAD | 0x10 | 0x100 | NO_PREFIX_ROUTE | 0x400;

const SCOPE_LINK = 253;
const PROTOCOL_KERNEL = 2;
/** NUD_*: stale is used at once and checked by the kernel on its own. */
const NUD_STALE = 0x04;
export const NUD_PERMANENT = 0x80;
const NUD_UNUSABLE = 0x01 | 0x20;

/** RTPROT_* of programs that put their routes back by themselves, and of the kernel's router discovery (linux/rtnetlink.h). */
const DAEMON_PROTOCOLS: Record<number, string> = {
  8: 'gated',
  10: 'mrt',
  11: 'zebra',
  12: 'bird',
  13: 'dnrouted',
  14: 'xorp',
  15: 'ntk',
  17: 'mrouted',
  18: 'keepalived',
  42: 'babel',
  84: 'ovn',
  99: 'openr',
  186: 'bgp',
  187: 'isis',
  188: 'ospf',
  189: 'rip',
  192: 'eigrp',
};

export type RouteFate = 'moves' | 'follows' | { stays: string };

export function emptyPortfolio(at: Ms): Portfolio {
  return { addresses: [], routes: [], neighbours: [], groups: [], at };
}

/** Link-local addresses belong to the NIC (fe80::/10; 169.254/16 of scope link), everything else to the net. */
export function isMovable(address: Address): boolean {
  if (address.family === 6) return !/^fe[89ab]/i.test(address.local);
  return !(address.local.startsWith('169.254.') && address.scope === SCOPE_LINK);
}

/** The kernel tells addresses of a NIC apart by this: IPv4 by prefix length too. */
export function addressKey(address: Address): string {
  return address.family === 6 ? address.local : `${address.local}/${address.prefixLength}/${address.peer ?? ''}`;
}

/** What becomes of a route when its NIC's portfolio moves. `follows`: the kernel makes it with the address. */
export function fateOf(route: Route, addresses: readonly Address[]): RouteFate {
  if (route.nextHopId !== undefined) return { stays: 'nexthop object' };
  if (route.protocol === 9) return { stays: 'router advertisement' };
  if (route.protocol === 1) return { stays: 'redirect' };
  const daemon = DAEMON_PROTOCOLS[route.protocol] ?? (route.protocol >= 186 ? `protocol ${route.protocol}` : undefined);
  if (daemon !== undefined) return { stays: `routing daemon (${daemon})` };
  if (route.protocol !== PROTOCOL_KERNEL) return 'moves';
  // A network manager that asks for noprefixroute puts in a prefix route of its own under the kernel's protocol.
  const covering = addresses.filter((address) => isMovable(address) && covers(route, address));
  return covering.length > 0 && covering.every((address) => address.flags & NO_PREFIX_ROUTE) ? 'moves' : 'follows';
}

function covers(route: Route, address: Address): boolean {
  const [prefix, length] = route.destination.split('/');
  if (route.family !== address.family || prefix === undefined || Number(length) !== address.prefixLength) return false;
  return samePrefix(prefix, address.peer ?? address.local, address.prefixLength);
}

/** All that moves of what `seen` has, in terms of `home`. Equal things on different NICs of a net give equal portfolios. */
export function readPortfolio(seen: NicObservation, home: string, at: Ms): Portfolio {
  return {
    addresses: seen.addresses.filter(isMovable).map((address) => plainAddress(address, seen.nic, home)),
    routes: seen.routes
      .filter((route) => fateOf(route, seen.addresses) === 'moves')
      .map((route) => routeOnNic(route, seen.nic, home)),
    neighbours: seen.neighbours.filter(isUsable).map(plainNeighbour),
    groups: [...seen.groups],
    at,
  };
}

function isUsable(neighbour: Neighbour): boolean {
  return neighbour.mac !== '' && (neighbour.state & NUD_UNUSABLE) === 0;
}

function plainNeighbour(neighbour: Neighbour): Neighbour {
  return { ...neighbour, state: neighbour.state & NUD_PERMANENT ? NUD_PERMANENT : NUD_STALE };
}

function plainAddress(address: Address, nic: string, home: string): Address {
  const plain: Address = { ...address, flags: address.flags & USER_FLAGS };
  if (address.label !== undefined) plain.label = relabel(address.label, nic, home);
  return plain;
}

function relabel(label: string, from: string, to: string): string {
  return label === from ? to : label.startsWith(`${from}:`) ? `${to}${label.slice(from.length)}` : label;
}

export function addressOnNic(address: Address, home: string, nic: string): Address {
  return address.label === undefined ? { ...address } : { ...address, label: relabel(address.label, home, nic) };
}

/** The same route over `to` wherever it went over `from`. */
export function routeOnNic(route: Route, from: string, to: string): Route {
  const moved: Route = { ...route, nic: route.nic === from ? to : route.nic };
  if (route.nextHops) moved.nextHops = route.nextHops.map((hop) => ({ ...hop, nic: hop.nic === from ? to : hop.nic }));
  return moved;
}

/** What tells a route from another one that the kernel lets stand beside it. */
export function routeKey(route: Route): string {
  return [route.family, route.table, route.destination, route.tos, metricOf(route), route.source ?? ''].join(' ');
}

function metricOf(route: Route): number {
  return route.metric ?? (route.family === 4 ? 0 : 1024);
}

/** Everything about a route but the time it has left: equal routes are equal texts. A multipath is the same whichever of its NICs shows it. */
export function routeText(route: Route): string {
  const text = { ...route, metric: metricOf(route), nic: route.nextHops ? '' : route.nic };
  delete text.expiresS;
  return sortedJson(text);
}

export function neighbourKey(neighbour: Neighbour): string {
  return `${neighbour.address} ${neighbour.flags & 0x08}`;
}

/** JSON with keys in order and without what is undefined. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Lifetimes counted on to `now`; what has run out meanwhile is gone. */
export function aged(portfolio: Portfolio, now: Ms): Portfolio {
  const goneS = Math.max(0, Math.floor((now - portfolio.at) / 1000));
  if (goneS === 0) return portfolio;
  return {
    ...portfolio,
    at: portfolio.at + goneS * 1000,
    addresses: portfolio.addresses.flatMap((address) => {
      if (address.validS === undefined && address.preferredS === undefined) return [address];
      const older: Address = { ...address };
      if (address.validS !== undefined) older.validS = address.validS - goneS;
      if (address.preferredS !== undefined) older.preferredS = Math.max(0, address.preferredS - goneS);
      return older.validS !== undefined && older.validS <= 0 ? [] : [older];
    }),
    routes: portfolio.routes.flatMap((route) =>
      route.expiresS === undefined
        ? [route]
        : route.expiresS > goneS
          ? [{ ...route, expiresS: route.expiresS - goneS }]
          : [],
    ),
  };
}

/** To the last lifetime, in the same order. False may also mean that only keys are ordered otherwise. */
export function isSamePortfolio(one: Portfolio, other: Portfolio): boolean {
  return JSON.stringify({ ...one, at: 0 }) === JSON.stringify({ ...other, at: 0 });
}

/** What of a portfolio is worth writing down: lifetimes run on by themselves. */
export function gist(portfolio: Portfolio): string {
  return sortedJson({
    addresses: portfolio.addresses.map(({ validS: _, preferredS: __, ...rest }) => rest),
    routes: portfolio.routes.map(routeText),
    neighbours: portfolio.neighbours,
    groups: portfolio.groups,
  });
}
