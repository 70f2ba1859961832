/**
 * What the kernel says of the monitored NICs, kept current. News only mark what is stale; truth comes from dumps, filtered by
 * NIC, because not everything is told: IPv4 routes that go with an address or a NIC set down vanish without a word.
 *
 *   news ──heard──▶ stale marks ──flush──▶ dumps ──▶ observations that differ from the last ones told
 */
import type { Address, NicObservation, Route } from '../../src/input.js';
import { decodeAddress, RTM_DELADDR, RTM_NEWADDR } from './netlink/address.js';
import { readU32 } from './netlink/host-order.js';
import { decodeLink, encodeLinkDump, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK, type Link } from './netlink/link.js';
import { attributeMap, asU32, type Message } from './netlink/message.js';
import { decodeNeighbour, RTM_DELNEIGH, RTM_NEWNEIGH } from './netlink/neighbour.js';
import { decodeRoute, RTM_DELROUTE, RTM_NEWROUTE } from './netlink/route.js';
import type { Session } from './netlink/session.js';
import { LinkTable } from './link-table.js';
import { readGroups } from './multicast.js';
import { NeighbourView } from './neighbour-view.js';
import { readSettings } from './sysctl.js';
import { dumpAddresses, dumpNeighbours, dumpRoutes, isTold } from './tables.js';

const RTM_NEWNETCONF = 80;
const RTM_DELNETCONF = 81;
const RTM_NEWMULTICAST = 56;
const RTM_DELMULTICAST = 57;
const NETCONFA_IFINDEX = 1;

type Table = 'addresses4' | 'addresses6' | 'routes4' | 'routes6' | 'neighbours' | 'groups' | 'settings';
const TABLES: readonly Table[] = ['addresses4', 'addresses6', 'routes4', 'routes6', 'neighbours', 'groups', 'settings'];

interface Tables {
  addresses4: Address[];
  addresses6: Address[];
  routes4: Route[];
  routes6: Route[];
}

/** One monitored NIC. */
interface Monitored extends Tables {
  nic: string;
  ifindex: number | undefined;
  groups: string[];
  settings: Record<string, string>;
  stale: Set<Table>;
  /** Something heard may have changed its observation. */
  touched: boolean;
  /** JSON of the observation last told; `missing`; empty before the first. */
  told: string;
}

export interface MirrorOptions {
  nics: readonly string[];
  peers: readonly string[];
  settings: readonly string[];
}

export interface Observation {
  nics: NicObservation[];
  missing: string[];
}

export class Mirror {
  readonly links = new LinkTable();
  readonly #session: Session;
  readonly #monitored: Map<string, Monitored>;
  readonly #byIndex = new Map<number, Monitored>();
  readonly #neighbours: NeighbourView;
  readonly #settings: readonly string[];
  #linksStale = true;
  /** Routes were looked at since their gateways were gathered. */
  #rerouted = true;
  /** Is any NIC touched? */
  #touched = true;

  constructor(session: Session, options: MirrorOptions) {
    this.#session = session;
    this.#settings = options.settings;
    this.#neighbours = new NeighbourView(options.peers);
    this.#monitored = new Map(options.nics.map((nic) => [nic, blank(nic)]));
  }

  isMonitored(nic: string): boolean {
    return this.#monitored.has(nic);
  }

  get isTouched(): boolean {
    return this.#touched;
  }

  /** Nothing known is sure any more. */
  distrust(): void {
    this.#linksStale = true;
    this.#touched = true;
    for (const monitored of this.#monitored.values()) markAll(monitored);
  }

  /** These NICs are to be looked at from scratch. */
  suspect(nics: readonly string[]): void {
    this.#linksStale = true;
    this.#touched = true;
    for (const nic of nics) markAll(this.#monitored.get(nic));
  }

  /** What no news tell, of these NICs: sysctls, and on older kernels multicast groups. */
  suspectUntold(nics: readonly string[], groups: boolean): void {
    const tables: Table[] = groups ? ['settings', 'groups'] : ['settings'];
    for (const nic of nics) this.#mark(this.#monitored.get(nic), ...tables);
  }

  get nics(): string[] {
    return [...this.#monitored.keys()];
  }

  heard(message: Message): void {
    const { type, payload } = message;
    switch (type) {
      case RTM_NEWLINK:
      case RTM_DELLINK:
        return this.#heardLink(type, decodeLink(payload));
      case RTM_NEWADDR:
      case RTM_DELADDR:
        return this.#heardAddress(type, payload);
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
        return this.#heardRoute(decodeRoute(payload, this.links));
      case RTM_NEWNEIGH:
      case RTM_DELNEIGH:
        return this.#heardNeighbour(type, payload);
      case RTM_NEWNETCONF:
      case RTM_DELNETCONF:
        return this.#mark(this.#byIndex.get(asU32(attributeMap(payload, 4).get(NETCONFA_IFINDEX)) ?? 0), 'settings');
      case RTM_NEWMULTICAST:
      case RTM_DELMULTICAST:
        if (payload.length >= 8) this.#mark(this.#byIndex.get(readU32(payload, 4)), 'groups');
    }
  }

  #mark(monitored: Monitored | undefined, ...tables: Table[]): void {
    if (monitored === undefined) return;
    for (const table of tables) monitored.stale.add(table);
    this.#touch(monitored);
  }

  #touch(monitored: Monitored | undefined): void {
    if (monitored === undefined) return;
    monitored.touched = true;
    this.#touched = true;
  }

  #heardLink(type: number, link: Link | null): void {
    if (link === null) return;
    const before = this.links.get(link.ifindex);
    if (type === RTM_DELLINK) this.links.delete(link.ifindex);
    else this.links.put(link);
    this.#touchKin(before, link);
    this.#touchLag(before, link);
    const monitored = this.#byIndex.get(link.ifindex);
    // Set down or taken to a VRF, a NIC loses routes and addresses, some without a word.
    if (monitored && (before?.admin !== link.admin || before.master !== link.master)) markAll(monitored);
    this.#settle(before?.name);
    this.#settle(link.name);
  }

  /** The link itself, those below it, if it is a master its ports, and if it is a port the bond and the VLANs on that. */
  #touchKin(before: Link | undefined, link: Link): void {
    for (const ifindex of [link.ifindex, before?.below, link.below]) this.#touch(this.#byIndex.get(ifindex ?? 0));
    if (before?.name === link.name && before.kind === link.kind) return;
    for (const monitored of this.#monitored.values())
      if (this.links.get(monitored.ifindex)?.master === link.ifindex) this.#touch(monitored);
  }

  #touchLag(...ports: (Link | undefined)[]): void {
    const masters = ports.flatMap((port) => port?.master ?? []);
    if (masters.length === 0) return;
    for (const monitored of this.#monitored.values()) {
      const link = this.links.get(monitored.ifindex);
      if (link && masters.includes(this.links.lagOf(link)?.ifindex ?? 0)) this.#touch(monitored);
    }
  }

  /** Follows which link has a monitored name: another one than before is a new NIC, of which nothing is known. */
  #settle(nic: string | undefined): void {
    const monitored = nic === undefined ? undefined : this.#monitored.get(nic);
    if (monitored === undefined) return;
    const ifindex = this.links.indexOf(monitored.nic);
    if (ifindex === monitored.ifindex) return;
    if (monitored.ifindex !== undefined && this.#byIndex.get(monitored.ifindex) === monitored)
      this.#byIndex.delete(monitored.ifindex);
    monitored.ifindex = ifindex;
    if (ifindex !== undefined) this.#byIndex.set(ifindex, monitored);
    markAll(monitored);
    this.#touched = true;
  }

  #heardAddress(type: number, payload: Buffer): void {
    const told = decodeAddress(payload);
    if (told === null) return;
    const { family, local } = told.address;
    const owner = this.#byIndex.get(told.ifindex);
    this.#mark(owner, `addresses${family}`);
    if (type !== RTM_DELADDR || family === 6) return;
    // The routes of a NIC go with its last address, and routes that prefer the address go with it, on whatever NIC they are.
    for (const each of this.#monitored.values())
      if (each === owner || each.routes4.some((route) => route.preferredSource === local)) this.#mark(each, 'routes4');
  }

  #heardNeighbour(type: number, payload: Buffer): void {
    const told = decodeNeighbour(payload);
    const monitored = told && this.#byIndex.get(told.ifindex);
    if (!monitored) return;
    if (this.#neighbours.heard(monitored.nic, told.neighbour, type === RTM_NEWNEIGH)) this.#touch(monitored);
  }

  #heardRoute(route: Route | null): void {
    if (route === null || !isTold(route)) return;
    for (const nic of new Set([route.nic, ...(route.nextHops ?? []).map((leg) => leg.nic)]))
      this.#mark(this.#monitored.get(nic), `routes${route.family}`);
  }

  /**
   * Looks at all that is stale. What differs from what was told, and the NICs of `again`, is returned; null if nothing.
   * Throws NetlinkError; the marks stay, so that the next flush tries anew.
   */
  flush(again: readonly string[] = []): Observation | null {
    if (this.#linksStale) this.#readLinks();
    const present = [...this.#monitored.values()].filter((monitored) => monitored.ifindex !== undefined);
    this.#rerouted ||= present.some(({ stale }) => stale.has('routes4') || stale.has('routes6'));
    for (const family of [4, 6] as const) {
      this.#refresh(present, `addresses${family}`, (one) => dumpAddresses(this.#session, family, one));
      this.#refresh(present, `routes${family}`, (one) => dumpRoutes(this.#session, family, one, this.links));
    }
    if (this.#rerouted) this.#wantGateways(present);
    this.#refreshNeighbours(present);
    this.#refreshFiles(present);
    this.#touched = false;
    return this.#news(new Set(again));
  }

  #readLinks(): void {
    this.links.replaceAll(this.#session.dump(RTM_GETLINK, encodeLinkDump(), decodeLink));
    for (const monitored of this.#monitored.values()) {
      this.#settle(monitored.nic);
      monitored.touched = true;
    }
    this.#linksStale = false;
  }

  /** One dump for a few NICs each, one of everything for many. */
  #refresh<T extends keyof Tables>(
    present: Monitored[],
    table: T,
    dump: (ifindex: number) => (ifindex: number) => Tables[T],
  ): void {
    const stale = present.filter((monitored) => monitored.stale.has(table));
    const whole = stale.length > DUMPS_MAX ? dump(0) : undefined;
    for (const monitored of stale) {
      const ifindex = monitored.ifindex ?? 0;
      const tables: Tables = monitored;
      tables[table] = (whole ?? dump(ifindex))(ifindex);
      monitored.stale.delete(table);
    }
  }

  #wantGateways(present: Monitored[]): void {
    const routes = present.flatMap(({ routes4, routes6 }) => [...routes4, ...routes6]);
    if (this.#neighbours.wantGatewaysOf(routes)) for (const each of present) this.#mark(each, 'neighbours');
    this.#rerouted = false;
  }

  #refreshNeighbours(present: Monitored[]): void {
    const stale = present.filter((monitored) => monitored.stale.has('neighbours'));
    const whole = stale.length > DUMPS_MAX ? dumpNeighbours(this.#session, 0) : undefined;
    for (const monitored of stale) {
      const ifindex = monitored.ifindex ?? 0;
      this.#neighbours.replace(monitored.nic, (whole ?? dumpNeighbours(this.#session, ifindex))(ifindex));
      monitored.stale.delete('neighbours');
    }
  }

  #refreshFiles(present: Monitored[]): void {
    const stale = present.filter((monitored) => monitored.stale.has('groups'));
    const groups = stale.length > 0 ? readGroups() : new Map<number, string[]>();
    for (const monitored of stale) {
      monitored.groups = groups.get(monitored.ifindex ?? 0) ?? [];
      monitored.stale.delete('groups');
    }
    for (const monitored of present)
      if (monitored.stale.delete('settings')) monitored.settings = readSettings(monitored.nic, this.#settings);
  }

  #news(again: ReadonlySet<string>): Observation | null {
    const news: Observation = { nics: [], missing: [] };
    for (const monitored of this.#monitored.values()) {
      if (!monitored.touched && !again.has(monitored.nic)) continue;
      monitored.touched = false;
      const observation = this.#observation(monitored);
      const text = observation === null ? 'missing' : JSON.stringify(observation);
      if (text === monitored.told && !again.has(monitored.nic)) continue;
      monitored.told = text;
      if (observation === null) news.missing.push(monitored.nic);
      else news.nics.push(observation);
    }
    return news.nics.length + news.missing.length > 0 ? news : null;
  }

  /** Null for a NIC that does not exist. */
  #observation(monitored: Monitored): NicObservation | null {
    const { nic, ifindex } = monitored;
    const link = this.links.get(ifindex);
    if (link === undefined) return null;
    const master = this.links.get(link.master);
    const ports = this.links.portsOf(link);
    return {
      nic,
      ifindex: link.ifindex,
      mac: link.mac,
      mtu: link.mtu,
      linkType: link.linkType,
      ...(link.kind !== undefined && { kind: link.kind }),
      ...this.#belowOf(link),
      ...(master && { master: master.name }),
      ...(master?.kind !== undefined && { masterKind: master.kind }),
      admin: link.admin,
      carrier: link.carrier,
      addresses: [...monitored.addresses4, ...monitored.addresses6],
      routes: [...monitored.routes4, ...monitored.routes6],
      neighbours: this.#neighbours.of(nic),
      groups: monitored.groups,
      settings: monitored.settings,
      ...(ports && { ports }),
      children: this.links.childrenOf(link.ifindex),
    };
  }

  #belowOf({ kind, below }: Link): { below?: string } {
    const nic = kind === 'macvlan' ? this.links.get(below)?.name : undefined;
    return nic === undefined ? {} : { below: nic };
  }
}

/** More NICs than this are cheaper dumped all at once. */
const DUMPS_MAX = 8;

function blank(nic: string): Monitored {
  const monitored: Monitored = {
    nic,
    ifindex: undefined,
    addresses4: [],
    addresses6: [],
    routes4: [],
    routes6: [],
    groups: [],
    settings: {},
    stale: new Set(),
    touched: true,
    told: '',
  };
  markAll(monitored);
  return monitored;
}

function markAll(monitored: Monitored | undefined): void {
  if (monitored === undefined) return;
  for (const table of TABLES) monitored.stale.add(table);
  monitored.touched = true;
}
