/**
 * Macvlans: a floating address with a MAC of its own lies on one, on the NIC that carries its net. They are made at start,
 * set down, on every NIC that may ever need one: down they are not on the wire, and a takeover only sets one up.
 *
 *   missing ──add-macvlan, settings──▶ down ──set-link up, add-address──▶ up ──delete-address, set-link down──▶ down
 *
 * Mode `bridge`: macvlans of containers on the same NIC reach the address; `private` and `vepa` keep them from it, and
 * `passthru` takes the whole NIC. Answers leave by the routes of the net, under the NIC's own MAC: that needs no second
 * table of routes, and uses the neighbours that the NIC knows already. The net learns the MAC from ARP, neighbour
 * discovery and announcements, which leave under it.
 */
import type { Step } from '../action.js';
import type { Cluster, ClusterNode } from '../config/cluster.js';
import { isMacvlanName, macvlanAlias, macvlanName } from '../frame/macvlan.js';
import type { Ms, NicObservation } from '../input.js';
import { nicNames } from '../health/place.js';
import { clear, journal, raise } from './account.js';
import { floatingAddresses, floatingOf, placeKey } from './floating-address.js';
import type { Posted } from './floating-state.js';
import { nicsOf, type Turn } from './state.js';

const RETRY_FIRST: Ms = 100;
const RETRY_LONGEST: Ms = 60_000;

/** One that this node may need. */
export interface Macvlan {
  name: string;
  nic: string;
  mac: string;
  /** Does any of its addresses want IPv6? */
  v6: boolean;
}

/** What is known of one, beside what is seen. */
export interface MacvlanState {
  /** `change-host` under way. */
  change: number | null;
  /** It was made and set, and not looked at since. */
  fresh: boolean;
  /** Ifindex under which its settings were made; 0: never. */
  settled: number;
  refusals: number;
  retryAt: Ms;
}

const knownByNode = new WeakMap<ClusterNode, Macvlan[]>();

/** All that this node may ever need. Reckoned from the file alone, so it is no state. */
export function macvlansOf(cluster: Cluster, self: ClusterNode): readonly Macvlan[] {
  let known = knownByNode.get(self);
  if (known === undefined) {
    const mine = new Set(cluster.packages.filter(({ nodes }) => nodes.includes(self.name)).map(({ name }) => name));
    const byName = new Map<string, Macvlan>();
    for (const { package: owner, net, prefix, mac } of floatingAddresses(cluster)) {
      if (mac === undefined || !mine.has(owner)) continue;
      for (const nic of self.nets.filter((own) => own.net === net).flatMap(nicsOf)) {
        const name = macvlanName(nic, mac);
        byName.set(name, { name, nic, mac, v6: prefix.family === 6 || (byName.get(name)?.v6 ?? false) });
      }
    }
    known = [...byName.values()];
    knownByNode.set(self, known);
  }
  return known;
}

/** NICs of the cluster file on this node, and the macvlans on them: all that floating addresses may lie on. */
export function placesOf({ cluster, self }: Turn['world']): string[] {
  return [...nicNames(self), ...macvlansOf(cluster, self).map(({ name }) => name)];
}

/** Is it there as it should be, made by this run or known to it? */
export function isPrepared({ world, state }: Turn, name: string): boolean {
  const seen = world.host[name];
  return seen !== undefined && state.floating.macvlans[name]?.settled === seen.ifindex;
}

/** Does it carry a floating address, or is it about to? */
export function isInUse({ world, state }: Turn, name: string): boolean {
  const { posted } = state.floating;
  // A deletion that the kernel acknowledged is as good as a look.
  const isGone = (known: Posted | undefined): boolean => known?.does === 'delete' && known.outcome === 'done';
  if (Object.values(posted).some((known) => known.nic === name && !isGone(known))) return true;
  const there = world.host[name]?.addresses.filter(({ local }) => floatingOf(world.cluster, local)) ?? [];
  return there.some((address) => !isGone(posted[placeKey(name, address)]));
}

/**
 * No NIC of this node but the one of `name` sends under that MAC: none has an address to speak from. One without carrier
 * counts too: that may be back at any moment, before the poll sees it.
 */
export function isSilentElsewhere(turn: Turn, mac: string, name: string): boolean {
  const { cluster, self } = turn.world;
  const others = macvlansOf(cluster, self).filter((one) => one.mac === mac && one.name !== name);
  return !others.some((one) => isInUse(turn, one.name));
}

/** Makes those that are missing, and sets down those that nobody needs. `wanted`: on which floating addresses belong now. */
export function tendMacvlans(turn: Turn, wanted: ReadonlySet<string>): void {
  const { world, state, now } = turn;
  for (const one of macvlansOf(world.cluster, world.self)) {
    const below = world.host[one.nic];
    if (below === undefined) continue;
    const known = (state.floating.macvlans[one.name] ??= unknown());
    const seen = world.host[one.name];
    if (known.change !== null || now < known.retryAt) continue;
    if (seen !== undefined && known.fresh) {
      known.fresh = false;
      known.settled = seen.ifindex;
    }
    if (state.stopping === null && (seen === undefined ? !known.fresh : known.settled !== seen.ifindex))
      order(turn, one, preparation(one, below, seen));
    else if (seen?.admin === true && !wanted.has(one.name) && !isInUse(turn, one.name))
      order(turn, one, [{ do: 'set-link', nic: one.name, up: false }]);
  }
}

function unknown(): MacvlanState {
  return { change: null, fresh: false, settled: 0, refusals: 0, retryAt: 0 };
}

function order({ state, out }: Turn, { name }: Macvlan, steps: Step[]): void {
  const id = state.nextId++;
  const known = state.floating.macvlans[name];
  if (known) known.change = id;
  out.push({ kind: 'change-host', id, steps });
}

function preparation({ name, nic, mac, v6 }: Macvlan, below: NicObservation, seen: NicObservation | undefined): Step[] {
  const steps: Step[] = [];
  if (seen !== undefined && (seen.mac !== mac || seen.below !== nic)) steps.push({ do: 'delete-macvlan', nic: name });
  steps.push({ do: 'add-macvlan', nic: name, below: nic, mac, alias: macvlanAlias(nic, mac) });
  const hasV6 = below.settings['ipv6/conf/{nic}/disable_ipv6'] !== undefined;
  for (const [setting, value] of [...SETTINGS_V4, ...(hasV6 ? settingsV6(v6) : [])])
    steps.push({ do: 'set-sysctl', nic: name, name: setting.replace('{nic}', name), value });
  return steps;
}

/** Without `arp_ignore` it answers for every address of the host; `rp_filter` 2 beats `all` = 1, which 0 does not. */
const SETTINGS_V4: readonly [string, string][] = [
  ['ipv4/conf/{nic}/arp_ignore', '1'],
  ['ipv4/conf/{nic}/arp_announce', '2'],
  ['ipv4/conf/{nic}/rp_filter', '2'],
];

/**
 * No address by itself, neither link-local nor autoconfigured, so that nothing speaks under the MAC but what answers for
 * floating addresses. Without an IPv6 address to carry, no IPv6 at all. MLDv1 says once that a group is left (RFC 2710
 * section 4), MLDv2 again up to a second later (RFC 3810 section 6.1), when another node may speak under the MAC.
 */
function settingsV6(wanted: boolean): [string, string][] {
  return [
    ['ipv6/conf/{nic}/disable_ipv6', wanted ? '0' : '1'],
    ['ipv6/conf/{nic}/addr_gen_mode', '1'],
    ['ipv6/conf/{nic}/accept_ra', '0'],
    ['ipv6/conf/{nic}/autoconf', '0'],
    ['ipv6/conf/{nic}/accept_dad', '0'],
    ['ipv6/conf/{nic}/keep_addr_on_down', '0'],
    ['ipv6/conf/{nic}/force_mld_version', '1'],
  ];
}

/** `host-changed`. False: that id is none of these. */
export function macvlanChanged(turn: Turn, id: number, failure: string | null): boolean {
  const { state, now } = turn;
  const found = Object.entries(state.floating.macvlans).find(([, { change }]) => change === id);
  if (found === undefined) return false;
  const [name, known] = found;
  known.change = null;
  if (name === '') {
    // Told once: what bears no mark of ours stays.
    delete state.floating.macvlans[name];
    if (failure !== null) journal(turn, { event: 'mended', cause: 'refused', evidence: { failure } });
    return true;
  }
  if (failure === null) {
    // Setting one down settles nothing; what is settled stays so.
    known.fresh = known.settled === 0 || turn.world.host[name]?.ifindex !== known.settled;
    known.refusals = 0;
    known.retryAt = 0;
    clear(turn, `macvlan ${name}`);
    return true;
  }
  known.retryAt = now + Math.min(RETRY_FIRST * 2 ** known.refusals, RETRY_LONGEST);
  known.refusals++;
  state.floating.lookAt = Math.min(state.floating.lookAt ?? Infinity, known.retryAt);
  journal(turn, { event: 'switch-failed', nic: name, cause: 'macvlan', evidence: { failure, times: known.refusals } });
  raise(turn, `macvlan ${name}`, 'switch-failed', `the macvlan ${name}: ${failure}`);
  return true;
}

/** It is gone, or its NIC is. */
export function forgetMacvlan({ state }: Turn, name: string): void {
  const known = state.floating.macvlans[name];
  if (known && known.change === null) delete state.floating.macvlans[name];
}

/** Those that an earlier run left and that this cluster file does not know. */
export function clearMacvlans(turn: Turn): void {
  const steps = superfluous(turn, false);
  if (steps.length === 0) return;
  const id = turn.state.nextId++;
  const { state, out } = turn;
  state.floating.macvlans[''] = { ...unknown(), change: id };
  journal(turn, { event: 'mended', cause: 'left-by-earlier-run', evidence: { macvlans: steps.map(({ nic }) => nic) } });
  out.push({ kind: 'change-host', id, steps });
}

/** Macvlans of baton's on NICs of this node that no address of the file needs, and with `all` the others too. */
export function superfluous({ world }: Turn, all: boolean): (Step & { do: 'delete-macvlan' })[] {
  const needed = new Set(all ? [] : macvlansOf(world.cluster, world.self).map(({ name }) => name));
  const there = nicNames(world.self).flatMap((nic) => world.host[nic]?.children ?? []);
  return [...new Set(there)]
    .filter((name) => isMacvlanName(name) && !needed.has(name))
    .map((nic) => ({ do: 'delete-macvlan', nic }));
}

export function macvlansDeadline({ state, now }: Turn): Ms {
  let at = Infinity;
  for (const { retryAt } of Object.values(state.floating.macvlans)) if (retryAt > now) at = Math.min(at, retryAt);
  return at;
}

/** The MAC under which the address is to be known while it lies on `place`; null: that place is not there. */
export function macAt({ world }: Turn, place: string | null): string | null {
  return place === null ? null : (world.host[place]?.mac ?? null);
}
