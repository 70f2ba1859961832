/**
 * A kernel of a hundred lines that does to addresses and routes what Linux does (DESIGN 17), for proving plans: deleting
 * a primary address takes its secondaries along, deleting the last IPv4 address of a NIC its routes, an address its
 * `src` routes; IPv4 replace hits the first route of its key whatever its NIC; IPv6 append makes a multipath.
 */
import type { Action, Step } from '../../src/action.js';
import { samePrefix } from '../../src/frame/ip.js';
import type { Address, Input, Neighbour, NicObservation, Route, SwitchFailure } from '../../src/input.js';
import { addressKey, routeKey, routeText } from '../../src/takeover/portfolio.js';

const SECONDARY = 0x01;
const TENTATIVE = 0x40;
const PERMANENT = 0x80;
const NODAD = 0x02;
const NO_PREFIX_ROUTE = 0x200;

export class KernelError extends Error {
  constructor(
    readonly code: string,
    text: string,
  ) {
    super(text);
  }
}

export interface ModelNic {
  nic: string;
  ifindex: number;
  admin: boolean;
  carrier: boolean;
  linkType: number;
  mac: string;
  addresses: Address[];
  neighbours: Neighbour[];
  /** Joined by receivers on the host. */
  groups: string[];
  /** Joined by the hands. */
  joined: string[];
  settings: Record<string, string>;
  master?: string;
  masterKind?: string;
  children: string[];
}

export class ModelKernel {
  nics: Record<string, ModelNic> = {};
  routes: Route[] = [];

  addNic(nic: string, ifindex: number, settings: Record<string, string> = {}): void {
    this.nics[nic] = {
      nic,
      ifindex,
      admin: true,
      carrier: true,
      linkType: 1,
      mac: `02:00:00:00:00:0${ifindex}`,
      addresses: [linkLocal(ifindex)],
      neighbours: [],
      groups: [],
      joined: [],
      settings,
      children: [],
    };
  }

  copy(): ModelKernel {
    const copy = new ModelKernel();
    copy.nics = structuredClone(this.nics);
    copy.routes = structuredClone(this.routes);
    return copy;
  }

  /** Everything, to compare two states. */
  snapshot(): unknown {
    return structuredClone({ nics: this.nics, routes: this.routes });
  }

  observe(name: string): NicObservation {
    const { joined, groups, ...nic } = this.nic(name);
    return structuredClone({
      ...nic,
      mtu: 1500,
      routes: this.routes.filter((route) => onNic(route, name)),
      groups: [...new Set([...groups, ...joined])],
    });
  }

  observeAll(): Record<string, NicObservation> {
    return Object.fromEntries(Object.keys(this.nics).map((nic) => [nic, this.observe(nic)]));
  }

  removeNic(name: string): void {
    delete this.nics[name];
    this.routes = this.routes.filter((route) => !onNic(route, name));
  }

  look(nics: readonly string[]): Extract<Input, { kind: 'host-observed' }> {
    const present = nics.filter((nic) => nic in this.nics);
    const missing = nics.filter((nic) => !(nic in this.nics));
    return { kind: 'host-observed', nics: present.map((nic) => this.observe(nic)), missing };
  }

  /** Step by step as the hands do it, and back from the first that fails, if there is a way back. */
  change(
    { id, steps, undo }: Extract<Action, { kind: 'change-host' }>,
    attempt: (step: Step) => void,
  ): Extract<Input, { kind: 'host-changed' }> {
    let failed: SwitchFailure | undefined;
    for (const [i, step] of steps.entries()) {
      try {
        attempt(step);
      } catch (error) {
        if (!(error instanceof KernelError)) throw error;
        failed = { step: i, code: error.code, text: error.message };
        break;
      }
    }
    const undone = failed !== undefined && undo !== undefined;
    if (failed && undo) for (const step of undo.slice(0, failed.step).reverse()) this.apply(step);
    return { kind: 'host-changed', id, undone, ...(failed && { failed }) };
  }

  apply(step: Step): void {
    switch (step.do) {
      case 'add-address':
        return this.addAddress(step.nic, structuredClone(step.address), step.renew === true);
      case 'delete-address':
        return this.deleteAddress(step.nic, step.address);
      case 'replace-route':
      case 'append-route':
        return this.addRoute(structuredClone(step.route), step.do);
      case 'delete-route':
        this.nic(step.route.nic);
        this.routes = this.routes.filter((route) => routeText(route) !== routeText(step.route));
        return;
      case 'set-neighbour':
      case 'delete-neighbour': {
        const nic = this.nic(step.nic);
        nic.neighbours = nic.neighbours.filter((x) => x.address !== step.neighbour.address);
        if (step.do === 'set-neighbour') nic.neighbours.push(structuredClone(step.neighbour));
        return;
      }
      case 'flush-neighbours': {
        const nic = this.nic(step.nic);
        nic.neighbours = nic.neighbours.filter((x) => (x.state & 0x80) !== 0);
        return;
      }
      case 'join-group':
      case 'leave-group': {
        const nic = this.nic(step.nic);
        nic.joined = nic.joined.filter((x) => x !== step.group);
        if (step.do === 'join-group') nic.joined.push(step.group);
        return;
      }
      case 'set-sysctl':
        this.nic(step.nic).settings[step.name.replace(`/${step.nic}/`, '/{nic}/')] = step.value;
        return;
      case 'set-mac':
        this.nic(step.nic).mac = step.mac;
        return;
      case 'set-link':
      case 'add-macvlan':
      case 'delete-macvlan':
        throw new Error(`this stand has no macvlans: ${step.do}`);
    }
  }

  private nic(name: string): ModelNic {
    const nic = this.nics[name];
    if (!nic) throw new KernelError('ENODEV', 'No such device');
    return nic;
  }

  private addAddress(name: string, address: Address, renew: boolean): void {
    const nic = this.nic(name);
    const same = nic.addresses.find((x) => addressKey(x) === addressKey(address));
    const lasting = address.validS === undefined ? PERMANENT : 0;
    if (same) {
      if (renew) {
        same.flags = (same.flags & TENTATIVE) | address.flags | lasting;
        if (address.protocol === undefined) delete same.protocol;
        else same.protocol = address.protocol;
      }
      return;
    }
    if (address.family === 6 && nic.settings['ipv6/conf/{nic}/disable_ipv6'] === '1') {
      throw new KernelError('EACCES', 'IPv6 is disabled on this device.');
    }
    address.flags |= lasting;
    if (address.family === 6) {
      if (!(address.flags & NODAD)) address.flags |= TENTATIVE;
      // Newest first within a scope: before all global ones, and the link-local one stays behind.
      nic.addresses.splice(nic.addresses.findIndex((x) => x.family === 6) >>> 0, 0, address);
    } else {
      const primary = nic.addresses.some((x) => x.family === 4 && !(x.flags & SECONDARY) && sameSubnet(x, address));
      if (primary) address.flags |= SECONDARY;
      const behind = nic.addresses.findIndex((x) => x.family === 6 || (!primary && x.flags & SECONDARY));
      nic.addresses.splice(behind < 0 ? nic.addresses.length : behind, 0, address);
      if (primary) return;
    }
    const route = prefixRoute(name, address);
    if (route && !this.routes.some((x) => routeText(x) === routeText(route))) this.insert(route);
  }

  private deleteAddress(name: string, given: Address): void {
    const nic = this.nics[name];
    const found = nic?.addresses.find((x) => addressKey(x) === addressKey(given));
    if (!nic || !found) return;
    const secondaries = nic.addresses.filter((x) => x.family === 4 && x.flags & SECONDARY && sameSubnet(x, found));
    const gone = found.family === 4 && !(found.flags & SECONDARY) ? [found, ...secondaries] : [found];
    nic.addresses = nic.addresses.filter((x) => !gone.includes(x));
    const route = prefixRoute(name, found);
    const shared = nic.addresses.some((x) => found.family === 6 && x.family === 6 && sameSubnet(x, found));
    if (route && !shared) this.routes = this.routes.filter((x) => routeText(x) !== routeText(route));
    for (const { local, family } of gone) {
      if (Object.values(this.nics).some((x) => x.addresses.some((y) => y.local === local))) continue;
      if (family === 4) this.routes = this.routes.filter((x) => x.preferredSource !== local);
      else for (const x of this.routes) if (x.preferredSource === local) delete x.preferredSource;
    }
    if (found.family === 4 && !nic.addresses.some((x) => x.family === 4)) {
      this.routes = this.routes.filter((x) => x.family === 6 || !onNic(x, name) || x.nextHops !== undefined);
    }
  }

  private addRoute(route: Route, how: 'replace-route' | 'append-route'): void {
    this.nic(route.nic);
    this.check(route);
    if (this.routes.some((x) => routeText(x) === routeText(route))) return;
    const twin = this.routes.findIndex(
      (x) => routeKey(x) === routeKey(route) && (route.family === 4 || joins(x) === joins(route)),
    );
    if (how === 'replace-route' && twin >= 0) this.routes[twin] = route;
    else if (route.family === 6 && joins(route) && twin >= 0) throw new KernelError('MODEL', 'append made a multipath');
    else this.insert(route);
  }

  /** Behind those of its key. */
  private insert(route: Route): void {
    const last = this.routes.map(routeKey).lastIndexOf(routeKey(route));
    this.routes.splice(last < 0 ? this.routes.length : last + 1, 0, route);
  }

  private check(route: Route): void {
    const { preferredSource } = route;
    const where = route.family === 6 ? [this.nic(route.nic)] : Object.values(this.nics);
    const source = where.flatMap((x) => x.addresses).find((x) => x.local === preferredSource);
    if (preferredSource !== undefined && (!source || source.flags & TENTATIVE)) {
      throw new KernelError('EINVAL', 'Invalid prefsrc address');
    }
    for (const hop of route.nextHops ?? [route]) {
      if (hop.gateway === undefined || hop.flags & 4 || hop.gateway.startsWith('fe80:')) continue;
      const reachable = this.routes.some((x) => {
        const [prefix, length] = x.destination.split('/');
        const fits = x.family === route.family && x.nic === hop.nic && !joins(x);
        return fits && samePrefix(prefix!, hop.gateway!, Number(length));
      });
      if (!reachable) throw new KernelError('ENETUNREACH', 'Nexthop has invalid gateway');
    }
  }
}

function joins(route: Route): boolean {
  return route.gateway !== undefined || route.nextHops !== undefined;
}

function onNic(route: Route, nic: string): boolean {
  return route.nextHops ? route.nextHops.some((hop) => hop.nic === nic) : route.nic === nic;
}

function sameSubnet(one: Address, other: Address): boolean {
  const same = one.family === other.family && one.prefixLength === other.prefixLength;
  return same && samePrefix(one.local, other.local, one.prefixLength);
}

/** The text of the network that an address lies in, for the prefix lengths that the tests use (multiples of 8 and 16). */
export function network(address: string, prefixLength: number): string {
  if (address.includes(':'))
    return prefixLength === 128 ? `${address}/128` : `${address.split('::')[0]}::/${prefixLength}`;
  const kept = address.split('.').slice(0, prefixLength / 8);
  return `${[...kept, 0, 0, 0, 0].slice(0, 4).join('.')}/${prefixLength}`;
}

function prefixRoute(nic: string, { family, local, prefixLength, flags, metric }: Address): Route | null {
  if (flags & NO_PREFIX_ROUTE || (family === 4 && prefixLength === 32)) return null;
  const destination = network(local, prefixLength);
  const common = { destination, table: 254, protocol: 2, type: 1, tos: 0, nic, flags: 0 };
  if (family === 6) return { family, ...common, scope: 0, metric: metric ?? 256 };
  return { family, ...common, scope: 253, preferredSource: local, ...(metric === undefined ? {} : { metric }) };
}

function linkLocal(ifindex: number): Address {
  return { family: 6, local: `fe80::${ifindex}`, prefixLength: 64, scope: 253, flags: PERMANENT };
}
