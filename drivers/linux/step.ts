/** Steps on the real kernel: each is one request, so that a daemon killed at any moment has done it or has not. */
import type { Step } from '../../src/action.js';
import { parseMac } from '../../src/frame/mac.js';
import { MACVLAN_MARK } from '../../src/frame/macvlan.js';
import type { Address } from '../../src/input.js';
import { encodeAddress, RTM_DELADDR, RTM_NEWADDR } from './netlink/address.js';
import { encodeMacChange, RTM_DELLINK, RTM_NEWLINK, type Link } from './netlink/link.js';
import { encodeAdmin, encodeAlias, encodeLinkDeletion, encodeMacvlan } from './netlink/macvlan.js';
import { NetlinkError, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './netlink/message.js';
import { encodeNeighbour, NTF_PROXY, NUD_PERMANENT, RTM_DELNEIGH, RTM_NEWNEIGH } from './netlink/neighbour.js';
import { encodeRoute, RTM_DELROUTE, RTM_NEWROUTE, type NicNames } from './netlink/route.js';
import type { Memberships } from './multicast.js';
import type { Session } from './netlink/session.js';
import { writeSetting } from './sysctl.js';
import { dumpNeighbours } from './tables.js';

/**
 * IFA_F_* that may be asked for: nodad, optimistic, home address, managed temporaries, noprefixroute, auto-join. The kernel
 * sets the others itself, and IPv4 takes what it is given without a look.
 */
const USER_FLAGS = 0x02 | 0x04 | 0x10 | 0x100 | 0x200 | 0x400;
/** IFNAMSIZ without its NUL. */
const LABEL_MAX = 15;
/** It is there already. */
const THERE = ['EEXIST'];
/** It is gone already, maybe with its NIC, or with IPv6 on it. */
const GONE = ['ENOENT', 'ESRCH', 'EADDRNOTAVAIL', 'ENODEV', 'ENXIO'];

export interface StepTools {
  session: Pick<Session, 'request' | 'dump' | 'filters'>;
  names: NicNames & { formerIndexOf?(nic: string): number | undefined };
  memberships: Pick<Memberships, 'join' | 'leave'>;
  linkOf(nic: string): Link | undefined;
  /** Is this the name of a NIC of the cluster file? Labels that begin with one are renamed. */
  isMonitored(nic: string): boolean;
}

/** Throws NetlinkError, or the ErrnoException of a file or socket. */
export function performStep(step: Step, tools: StepTools): void {
  switch (step.do) {
    case 'add-address': {
      const address = fitted(step.nic, step.address, tools);
      const flags = step.renew ? NLM_F_REPLACE : NLM_F_CREATE | NLM_F_EXCL;
      return request(tools, RTM_NEWADDR, flags, THERE, () => encodeAddress(indexOf(step.nic, tools), address));
    }
    case 'delete-address':
      // A NIC that was renamed still has what is to be deleted.
      return request(tools, RTM_DELADDR, 0, GONE, () =>
        encodeAddress(namedOrFormer(step.nic, tools), bare(step.address)),
      );
    case 'replace-route':
      return request(tools, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, THERE, () =>
        encodeRoute(step.route, tools.names),
      );
    case 'append-route':
      return request(tools, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, THERE, () =>
        encodeRoute(step.route, tools.names),
      );
    case 'delete-route':
      return request(tools, RTM_DELROUTE, 0, GONE, () => encodeRoute(step.route, tools.names));
    case 'set-neighbour':
      return request(tools, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, [], () =>
        encodeNeighbour(indexOf(step.nic, tools), step.neighbour),
      );
    case 'delete-neighbour':
      return request(tools, RTM_DELNEIGH, 0, GONE, () =>
        encodeNeighbour(indexOf(step.nic, tools), { ...step.neighbour, mac: '' }),
      );
    case 'flush-neighbours':
      return flushNeighbours(tools.names.indexOf(step.nic), tools.session);
    case 'join-group':
      return tools.memberships.join(indexOf(step.nic, tools), step.group);
    case 'leave-group': {
      const ifindex = tools.names.indexOf(step.nic);
      return ifindex === undefined ? undefined : tools.memberships.leave(ifindex, step.group);
    }
    case 'add-macvlan':
      return addMacvlan(step, tools);
    case 'delete-macvlan':
      return deleteMacvlan(step.nic, tools);
    case 'set-mac':
      return setMac(indexOf(step.nic, tools), step.mac, tools);
    case 'set-link': {
      const ifindex = step.up ? indexOf(step.nic, tools) : tools.names.indexOf(step.nic);
      if (ifindex === undefined) return;
      return request(tools, RTM_NEWLINK, 0, step.up ? [] : GONE, () => encodeAdmin(ifindex, step.up));
    }
    case 'set-sysctl':
      return writeSetting(step.name, step.value);
  }
}

/** One that is there already must be the same in all that names it. */
function addMacvlan({ nic, below, mac, alias }: Extract<Step, { do: 'add-macvlan' }>, tools: StepTools): void {
  const under = indexOf(below, tools);
  const bytes = parseMac(mac);
  if (bytes === null) throw new NetlinkError('EINVAL', `${mac} is not a MAC address`);
  const there = tools.linkOf(nic);
  if (there === undefined)
    tools.session.request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, encodeMacvlan(nic, under, bytes));
  else if (there.kind !== 'macvlan' || there.below !== under || there.mac !== mac)
    throw new NetlinkError('EEXIST', `${nic} is there already, and is another device`);
  if (there?.alias !== alias) tools.session.request(RTM_NEWLINK, 0, encodeAlias(nic, alias));
}

/** What has no mark of ours is somebody else's, whatever its name. */
function deleteMacvlan(nic: string, tools: StepTools): void {
  const there = tools.linkOf(nic);
  if (there === undefined) return;
  if (there.kind !== 'macvlan' || there.alias?.startsWith(MACVLAN_MARK) !== true)
    throw new NetlinkError('EPERM', `${nic} does not bear baton's mark`);
  request(tools, RTM_DELLINK, 0, GONE, () => encodeLinkDeletion(there.ifindex));
}

/** A driver that cannot while the NIC is up says EBUSY. */
function setMac(ifindex: number, mac: string, { session }: StepTools): void {
  const bytes = parseMac(mac);
  if (bytes === null) throw new NetlinkError('EINVAL', `${mac} is not a MAC address`);
  const set = (): void => void session.request(RTM_NEWLINK, 0, encodeMacChange(ifindex, bytes));
  try {
    set();
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.code !== 'EBUSY') throw error;
    session.request(RTM_NEWLINK, 0, encodeAdmin(ifindex, false));
    try {
      set();
    } finally {
      session.request(RTM_NEWLINK, 0, encodeAdmin(ifindex, true));
    }
  }
}

/** Entries that come meanwhile stay: no address is left on the NIC under which the kernel could ask. */
function flushNeighbours(ifindex: number | undefined, session: StepTools['session']): void {
  if (ifindex === undefined) return;
  const learnt = dumpNeighbours(
    session,
    ifindex,
  )(ifindex).filter((entry) => !((entry.state & NUD_PERMANENT) | (entry.flags & NTF_PROXY)));
  for (const neighbour of learnt)
    unlessIn(GONE, () => session.request(RTM_DELNEIGH, 0, encodeNeighbour(ifindex, { ...neighbour, mac: '' })));
}

function request(
  tools: StepTools,
  type: number,
  flags: number,
  done: readonly string[],
  parts: () => readonly Uint8Array[],
): void {
  unlessIn(done, () => tools.session.request(type, flags, parts()));
}

function unlessIn(done: readonly string[], ask: () => void): void {
  try {
    ask();
  } catch (error) {
    if (!(error instanceof NetlinkError) || !done.includes(error.code)) throw error;
  }
}

function indexOf(nic: string, tools: StepTools): number {
  const ifindex = tools.names.indexOf(nic);
  if (ifindex === undefined) throw new NetlinkError('ENODEV', `there is no NIC ${nic}`);
  return ifindex;
}

function namedOrFormer(nic: string, tools: StepTools): number {
  return tools.names.indexOf(nic) ?? tools.names.formerIndexOf?.(nic) ?? indexOf(nic, tools);
}

/** The address as it is to be on that NIC: its label follows the NIC's name. */
function fitted(nic: string, address: Address, tools: StepTools): Address {
  const fit = { ...address, flags: address.flags & USER_FLAGS };
  if (address.label === undefined) return fit;
  const [owner = '', ...rest] = address.label.split(':');
  if (owner === nic || !tools.isMonitored(owner)) return fit;
  const label = [nic, ...rest].join(':');
  return { ...fit, label: label.length > LABEL_MAX ? nic : label };
}

/** What tells an address from others of the NIC; label and the rest might have been changed since. */
function bare({ family, local, prefixLength, peer, scope }: Address): Address {
  return { family, local, prefixLength, ...(peer !== undefined && { peer }), scope, flags: 0 };
}
