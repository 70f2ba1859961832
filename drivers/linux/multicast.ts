/** Multicast groups of NICs: which are joined, and joining some for the host, so that receivers bound to no NIC hear them. */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { addressText } from './netlink/address-text.js';
import { bytesOf } from './netlink/address.js';
import { writeU32 } from './netlink/host-order.js';
import { AF, openSocket, SOCK, SOL, type NativeSocket } from './socket.js';

const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;
const IPV6_JOIN_GROUP = 20;
const IPV6_LEAVE_GROUP = 21;

/**
 * Groups that the kernel joins by itself: all hosts, all snoopers, all nodes of both scopes, all routers of three, and the
 * solicited-node groups (RFC 4291 section 2.7.1, RFC 4286 section 2).
 */
const KERNEL_GROUPS = new Set([
  '224.0.0.1',
  '224.0.0.106',
  'ff01::1',
  'ff02::1',
  'ff01::2',
  'ff02::2',
  'ff05::2',
  'ff02::6a',
]);
const isKernels = (group: string) => KERNEL_GROUPS.has(group) || /^ff02::1:ff[0-9a-f]{2}:/.test(group);

/** Ifindex → groups, sorted, from the text of /proc/net/igmp and /proc/net/igmp6. */
export function parseGroups(igmp: string, igmp6: string): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  const add = (ifindex: number, bytes: Buffer) => {
    const group = addressText(bytes);
    if (group === null || isKernels(group)) return;
    const known = groups.get(ifindex);
    if (known) known.push(group);
    else groups.set(ifindex, [group]);
  };
  let ifindex = 0;
  for (const line of igmp.split('\n')) {
    const nic = /^(\d+)\s/.exec(line);
    const group = /^\s+([0-9A-F]{8})\s/.exec(line);
    if (nic) ifindex = Number(nic[1]);
    else if (group?.[1]) add(ifindex, quad(group[1]));
  }
  for (const line of igmp6.split('\n')) {
    const [index, , group] = line.trim().split(/\s+/);
    if (group !== undefined && /^[0-9a-f]{32}$/.test(group)) add(Number(index), Buffer.from(group, 'hex'));
  }
  for (const list of groups.values()) list.sort();
  return groups;
}

/** The kernel prints the address as one integer in the byte order of the host. */
function quad(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  return endianness() === 'LE' ? bytes.reverse() : bytes;
}

export function readGroups(): Map<number, string[]> {
  return parseGroups(readOrEmpty('/proc/net/igmp'), readOrEmpty('/proc/net/igmp6'));
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Memberships last as long as this object. A socket holds 20 of them (net.ipv4.igmp_max_memberships), so there may be several. */
export class Memberships {
  readonly #sockets: Record<4 | 6, NativeSocket[]> = { 4: [], 6: [] };

  /** A group that was joined before is left as it is. Throws NetlinkError or ErrnoException. */
  join(ifindex: number, group: string): void {
    const { family, level, option, value } = membership(ifindex, group, true);
    for (const socket of this.#sockets[family])
      try {
        socket.setOption(level, option, value);
        return;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'EADDRINUSE') return;
        if (code !== 'ENOBUFS' && code !== 'ENOMEM') throw error;
      }
    const socket = openSocket(family === 4 ? AF.inet : AF.inet6, SOCK.datagram, 0);
    try {
      socket.setOption(level, option, value);
      this.#sockets[family].push(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** A group that was not joined here is left as it is. */
  leave(ifindex: number, group: string): void {
    const { family, level, option, value } = membership(ifindex, group, false);
    for (const socket of this.#sockets[family])
      try {
        socket.setOption(level, option, value);
        return;
      } catch {
        continue;
      }
  }

  close(): void {
    for (const socket of [...this.#sockets[4], ...this.#sockets[6]]) socket.close();
  }
}

/** struct ip_mreqn: group, own address, ifindex; struct ipv6_mreq: group, ifindex. */
function membership(ifindex: number, group: string, join: boolean) {
  const bytes = bytesOf(group);
  const family: 4 | 6 = bytes.length === 4 ? 4 : 6;
  const value = Buffer.alloc(family === 4 ? 12 : 20);
  value.set(bytes);
  writeU32(value, ifindex, value.length - 4);
  return family === 4
    ? { family, level: SOL.ip, option: join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, value }
    : { family, level: SOL.ipv6, option: join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, value };
}
