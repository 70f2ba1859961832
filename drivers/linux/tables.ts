/** Dumps of the kernel's tables, by NIC. */
import type { Address, Neighbour, Route } from '../../src/input.js';
import { decodeAddress, encodeAddressDump, RTM_GETADDR } from './netlink/address.js';
import { NetlinkError } from './netlink/message.js';
import { decodeNeighbour, encodeNeighbourDump, RTM_GETNEIGH } from './netlink/neighbour.js';
import { decodeRoute, encodeRouteDump, RTM_GETROUTE, type NicNames } from './netlink/route.js';
import type { Session } from './netlink/session.js';

/** RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST: they come and go with addresses, all by the kernel. */
const UNTOLD_TYPES = [2, 3, 4, 5];

/** Is it a route that observations tell of? */
export function isTold(route: Route): boolean {
  return route.nic !== '' && !UNTOLD_TYPES.includes(route.type);
}

/** What a dump holds of the NIC with that ifindex. */
export type ByNic<T> = (ifindex: number) => T[];

/** `ifindex` 0: of all NICs. A NIC that went away meanwhile has none. */
export function dumpAddresses(session: Session, family: 4 | 6, ifindex: number): ByNic<Address> {
  const filter = session.filters ? ifindex : 0;
  const found = unlessGone(() => session.dump(RTM_GETADDR, encodeAddressDump(family, filter), decodeAddress));
  // A kernel without IPv6 answers with all families that it has.
  return grouped(found.flatMap(({ ifindex: at, address }) => (address.family === family ? [[at, address]] : [])));
}

/** A multipath route is a route of each of its legs' NICs. */
export function dumpRoutes(session: Session, family: 4 | 6, ifindex: number, names: NicNames): ByNic<Route> {
  const filter = session.filters ? ifindex : 0;
  const told = (payload: Buffer): Route | null => {
    const route = decodeRoute(payload, names);
    return route?.family === family && isTold(route) ? route : null;
  };
  const found = unlessGone(() => session.dump(RTM_GETROUTE, encodeRouteDump(family, filter), told));
  const placed: [number, Route][] = [];
  for (const route of found)
    for (const nic of new Set(route.nextHops?.map((leg) => leg.nic) ?? [route.nic])) {
      const index = names.indexOf(nic);
      if (index !== undefined) placed.push([index, route.nextHops ? { ...route, nic } : route]);
    }
  return grouped(placed);
}

/** Both families, proxy entries among them. */
export function dumpNeighbours(session: Pick<Session, 'dump' | 'filters'>, ifindex: number): ByNic<Neighbour> {
  const filter = session.filters ? ifindex : 0;
  const found = ([4, 6] as const).flatMap((family) =>
    [false, true].flatMap((proxy) =>
      unlessGone(() => session.dump(RTM_GETNEIGH, encodeNeighbourDump(family, filter, proxy), decodeNeighbour)).filter(
        ({ neighbour }) => neighbour.family === family,
      ),
    ),
  );
  return grouped(found.map(({ ifindex: at, neighbour }) => [at, neighbour]));
}

function unlessGone<T>(dump: () => T[]): T[] {
  try {
    return dump();
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENODEV') return [];
    throw error;
  }
}

function grouped<T>(items: readonly (readonly [number, T])[]): ByNic<T> {
  const groups = new Map<number, T[]>();
  for (const [ifindex, item] of items) {
    const known = groups.get(ifindex);
    if (known) known.push(item);
    else groups.set(ifindex, [item]);
  }
  return (ifindex) => groups.get(ifindex) ?? [];
}
