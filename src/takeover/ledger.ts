/**
 * What baton itself put into the kernel, and where: only that is ever taken out again, and an address in it is defended
 * like those of the cluster file. Things on a primary that belong there are not in it, whoever put them back.
 */
import type { Step } from '../action.js';
import type { Address, Neighbour, Route } from '../input.js';
import { addressKey, neighbourKey, routeText } from './portfolio.js';
import type { SettingRecord } from './settings.js';

export interface Ledger {
  addresses: { nic: string; address: Address }[];
  routes: Route[];
  neighbours: { nic: string; neighbour: Neighbour }[];
  groups: { nic: string; group: string }[];
  settings: SettingRecord[];
}

/**
 * The tag of addresses that baton adds to a standby (IFA_PROTO). Moved routes keep the protocol that they have: a route
 * after a switch equals the one before, device aside (S7), and the ledger knows them.
 */
export const ADDRESS_PROTOCOL = 0xb7;

export function emptyLedger(): Ledger {
  return { addresses: [], routes: [], neighbours: [], groups: [], settings: [] };
}

/** The ledger after these steps. `homes` are the primaries of the nets: what goes there goes home and is not ours any more. */
export function booked(ledger: Ledger, steps: readonly Step[], homes: readonly string[]): Ledger {
  const after: Ledger = {
    addresses: [...ledger.addresses],
    routes: [...ledger.routes],
    neighbours: [...ledger.neighbours],
    groups: [...ledger.groups],
    settings: ledger.settings,
  };
  for (const step of steps) book(after, step, homes);
  return after;
}

function book(ledger: Ledger, step: Step, homes: readonly string[]): void {
  switch (step.do) {
    case 'add-address':
    case 'delete-address': {
      const { nic, address } = step;
      ledger.addresses = ledger.addresses.filter((x) => x.nic !== nic || addressKey(x.address) !== addressKey(address));
      if (step.do === 'add-address' && !homes.includes(nic)) ledger.addresses.push({ nic, address });
      return;
    }
    case 'replace-route':
    case 'append-route':
    case 'delete-route': {
      const text = routeText(step.route);
      ledger.routes = ledger.routes.filter((x) => routeText(x) !== text);
      if (step.do !== 'delete-route' && !homes.includes(step.route.nic)) ledger.routes.push(step.route);
      return;
    }
    case 'set-neighbour':
    case 'delete-neighbour': {
      const { nic, neighbour } = step;
      const key = neighbourKey(neighbour);
      ledger.neighbours = ledger.neighbours.filter((x) => x.nic !== nic || neighbourKey(x.neighbour) !== key);
      if (step.do === 'set-neighbour' && !homes.includes(nic)) ledger.neighbours.push({ nic, neighbour });
      return;
    }
    case 'join-group':
    case 'leave-group': {
      const { nic, group } = step;
      ledger.groups = ledger.groups.filter((x) => x.nic !== nic || x.group !== group);
      if (step.do === 'join-group') ledger.groups.push({ nic, group });
      return;
    }
    case 'flush-neighbours':
    case 'set-sysctl':
    case 'add-macvlan':
    case 'delete-macvlan':
    case 'set-link':
    case 'set-mac':
      return;
  }
}

/**
 * A NIC that is gone took all that was on it along. Its settings are remembered all the same, with its ifindex: it may only
 * have been renamed, and come back under its name.
 */
export function withoutNic(ledger: Ledger, nic: string): Ledger {
  return {
    ...ledger,
    addresses: ledger.addresses.filter((x) => x.nic !== nic),
    routes: ledger.routes.filter((route) => route.nic !== nic),
    neighbours: ledger.neighbours.filter((x) => x.nic !== nic),
    groups: ledger.groups.filter((x) => x.nic !== nic),
  };
}
