/**
 * Floating addresses in the kernel: where each should lie, where it lies or is about to, and the steps between.
 *
 *   wanted place ─┐
 *   posted ───────┼──difference──▶ change-host ──▶ posted, until the NIC was looked at after the answer
 *   host ─────────┘
 *
 * What was posted counts as done for the next difference, since the hands work in order; and as not undone for the
 * question whether the kernel may have the address (MEMBERSHIP N5).
 */
import type { Step } from '../action.js';
import type { Address, Ms, SwitchFailure } from '../input.js';
import { clear, journal, raise } from './account.js';
import { enslavement } from './choice.js';
import type { Posted } from './floating-state.js';
import {
  addressesOf,
  type FloatingAddress,
  floatingAddresses,
  floatingOf,
  isDead,
  placeKey,
  raisedFloating,
} from './floating-address.js';
import { hasExpired, lifetimeS, mustRenew } from './lifetime.js';
import { placesOf } from './macvlan.js';
import { drop, type Turn } from './state.js';
import { isHeldOff, tampered } from './tampering.js';
import { placeOf } from './trial.js';

const RETRY_FIRST: Ms = 50;
const RETRY_LONGEST: Ms = 10_000;
/** A look that was promised and does not come is asked for. */
const LOOK_LATE: Ms = 1000;

export interface Place {
  nic: string;
  address: Address;
}

/** NIC of this node on which the net's floating addresses belong: during a switch the one that it goes to. */
export function nicFor({ world, state }: Turn, net: string): string | null {
  const known = state.nets[net];
  if (known === undefined) return null;
  const nic = known.change?.kind === 'switch' ? known.change.to : known.carrier;
  const seen = world.host[nic];
  return seen !== undefined && enslavement(seen) === null ? nic : null;
}

/** Address → where it lies once all that was posted is done. */
function places({ world, state }: Turn): Map<string, Place[]> {
  const found = new Map<string, Place[]>();
  const put = (place: Place): void => {
    const known = found.get(place.address.local);
    if (known) known.push(place);
    else found.set(place.address.local, [place]);
  };
  const { posted } = state.floating;
  for (const nic of placesOf(world)) {
    for (const address of world.host[nic]?.addresses ?? []) {
      if (floatingOf(world.cluster, address.local) && !(placeKey(nic, address) in posted)) put({ nic, address });
    }
  }
  for (const { nic, address, does } of Object.values(posted)) if (does === 'add') put({ nic, address });
  return found;
}

/** Puts each address of `served` packages where it belongs, and takes all others off, but for those in `spared`. */
export function placeAddresses(turn: Turn, served: ReadonlySet<string>, spared: ReadonlySet<string>): void {
  const there = places(turn);
  const adds: Step[] = [];
  const first: Step[] = [];
  const deletes: Step[] = [];
  for (const floating of floatingAddresses(turn.world.cluster)) {
    if (spared.has(floating.package)) continue;
    const found = there.get(floating.prefix.address) ?? [];
    const isServed = served.has(floating.package);
    const nic = isServed ? placeOf(turn, floating) : null;
    const home = isServed ? placeOf(turn, floating, true) : null;
    const kept = found.find((place) => home !== null && isAt(place, home, floating));
    for (const place of found) {
      if (place === kept && !isDead(place.address)) continue;
      if (!takeOff(turn, floating, place)) continue;
      (place === kept ? first : deletes).push({ do: 'delete-address', nic: place.nic, address: place.address });
    }
    if (nic === null) continue;
    const step = kept && !isDead(kept.address) ? renewal(turn, floating, kept) : addition(turn, floating, nic);
    if (step !== null) adds.push(step);
  }
  post(turn, [...first, ...raised(turn, adds), ...adds, ...deletes]);
}

/** Macvlans are down until they are needed. */
function raised({ world }: Turn, coming: readonly Step[]): Step[] {
  const names = new Set(coming.flatMap((step) => (step.do === 'add-address' ? step.nic : [])));
  return [...names]
    .filter((nic) => world.host[nic]?.below !== undefined && !world.host[nic].admin)
    .map((nic) => ({ do: 'set-link', nic, up: true }));
}

function isAt({ nic, address }: Place, wanted: string, { prefix }: FloatingAddress): boolean {
  if (nic !== wanted || address.local !== prefix.address) return false;
  return address.family === 6 || address.prefixLength === prefix.prefixLength;
}

/** False: not now. */
function takeOff(turn: Turn, floating: FloatingAddress, { nic, address }: Place): boolean {
  const { state, now } = turn;
  const key = placeKey(nic, address);
  const refusal = state.floating.refusals[key];
  if (refusal !== undefined) return now >= refusal.until;
  if (key in state.floating.until || key in state.floating.posted) return true;
  if (isHeldOff(turn, floating)) return false;
  tampered(turn, floating, nic, 'put-by-other');
  return true;
}

function addition(turn: Turn, floating: FloatingAddress, nic: string): Step | null {
  const { state, now } = turn;
  const validS = lifetimeS(turn);
  if (validS <= 0) return null;
  const address = raisedFloating(floating, validS);
  const key = placeKey(nic, address);
  if ((state.floating.refusals[key]?.until ?? 0) > now) return null;
  const until = state.floating.until[key];
  // It was there by our doing, and neither we nor the kernel took it off.
  if (until !== undefined && !hasExpired(until, now)) {
    if (isHeldOff(turn, floating)) return null;
    tampered(turn, floating, nic, 'removed-by-other');
  }
  delete state.floating.until[key];
  return { do: 'add-address', nic, address };
}

function renewal(turn: Turn, floating: FloatingAddress, { nic, address }: Place): Step | null {
  const key = placeKey(nic, address);
  const { refusals, posted } = turn.state.floating;
  // What is under way is judged when it is done.
  if (posted[key]?.outcome === null || (refusals[key]?.until ?? 0) > turn.now) return null;
  if (!mustRenew(turn, key, nic, address)) return null;
  const renewed = raisedFloating(floating, lifetimeS(turn));
  // IPv6 tells addresses apart without their prefix length: it keeps the one that it has.
  return { do: 'add-address', nic, address: { ...renewed, prefixLength: address.prefixLength }, renew: true };
}

function post(turn: Turn, steps: Step[]): void {
  if (steps.length === 0) return;
  const { state, now, out } = turn;
  const { floating } = state;
  const id = state.nextId++;
  floating.changes.push(id);
  steps.forEach((step, i) => {
    if (step.do !== 'add-address' && step.do !== 'delete-address') return;
    const { nic, address } = step;
    const key = placeKey(nic, address);
    const does = step.do === 'add-address' ? 'add' : 'delete';
    const renew = step.do === 'add-address' && step.renew === true;
    floating.posted[key] = { change: id, step: i, nic, address, does, renew, outcome: null, at: now };
    if (does === 'delete') delete floating.until[key];
  });
  const switches = Object.values(state.nets).map(({ change }) => change?.id);
  const first = steps.every((step) => isOffDeadMacvlan(turn, step))
    ? out.findIndex((known) => known.kind === 'change-host' && switches.includes(known.id))
    : -1;
  out.splice(first < 0 ? out.length : first, 0, { kind: 'change-host', id, steps });
}

/** It reaches nobody there, and its MAC is tried elsewhere only after this: it comes before the steps of the switch. */
function isOffDeadMacvlan({ world, verdict }: Turn, step: Step): boolean {
  const below = step.do === 'delete-address' ? world.host[step.nic]?.below : undefined;
  return below !== undefined && verdict(below).reason === 'carrier';
}

/** `host-changed`. Null: that id is none of these; else what lies where it belongs by it. */
export function placed(turn: Turn, id: number, failed: SwitchFailure | undefined): Place[] | null {
  const { state, now } = turn;
  const { floating } = state;
  if (!floating.changes.includes(id)) return null;
  floating.changes = floating.changes.filter((x) => x !== id);
  const added: Place[] = [];
  for (const [key, posted] of Object.entries(floating.posted)) {
    if (posted.change !== id) continue;
    const isDone = failed === undefined || posted.step < failed.step;
    if (isDone && posted.does === 'add') {
      floating.until[key] = posted.at + (posted.address.validS ?? 0) * 1000;
      if (!posted.renew) added.push(posted);
    } else if (!isDone && posted.does === 'delete') floating.until[key] = posted.at;
    posted.outcome = isDone ? 'done' : 'failed';
    posted.at = now;
    if (isDone) delete floating.refusals[key];
  }
  if (failed === undefined) clear(turn, 'floating refused');
  else refuse(turn, id, failed);
  return added;
}

/** The refused step is tried again by itself, later each time, and those behind it at once. */
function refuse(turn: Turn, id: number, failed: SwitchFailure): void {
  const { state, now, world } = turn;
  const left = Object.entries(state.floating.posted).filter(([, x]) => x.change === id && x.outcome === 'failed');
  const guilty = left.filter(([, { step }]) => step === failed.step);
  for (const [key, { nic, address, does }] of guilty.length > 0 ? guilty : left) {
    const times = (state.floating.refusals[key]?.times ?? 0) + 1;
    state.floating.refusals[key] = { times, until: now + Math.min(RETRY_FIRST * 2 ** (times - 1), RETRY_LONGEST) };
    const owner = floatingOf(world.cluster, address.local)?.package ?? '';
    const evidence = { does, text: failed.text, times };
    journal(turn, {
      event: 'switch-failed',
      nic,
      address: address.local,
      package: owner,
      cause: failed.code,
      evidence,
    });
    const text = `${does} ${address.local} on ${nic}: ${failed.code} ${failed.text}`.trim();
    raise(turn, 'floating refused', 'switch-failed', text);
  }
}

/** These NICs were looked at: what was answered before is seen now. */
export function placesSeen({ state }: Turn, nics: readonly string[]): void {
  const { posted } = state.floating;
  const seen = new Set(nics);
  for (const [key, { nic, outcome }] of Object.entries(posted)) {
    if (outcome !== null && seen.has(nic)) delete posted[key];
  }
}

export function watchPlaces({ state, now, out }: Turn): void {
  const late = new Set<string>();
  for (const posted of Object.values(state.floating.posted)) {
    if (posted.outcome === null || now - posted.at < LOOK_LATE) continue;
    posted.at = now;
    late.add(posted.nic);
  }
  if (late.size === 0) return;
  out.push({ kind: 'observe', nics: [...late] });
  drop(state, 'look-late');
}

/**
 * Has the kernel one of them, or may it have? A deletion that it acknowledged is as good as a look (N5): all looks until the
 * next one of that NIC are older. Whoever puts the address back after that is found as at any other time, and meets a gate
 * that does not know it.
 */
export function mayBeThere({ world, state }: Turn, name: string): boolean {
  const mine = new Set(addressesOf(world.cluster, name).map(({ prefix }) => prefix.address));
  const { posted } = state.floating;
  const isGone = (known: Posted | undefined): boolean => known?.does === 'delete' && known.outcome === 'done';
  if (Object.values(posted).some((known) => mine.has(known.address.local) && !isGone(known))) return true;
  return placesOf(world).some((nic) =>
    world.host[nic]?.addresses.some((address) => mine.has(address.local) && !isGone(posted[placeKey(nic, address)])),
  );
}

/** Is the address on that NIC, by the newest truth there is? Until a NIC was looked at again that is the outcome of the change. */
export function isThere({ world, state }: Turn, nic: string, floating: FloatingAddress): boolean {
  const { address, prefixLength, family } = floating.prefix;
  const key = placeKey(nic, { family, local: address, prefixLength, scope: 0, flags: 0 });
  const posted = state.floating.posted[key];
  if (posted !== undefined) {
    return posted.does === 'add' && (posted.outcome === 'done' || posted.renew);
  }
  return world.host[nic]?.addresses.some((x) => placeKey(nic, x) === key && !isDead(x)) ?? false;
}

/** When time alone matters; Infinity: never. */
export function placesDeadline({ state, now }: Turn): Ms {
  const { refusals, posted } = state.floating;
  let at = Infinity;
  for (const { until } of Object.values(refusals)) if (until > now) at = Math.min(at, until);
  for (const each of Object.values(posted)) if (each.outcome !== null) at = Math.min(at, each.at + LOOK_LATE);
  return at;
}
