/**
 * The portfolio follows what the administrator does on the carrier NIC, but never what a loss does to it: only while the
 * NIC carries and nothing is suspected. What is new counts at once; what is gone counts after it has stayed away for a
 * settle time, for a network manager strips a NIC that lost carrier perhaps before the loss is noticed here.
 */
import type { NodeNet, Prefix } from '../config/cluster.js';
import { isMacvlanName } from '../frame/macvlan.js';
import type { Address, Ms, NicObservation } from '../input.js';
import { journal, record } from './account.js';
import { floatingOf, withoutFloating } from './floating-address.js';
import { ADDRESS_PROTOCOL } from './ledger.js';
import {
  addressKey,
  aged,
  fateOf,
  gist,
  isSamePortfolio,
  neighbourKey,
  type Portfolio,
  readPortfolio,
  routeText,
} from './portfolio.js';
import { persist } from './run-record.js';
import { netsOfNic, type NetState, nicsOf, type Turn } from './state.js';

export const SETTLE: Ms = 1000;
/** Routes of one kind that are named; of the others, how many. */
const NAMED_MAX = 5;
const IFA_F_PERMANENT = 0x80;

/** An address of the cluster file as it is raised where it is not there. */
export function raised({ family, address, prefixLength }: Prefix): Address {
  return { family, local: address, prefixLength, scope: 0, flags: family === 6 ? 0x02 : 0, protocol: ADDRESS_PROTOCOL };
}

/** Addresses that are defended: those of the cluster file and those that baton moved. */
export function ownedKeys({ state }: Turn, own: NodeNet): Set<string> {
  const mine = nicsOf(own);
  const moved = state.ledger.addresses.filter((x) => mine.includes(x.nic)).map((x) => addressKey(x.address));
  return new Set([...own.addresses.map((prefix) => addressKey(raised(prefix))), ...moved]);
}

/** The portfolio with every address of the cluster file in it. */
export function withFile(portfolio: Portfolio, own: NodeNet): Portfolio {
  const known = new Set(portfolio.addresses.map(addressKey));
  const lacking = own.addresses.map(raised).filter((address) => !known.has(addressKey(address)));
  return lacking.length === 0 ? portfolio : { ...portfolio, addresses: [...portfolio.addresses, ...lacking] };
}

/**
 * Two nets may share a standby: what belongs to the other one's portfolio is not this one's, also while that is still on its
 * way here, or not yet seen to be gone.
 */
export function readCarrier(turn: Turn, own: NodeNet, net: NetState, seen: NicObservation): Portfolio {
  const { world, state, now } = turn;
  const read = withoutFloating(world.cluster, readPortfolio(seen, own.primary, state.seenAt[seen.nic] ?? now));
  const sharing = netsOfNic(world.self, seen.nic);
  if (sharing.length < 2) return read;
  const strangers = sharing.flatMap((other) => (other.net === net.net ? [] : (state.nets[other.net] ?? [])));
  const addresses = new Set(strangers.flatMap((x) => x.portfolio.addresses.map(addressKey)));
  const routes = new Set(
    strangers.flatMap((x) =>
      x.portfolio.routes.map((route) => `${route.destination} ${route.table} ${route.metric ?? ''}`),
    ),
  );
  return {
    ...read,
    addresses: read.addresses.filter((address) => !addresses.has(addressKey(address))),
    routes: read.routes.filter((route) => !routes.has(`${route.destination} ${route.table} ${route.metric ?? ''}`)),
  };
}

/** Takes over what is on the carrier. Call only while it carries, is up, and nothing is under way. */
export function learn(turn: Turn, own: NodeNet, net: NetState, seen: NicObservation): void {
  const { now } = turn;
  const before = aged(net.portfolio, now);
  const fresh = readCarrier(turn, own, net, seen);
  // Mostly a NIC was looked at for the sake of another one, or of a neighbour of no concern.
  if (isSamePortfolio(before, fresh)) {
    net.missingSince = {};
    net.portfolio = { ...before, at: fresh.at };
    nameUnmoved(turn, net, seen);
    return;
  }
  const owned = ownedKeys(turn, own);
  const away = net.carrier !== own.primary;
  // While an address of ours is gone, the kernel or a rival took its routes along: that is no wish of anybody's.
  const there = new Set(fresh.addresses.map(addressKey));
  const robbed = before.addresses.some((address) => owned.has(addressKey(address)) && !there.has(addressKey(address)));
  const missing: Record<string, Ms> = {};
  const keep = (kind: string, name: string, isOwned: boolean): boolean => {
    if (isOwned) return true;
    const key = `${kind} ${name}`;
    const since = robbed ? now : (net.missingSince[key] ?? now);
    if (now - since >= SETTLE) return false;
    missing[key] = since;
    return true;
  };
  const merged: Portfolio = {
    at: fresh.at,
    addresses: merge(
      before.addresses,
      fresh.addresses,
      addressKey,
      (x) => keep('address', addressKey(x), owned.has(addressKey(x))),
      away ? asKnown : undefined,
    ),
    routes: merge(before.routes, fresh.routes, routeText, (x) => keep('route', routeText(x), false)),
    neighbours: merge(before.neighbours, fresh.neighbours, neighbourKey, (x) =>
      keep('neighbour', neighbourKey(x), false),
    ),
    groups: merge(
      before.groups,
      fresh.groups,
      (x) => x,
      (x) => keep('group', x, isJoinedByUs(turn, own, x)),
    ),
  };
  net.missingSince = missing;
  const changed = gist(net.portfolio) !== gist(merged);
  net.portfolio = merged;
  nameUnmoved(turn, net, seen);
  if (changed) {
    record(turn, net.net, `portfolio as on ${seen.nic}`, 'observed', {
      addresses: merged.addresses.map((x) => x.local),
      routes: merged.routes.length,
    });
    persist(turn);
  }
}

/** On a standby an address wears baton's tag and flags: what it is at home stays known, only its lifetimes go on. */
function asKnown(before: Address, fresh: Address): Address {
  const known: Address = { ...before };
  delete known.validS;
  delete known.preferredS;
  if (fresh.validS !== undefined) known.validS = fresh.validS;
  if (fresh.preferredS !== undefined) known.preferredS = fresh.preferredS;
  return known;
}

/** A group that baton joined for receivers bound to the old NIC stays wanted though no socket shows it. */
function isJoinedByUs({ state }: Turn, own: NodeNet, group: string): boolean {
  const mine = nicsOf(own);
  return state.ledger.groups.some((x) => x.group === group && mine.includes(x.nic));
}

/** In the order seen, as long as nothing that is kept is missing; else the known order with what is new behind it. */
function merge<T>(
  before: readonly T[],
  fresh: readonly T[],
  key: (item: T) => string,
  keep: (item: T) => boolean,
  blend: (before: T, fresh: T) => T = (_, x) => x,
): T[] {
  const old = new Map(before.map((item) => [key(item), item]));
  const seen = new Map(fresh.map((item) => [key(item), item]));
  const latest = (name: string, item: T): T => {
    const known = old.get(name);
    return known === undefined ? item : blend(known, item);
  };
  const missing = before.filter((item) => !seen.has(key(item)) && keep(item));
  if (missing.length === 0) return [...seen].map(([name, item]) => latest(name, item));
  const kept = new Set(missing.map(key));
  const known = [...old].filter(([name]) => seen.has(name) || kept.has(name));
  const added = [...seen].filter(([name]) => !old.has(name));
  return [...known.map(([name, item]) => latest(name, seen.get(name) ?? item)), ...added.map(([, item]) => item)];
}

/** A routing daemon may have a whole table of routes here, another one each second: it is named again only when the kinds change. */
function nameUnmoved(turn: Turn, net: NetState, seen: NicObservation): void {
  const routes = new Map<string, string[]>();
  for (const route of seen.routes) {
    const fate = fateOf(route, seen.addresses);
    if (typeof fate !== 'object') continue;
    const known = routes.get(fate.stays);
    if (known) known.push(route.destination);
    else routes.set(fate.stays, [route.destination]);
  }
  const strange = seen.children.filter((child) => !isMacvlanName(child));
  const children = strange.map((child) => `device ${child} on top of it`);
  const text = [...routes.keys(), ...children].sort().join(', ');
  if (text === net.notMoved) return;
  net.notMoved = text;
  if (text === '') return;
  const kinds = [...routes].map(([why, destinations]) => `${some(destinations)} (${why})`);
  const what = [...kinds, ...children].sort();
  journal(turn, { event: 'not-moved', net: net.net, nic: seen.nic, cause: 'not-ours', evidence: { what } });
}

function some(destinations: readonly string[]): string {
  const shown = destinations.slice(0, NAMED_MAX).sort();
  const more = destinations.length - shown.length;
  return `route ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** An IPv4 address with a lifetime is a DHCP client's: it would be taken off the NIC on which that client does not look for it. */
export function hasLease({ world }: Turn, seen: NicObservation): Address | undefined {
  return seen.addresses.find(
    (x) =>
      x.family === 4 &&
      x.validS !== undefined &&
      (x.flags & IFA_F_PERMANENT) === 0 &&
      !floatingOf(world.cluster, x.local),
  );
}

/** When a settling removal is due; null: none. */
export function settleAt(net: NetState): Ms | null {
  const times = Object.values(net.missingSince);
  return times.length === 0 ? null : Math.min(...times) + SETTLE;
}
