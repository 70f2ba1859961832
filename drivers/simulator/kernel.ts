/** What a simulated kernel says to each change that the hands ask for: done, or the errno of the real one. */
import type { Step } from '../../src/action.js';
import type { Address } from '../../src/input.js';
import { addAddress, deleteAddress, renewAddress, setDown, setUp } from './addresses.js';
import type { Host } from './host.js';
import { Macvlan } from './macvlan.js';
import type { Nic } from './nic.js';
import type { Errno } from './routes.js';

export function applyStep(host: Host, step: Step): Errno | null {
  switch (step.do) {
    case 'replace-route':
      return host.routes.put(step.route, 'replace');
    case 'append-route':
      return host.routes.put(step.route, 'append');
    case 'delete-route':
      return host.routes.delete(step.route);
    case 'add-macvlan':
      return addMacvlan(host, step);
    case 'set-sysctl':
      if (!host.nics.has(step.nic) || !host.sysctls.write(step.name, step.value)) return 'ENOENT';
      host.touched(step.nic);
      return null;
    default:
      return applyToNic(host, step);
  }
}

type NicStep = Exclude<Step, { do: 'replace-route' | 'append-route' | 'delete-route' | 'add-macvlan' | 'set-sysctl' }>;

function applyToNic(host: Host, step: NicStep): Errno | null {
  const nic = host.nics.get(step.nic) ?? (step.do === 'delete-address' ? renamed(host, step.nic) : undefined);
  if (!nic) return 'ENODEV';
  switch (step.do) {
    case 'add-address':
      return step.renew
        ? renewAddress(host, nic, fitted(host, nic.name, step.address))
        : addAddress(host, nic, fitted(host, nic.name, step.address));
    case 'delete-address':
      return deleteAddress(host, nic, step.address);
    case 'set-neighbour':
      host.neighbours.set(nic.name, step.neighbour.address, step.neighbour.mac, step.neighbour.state);
      return null;
    case 'delete-neighbour':
      return host.neighbours.delete(nic.name, step.neighbour.address) ? null : 'ENOENT';
    case 'flush-neighbours':
      host.neighbours.flush(nic.name, true);
      return null;
    case 'join-group':
      nic.groups.daemon.add(step.group);
      host.touched(nic.name);
      return null;
    case 'delete-macvlan':
      if (!(nic instanceof Macvlan)) return 'EPERM';
      host.unplug(nic.name);
      return null;
    case 'set-mac':
      nic.mac = step.mac;
      // NETDEV_CHANGEADDR: permanent entries go as well.
      host.neighbours.flush(nic.name, false);
      host.touched(nic.name);
      return null;
    case 'set-link':
      return setLink(host, nic, step.up);
    case 'leave-group':
      nic.groups.daemon.delete(step.group);
      host.touched(nic.name);
      return null;
  }
}

function addMacvlan(host: Host, { nic, below, mac, alias }: Extract<Step, { do: 'add-macvlan' }>): Errno | null {
  const under = host.nics.get(below);
  const there = host.nics.get(nic);
  if (!under) return 'ENODEV';
  if (there) return there instanceof Macvlan && there.below === under && there.mac === mac ? null : 'EEXIST';
  host.addMacvlan(nic, mac, under, alias);
  return null;
}

/** macvlan_open: nothing is up above what is down. */
function setLink(host: Host, nic: Nic, up: boolean): Errno | null {
  if (up === nic.admin) return null;
  if (up && nic instanceof Macvlan && !nic.below.admin) return 'ENETDOWN';
  if (up) setUp(host, nic);
  else setDown(host, nic);
  return null;
}

/** The hands know a NIC by its ifindex, whatever it is called now. */
function renamed(host: Host, former: string): Nic | undefined {
  return [...host.nics.values()].find((nic) => nic.formerName === former);
}

/** Flags that a user may ask for (linux/if_addr.h), as the hands of a real kernel pass them on; a label follows the NIC's name. */
const USER_FLAGS = 0x02 | 0x04 | 0x10 | 0x100 | 0x200 | 0x400;

function fitted(host: Host, nic: string, address: Address): Address {
  const fit = { ...address, flags: address.flags & USER_FLAGS };
  const [owner = '', ...rest] = (address.label ?? '').split(':');
  return owner === nic || !host.nics.has(owner) ? fit : { ...fit, label: [nic, ...rest].join(':') };
}

/** Is the world as the step wants it although the kernel refused? Then a repeated step is a done one. */
export function wasDone(step: Step, code: Errno): boolean {
  switch (step.do) {
    case 'add-address':
    case 'append-route':
    case 'join-group':
      return code === 'EEXIST';
    case 'delete-address':
    case 'delete-route':
    case 'delete-neighbour':
    case 'delete-macvlan':
    case 'leave-group':
      return code === 'EADDRNOTAVAIL' || code === 'ESRCH' || code === 'ENOENT' || code === 'ENODEV';
    case 'replace-route':
      return code === 'EEXIST';
    case 'set-link':
      return !step.up && code === 'ENODEV';
    case 'add-macvlan':
    case 'set-mac':
    case 'set-neighbour':
    case 'flush-neighbours':
    case 'set-sysctl':
      return false;
  }
}

/** strerror(3). */
export const ERROR_TEXT: Record<Errno, string> = {
  EEXIST: 'File exists',
  ENOENT: 'No such file or directory',
  ESRCH: 'No such process',
  ENODEV: 'No such device',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Nexthop has invalid gateway',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  EADDRNOTAVAIL: 'Cannot assign requested address',
};

/** NICs whose state the step may change. */
export function nicsOf(step: Step): string[] {
  return 'route' in step ? (step.route.nextHops ?? [step.route]).map((leg) => leg.nic) : [step.nic];
}
