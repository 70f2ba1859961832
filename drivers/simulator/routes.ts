/** The route tables of a simulated kernel: order within one key, what REPLACE and APPEND do, what goes with a NIC or an address. */
import type { NextHop, Route } from '../../src/input.js';
import type { Host } from './host.js';
import type { Nic } from './nic.js';
import { covers, isLinkLocal, networkOf, parseNetwork } from './prefix.js';

export type Errno =
  | 'EEXIST'
  | 'ENOENT'
  | 'ESRCH'
  | 'ENODEV'
  | 'ENETDOWN'
  | 'ENETUNREACH'
  | 'EHOSTUNREACH'
  | 'EINVAL'
  | 'EACCES'
  | 'EPERM'
  | 'EADDRNOTAVAIL';

const MAIN = 254;
const PROTOCOL_KERNEL = 2;
const SCOPE_LINK = 253;
const UNICAST = 1;
const ONLINK = 4;
const METRIC_PREFIX_V6 = 256;

/** `add` is `ip route add`: CREATE and EXCL. */
export type Mode = 'add' | 'replace' | 'append';

export class Routes {
  readonly list: Route[] = [];
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  put(route: Route, mode: Mode): Errno | null {
    const refusal = route.family === 4 ? this.#refusalV4(route) : this.#refusalV6(route);
    if (refusal) return refusal;
    const complete = route.family === 6 && route.metric === undefined ? { ...route, metric: 1024 } : { ...route };
    return route.family === 4 ? this.#putV4(complete, mode) : this.#putV6(complete, mode);
  }

  delete(route: Route): Errno | null {
    const at = this.list.findIndex((held) => sameKey(held, route, route.metric !== undefined) && matches(held, route));
    if (at >= 0) {
      this.#touch(this.list.splice(at, 1)[0]!);
      return null;
    }
    return this.#deleteLeg(route) ? null : 'ESRCH';
  }

  /** The kernel's own route to the prefix of an address. */
  prefixRoute(nic: Nic, family: 4 | 6, address: string, length: number, metric?: number): Route {
    const base = { family, table: MAIN, protocol: PROTOCOL_KERNEL, type: UNICAST, tos: 0, nic: nic.name, flags: 0 };
    const destination = networkOf(address, length);
    if (family === 6) return { ...base, destination, scope: 0, metric: metric ?? METRIC_PREFIX_V6 };
    const routed: Route = { ...base, destination, scope: SCOPE_LINK, preferredSource: address };
    return metric === undefined ? routed : { ...routed, metric };
  }

  /** Appended, as the kernel does with its own routes, whatever else leads to that prefix. */
  addPrefixRoute(route: Route): void {
    if (this.list.some((held) => sameKey(held, route, true) && matches(held, route))) return;
    this.list.push(route);
    this.#touch(route);
  }

  removeWhere(goes: (route: Route) => boolean): void {
    for (let at = this.list.length - 1; at >= 0; at--) {
      const route = this.list[at]!;
      if (goes(route)) this.#touch(this.list.splice(at, 1)[0]!);
    }
  }

  rename(from: string, to: string): void {
    const renamed = <T extends { nic: string }>(one: T): T => (one.nic === from ? { ...one, nic: to } : one);
    for (const [at, route] of this.list.entries()) {
      const { nextHops } = route;
      this.list[at] = renamed(nextHops === undefined ? route : { ...route, nextHops: nextHops.map(renamed) });
    }
  }

  /** All that leaves by that NIC; of a multipath route its leg. */
  flush(nic: string, family: 4 | 6): void {
    this.removeWhere((route) => route.family === family && !route.nextHops && route.nic === nic);
    for (const route of this.list.filter((held) => held.family === family && held.nextHops))
      this.#dropLegs(route, (leg) => leg.nic === nic);
  }

  /** IPv6 routes stay when their source goes; they only no longer name it. */
  forgetSource(nic: string, address: string): void {
    for (const [at, route] of this.list.entries()) {
      if (route.family !== 6 || route.nic !== nic || route.preferredSource !== address) continue;
      const left = { ...route };
      delete left.preferredSource;
      this.list[at] = left;
      this.#touch(left);
    }
  }

  /** Where a packet to that address leaves; among equals the first, for IPv6 rather by `preferred`. */
  lookup(destination: string, preferred?: Nic): { nic: Nic; gateway: string } | null {
    let best: Route | undefined;
    for (const route of this.list) {
      if (
        route.table !== MAIN ||
        route.type !== UNICAST ||
        !this.#usable(route) ||
        !covers(route.destination, destination)
      )
        continue;
      const order = best === undefined ? 1 : better(route, best);
      if (
        order > 0 ||
        (order === 0 && route.family === 6 && route.nic === preferred?.name && best?.nic !== preferred.name)
      )
        best = route;
    }
    if (!best) return null;
    const leg = best.nextHops?.find((hop) => this.#host.nics.get(hop.nic)?.admin === true) ?? best;
    const nic = this.#host.nics.get(leg.nic);
    return nic ? { nic, gateway: leg.gateway ?? destination } : null;
  }

  #usable(route: Route): boolean {
    const legs: { nic: string }[] = route.nextHops ?? [route];
    return legs.some((leg) => {
      const nic = this.#host.nics.get(leg.nic);
      if (!nic?.admin) return false;
      return (
        nic.running || this.#host.sysctl(`ipv${route.family}/conf`, nic.name, 'ignore_routes_with_linkdown') !== '1'
      );
    });
  }

  #refusalV4(route: Route): Errno | null {
    for (const leg of route.nextHops ?? [route]) {
      const nic = this.#host.nics.get(leg.nic);
      if (!nic) return 'ENODEV';
      if (!nic.admin) return 'ENETDOWN';
      if (leg.gateway !== undefined && (leg.flags & ONLINK) === 0 && !this.#onLink(nic, leg.gateway))
        return 'ENETUNREACH';
    }
    if (route.preferredSource !== undefined && !this.#host.owns(route.preferredSource)) return 'EINVAL';
    return null;
  }

  #refusalV6(route: Route): Errno | null {
    for (const leg of route.nextHops ?? [route]) {
      const nic = this.#host.nics.get(leg.nic);
      if (!nic) return 'ENODEV';
      if (this.#host.sysctl('ipv6/conf', nic.name, 'disable_ipv6') === '1') return 'EACCES';
      if (!nic.admin) return 'ENETDOWN';
      const near = leg.gateway === undefined || isLinkLocal(leg.gateway) || (leg.flags & ONLINK) !== 0;
      if (!near && !this.#onLink(nic, leg.gateway!)) return 'EHOSTUNREACH';
    }
    if (route.preferredSource !== undefined && !this.#host.owns(route.preferredSource)) return 'EINVAL';
    return null;
  }

  #onLink(nic: Nic, gateway: string): boolean {
    return this.list.some(
      (route) => route.nic === nic.name && route.gateway === undefined && covers(route.destination, gateway),
    );
  }

  /** fib_table_insert of net/ipv4/fib_trie.c. */
  #putV4(route: Route, mode: Mode): Errno | null {
    const first = this.list.findIndex((held) => sameKey(held, route, true));
    const twin = this.list.findIndex((held) => sameKey(held, route, true) && identical(held, route));
    if (first < 0) {
      this.list.push(route);
    } else if (mode === 'add') {
      return 'EEXIST';
    } else if (mode === 'replace') {
      if (twin >= 0) return twin === first ? null : 'EEXIST';
      this.#touch(this.list[first]!);
      this.list[first] = route;
    } else {
      if (twin >= 0) return 'EEXIST';
      this.list.splice(this.list.findLastIndex((held) => sameKey(held, route, true)) + 1, 0, route);
    }
    this.#touch(route);
    return null;
  }

  /** fib6_add_rt2node of net/ipv6/ip6_fib.c. */
  #putV6(route: Route, mode: Mode): Errno | null {
    const same = this.list.filter((held) => sameKey(held, route, true));
    if (mode === 'add' && same.length > 0) return 'EEXIST';
    const alike = same.find((held) => sharesLoad(held) === sharesLoad(route));
    if (mode === 'replace' && alike) {
      this.#touch(alike);
      this.list[this.list.indexOf(alike)] = route;
    } else if (mode === 'append' && same.some((held) => sameLeg(held, route))) {
      return 'EEXIST';
    } else if (mode === 'append' && sharesLoad(route) && alike) {
      const legs = alike.nextHops ?? [legOf(alike)];
      this.list[this.list.indexOf(alike)] = { ...alike, nextHops: [...legs, legOf(route)] };
    } else {
      const last = this.list.findLastIndex((held) => sameKey(held, route, true));
      this.list.splice(last < 0 ? this.list.length : last + 1, 0, route);
    }
    this.#touch(route);
    return null;
  }

  #deleteLeg(route: Route): boolean {
    if (route.family !== 6) return false;
    const held = this.list.find((one) => one.nextHops && sameKey(one, route, route.metric !== undefined));
    const leg = held?.nextHops?.find(
      (one) => one.nic === route.nic && (route.gateway === undefined || one.gateway === route.gateway),
    );
    if (!held || !leg) return false;
    this.#dropLegs(held, (one) => one === leg);
    return true;
  }

  #dropLegs(route: Route, goes: (leg: NextHop) => boolean): void {
    const left = (route.nextHops ?? []).filter((leg) => !goes(leg));
    if (left.length === route.nextHops?.length) return;
    this.#touch(route);
    const at = this.list.indexOf(route);
    const [only] = left;
    if (only === undefined) this.list.splice(at, 1);
    else if (left.length > 1) this.list[at] = { ...route, nextHops: left };
    else this.list[at] = overLeg(route, only);
  }

  #touch(route: Route): void {
    for (const leg of route.nextHops ?? [route]) this.#host.touched(leg.nic);
  }
}

function metricOf(route: Route): number {
  return route.metric ?? (route.family === 4 ? 0 : 1024);
}

/** Longer prefix first, then lower metric: 1 if `a` goes first, 0 if equal. */
function better(a: Route, b: Route): number {
  const longer = parseNetwork(a.destination).length - parseNetwork(b.destination).length;
  return Math.sign(longer !== 0 ? longer : metricOf(b) - metricOf(a));
}

function sameKey(held: Route, route: Route, metricToo: boolean): boolean {
  return (
    held.family === route.family &&
    held.table === route.table &&
    held.destination === route.destination &&
    held.tos === route.tos &&
    (!metricToo || metricOf(held) === metricOf(route))
  );
}

function sameLeg(held: Route, route: Route): boolean {
  const wanted = legOf(route);
  return (held.nextHops ?? [legOf(held)]).some((leg) => leg.nic === wanted.nic && leg.gateway === wanted.gateway);
}

/** What a deletion names must fit; what it leaves out fits anything. */
function matches(held: Route, route: Route): boolean {
  return (
    !held.nextHops === !route.nextHops &&
    held.nic === route.nic &&
    (route.gateway === undefined || held.gateway === route.gateway) &&
    (route.protocol === 0 || held.protocol === route.protocol) &&
    held.type === route.type &&
    (route.preferredSource === undefined || held.preferredSource === route.preferredSource)
  );
}

function identical(held: Route, route: Route): boolean {
  return (
    sameLeg(held, route) &&
    !held.nextHops === !route.nextHops &&
    held.protocol === route.protocol &&
    held.scope === route.scope &&
    held.type === route.type &&
    held.flags === route.flags &&
    held.preferredSource === route.preferredSource &&
    JSON.stringify(held.metrics ?? {}) === JSON.stringify(route.metrics ?? {})
  );
}

/** Only routes with a gateway join a multipath route (rt6_qualify_for_ecmp). */
function sharesLoad(route: Route): boolean {
  return route.nextHops !== undefined || route.gateway !== undefined;
}

/** The plain route that is left of a multipath one. */
function overLeg(route: Route, leg: NextHop): Route {
  const plain = { ...route, nic: leg.nic, flags: leg.flags };
  delete plain.nextHops;
  delete plain.gateway;
  return leg.gateway === undefined ? plain : { ...plain, gateway: leg.gateway };
}

function legOf(route: Route): NextHop {
  const leg = { nic: route.nic, flags: route.flags, hops: 0 };
  return route.gateway === undefined ? leg : { ...leg, gateway: route.gateway };
}
