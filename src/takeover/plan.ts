/**
 * From what should be to the steps that make it so: the portfolio of a net on one NIC, and on no other NIC of that net.
 * What is already right costs no step, so the same function serves the switch, the switch back, a plan that a crash cut
 * short, a start with a dead primary, and mending.
 *
 * Make before break (DESIGN 5): neighbour entries, addresses, groups and routes come to the target first, then the
 * other NICs lose theirs. Undo steps stand beside their steps, one each.
 */
import type { Step } from '../action.js';
import { samePrefix } from '../frame/ip.js';
import type { Address, NicObservation } from '../input.js';
import { ADDRESS_PROTOCOL, type Ledger } from './ledger.js';
import {
  addressKey,
  addressOnNic,
  DAD_FAILED,
  NO_PREFIX_ROUTE,
  NODAD,
  neighbourKey,
  NUD_PERMANENT,
  type Portfolio,
} from './portfolio.js';
import { moveRoutes4, moveRoutes6 } from './plan-routes.js';

export interface PlanInput {
  /** With lifetimes as of now. */
  portfolio: Portfolio;
  /** The primary, in whose terms the portfolio is written. */
  home: string;
  target: NicObservation;
  /** The other NICs of the net on this node, as far as they exist. */
  others: readonly NicObservation[];
  /** NICs of the net that are gone, perhaps only by that name: what they may still have is deleted where the hands find them. */
  gone: readonly string[];
  /** All other NICs seen, of whatever net: their routes must not be hit. */
  beside: readonly NicObservation[];
  ledger: Ledger;
}

export class Plan {
  readonly steps: Step[] = [];
  readonly undo: Step[] = [];

  push(step: Step, undo: Step): void {
    this.steps.push(step);
    this.undo.push(undo);
  }
}

export function planMove(input: PlanInput): Plan {
  const plan = new Plan();
  copyNeighbours(plan, input);
  addAddresses(plan, input);
  joinGroups(plan, input);
  const take4 = moveRoutes4(plan, input);
  const take6 = moveRoutes6(plan, input);
  take4();
  take6();
  takeAddresses(plan, input);
  takeFromGone(plan, input);
  takeNeighbours(plan, input);
  leaveGroups(plan, input);
  renewAtHome(plan, input);
  return plan;
}

function copyNeighbours(plan: Plan, { portfolio, target }: PlanInput): void {
  for (const neighbour of portfolio.neighbours) {
    const known = target.neighbours.find((x) => neighbourKey(x) === neighbourKey(neighbour));
    const fits = known?.mac === neighbour.mac && (known.state & NUD_PERMANENT) === (neighbour.state & NUD_PERMANENT);
    if (fits) continue;
    const { nic } = target;
    plan.push(
      { do: 'set-neighbour', nic, neighbour },
      known ? { do: 'set-neighbour', nic, neighbour: known } : { do: 'delete-neighbour', nic, neighbour },
    );
  }
}

/** As the target should have it. IPv6 addresses come without duplicate-address detection, which would be dark for a second or two. */
function wantedAddress(address: Address, { home, target }: PlanInput): Address {
  const wanted = addressOnNic(address, home, target.nic);
  if (address.family === 6) wanted.flags |= NODAD;
  if (target.nic !== home) wanted.protocol = ADDRESS_PROTOCOL;
  return wanted;
}

/** The kernel lists IPv4 addresses oldest first, secondaries behind primaries, and IPv6 ones newest first. */
function inOrderOfBirth(addresses: readonly Address[]): Address[] {
  return [...addresses.filter((x) => x.family === 4), ...addresses.filter((x) => x.family === 6).reverse()];
}

function addAddresses(plan: Plan, input: PlanInput): void {
  const { nic } = input.target;
  for (const address of inOrderOfBirth(input.portfolio.addresses)) {
    const wanted = wantedAddress(address, input);
    const found = input.target.addresses.find((x) => addressKey(x) === addressKey(wanted));
    const dead = found !== undefined && found.family === 6 && (found.flags & DAD_FAILED) !== 0;
    if (found && !dead) continue;
    if (dead) plan.push({ do: 'delete-address', nic, address: found }, { do: 'add-address', nic, address: found });
    plan.push({ do: 'add-address', nic, address: wanted }, { do: 'delete-address', nic, address: wanted });
  }
}

function joinGroups(plan: Plan, { portfolio, target }: PlanInput): void {
  const { nic } = target;
  for (const group of portfolio.groups) {
    if (target.groups.includes(group)) continue;
    plan.push({ do: 'join-group', nic, group }, { do: 'leave-group', nic, group });
  }
}

/** Last first: an IPv4 primary address takes its secondaries along, so they must be gone before it. */
function takeAddresses(plan: Plan, { portfolio, others }: PlanInput): void {
  const moved = new Set(portfolio.addresses.map(addressKey));
  for (const { nic, addresses } of others) {
    const going = inOrderOfBirth(addresses.filter((x) => moved.has(addressKey(x)))).reverse();
    for (const address of bareFirst(going)) {
      const back: Address = address.family === 6 ? { ...address, flags: address.flags | NODAD } : address;
      plan.push({ do: 'delete-address', nic, address }, { do: 'add-address', nic, address: back });
    }
    // A question that the NIC still asks under an address it had tells the whole net the wrong MAC, once a second.
    if (going.length > 0) plan.push({ do: 'flush-neighbours', nic }, { do: 'flush-neighbours', nic });
  }
}

/** A renamed NIC would answer for the addresses under its new name. Of a card that is out these steps find nothing. */
function takeFromGone(plan: Plan, { portfolio, home, gone }: PlanInput): void {
  for (const nic of gone) {
    for (const each of inOrderOfBirth(portfolio.addresses).reverse()) {
      const step: Step = { do: 'delete-address', nic, address: addressOnNic(each, home, nic) };
      plan.push(step, step);
    }
  }
}

/** In one IPv6 prefix those without a prefix route go first: the kernel leaves the route of the last other one to them. */
function bareFirst(going: Address[]): Address[] {
  const isBare = (x: Address): boolean => x.family === 6 && (x.flags & NO_PREFIX_ROUTE) !== 0;
  const prefixed = going.filter((x) => x.family === 6 && !isBare(x));
  const isMixed = (x: Address): boolean =>
    isBare(x) &&
    prefixed.some((y) => x.prefixLength === y.prefixLength && samePrefix(x.local, y.local, x.prefixLength));
  return [...going.filter(isMixed), ...going.filter((x) => !isMixed(x))];
}

/** Permanent entries move; copies that baton made on another NIC of the net go. */
function takeNeighbours(plan: Plan, { portfolio, others, ledger }: PlanInput): void {
  const permanent = new Set(portfolio.neighbours.filter((x) => x.state & NUD_PERMANENT).map(neighbourKey));
  for (const { nic, neighbours } of others) {
    const copied = new Set(ledger.neighbours.filter((x) => x.nic === nic).map((x) => neighbourKey(x.neighbour)));
    for (const neighbour of neighbours) {
      const key = neighbourKey(neighbour);
      const goes = copied.has(key) || (permanent.has(key) && (neighbour.state & NUD_PERMANENT) !== 0);
      if (goes) plan.push({ do: 'delete-neighbour', nic, neighbour }, { do: 'set-neighbour', nic, neighbour });
    }
  }
}

function leaveGroups(plan: Plan, { others, ledger }: PlanInput): void {
  for (const { nic } of others) {
    for (const { group } of ledger.groups.filter((x) => x.nic === nic)) {
      plan.push({ do: 'leave-group', nic, group }, { do: 'join-group', nic, group });
    }
  }
}

/** On the primary again, an IPv6 address gets the flags that it had: changing them later starts no detection. */
function renewAtHome(plan: Plan, input: PlanInput): void {
  const { portfolio, home, target } = input;
  if (target.nic !== home) return;
  for (const address of portfolio.addresses) {
    if (address.family === 4 || address.flags & NODAD) continue;
    const found = target.addresses.find((x) => addressKey(x) === addressKey(address));
    if (found && !(found.flags & NODAD) && !(found.flags & DAD_FAILED)) continue;
    plan.push(
      { do: 'add-address', nic: home, address, renew: true },
      { do: 'add-address', nic: home, address: wantedAddress(address, input), renew: true },
    );
  }
}
