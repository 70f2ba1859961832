/**
 * ARP for IPv4 over Ethernet (RFC 826), with the fields under their names there: `ar$sha` is `sha`.
 *
 * Announcements are made in two dialects, because hosts differ in what they learn from: the request form of RFC 5227
 * section 2.3, and a reply whose target is the sender itself. (A reply to MAC zero or broadcast is not learnt by Linux
 * within a second of the entry's last update.)
 */
import { encodeEthernet, ETHERNET_HEADER_LENGTH, ETHERTYPE_ARP } from './ethernet.js';
import { formatIp, ipBytes, UNSPECIFIED_V4 } from './ip.js';
import { BROADCAST, isGroupMac, MAC_ZERO, readMac, writeMac } from './mac.js';

const HARDWARE_ETHERNET = 1;
const PROTOCOL_IPV4 = 0x0800;
const REQUEST = 1;
const REPLY = 2;
export const ARP_LENGTH = 28;

export interface Arp {
  op: 'request' | 'reply';
  /** Hardware and protocol address of sender and target. */
  sha: string;
  spa: string;
  tha: string;
  tpa: string;
}

export type ArpDrop = 'arp-short' | 'arp-hardware' | 'arp-protocol' | 'arp-operation' | 'arp-sender-group';

/** Payload of an Ethernet frame; bytes after the packet are padding. */
export function decodeArp(payload: Uint8Array): Arp | ArpDrop {
  if (payload.length < ARP_LENGTH) return 'arp-short';
  const word = (offset: number): number => ((payload[offset] ?? 0) << 8) | (payload[offset + 1] ?? 0);
  if (word(0) !== HARDWARE_ETHERNET || payload[4] !== 6) return 'arp-hardware';
  if (word(2) !== PROTOCOL_IPV4 || payload[5] !== 4) return 'arp-protocol';
  const op = word(6);
  if (op !== REQUEST && op !== REPLY) return 'arp-operation';
  const sha = readMac(payload, 8);
  if (isGroupMac(sha)) return 'arp-sender-group';
  return {
    op: op === REQUEST ? 'request' : 'reply',
    sha,
    spa: formatIp(payload.subarray(14, 18)),
    tha: readMac(payload, 18),
    tpa: formatIp(payload.subarray(24, 28)),
  };
}

export function encodeArp(arp: Arp): Uint8Array {
  const bytes = new Uint8Array(ARP_LENGTH);
  bytes.set([
    0,
    HARDWARE_ETHERNET,
    PROTOCOL_IPV4 >> 8,
    PROTOCOL_IPV4 & 0xff,
    6,
    4,
    0,
    arp.op === 'request' ? REQUEST : REPLY,
  ]);
  writeMac(bytes, 8, arp.sha);
  bytes.set(ipBytes(arp.spa), 14);
  writeMac(bytes, 18, arp.tha);
  bytes.set(ipBytes(arp.tpa), 24);
  return bytes;
}

function frameOf(destination: string, arp: Arp): Uint8Array {
  return encodeEthernet({ destination, source: arp.sha, etherType: ETHERTYPE_ARP, payload: encodeArp(arp) });
}

/** Whole frame, broadcast: who has `tpa`? */
export function arpRequest(sha: string, spa: string, tpa: string): Uint8Array {
  return frameOf(BROADCAST, { op: 'request', sha, spa, tha: MAC_ZERO, tpa });
}

/** Whole frame, unicast: `spa` is at `sha`. */
export function arpReply(sha: string, spa: string, tha: string, tpa: string): Uint8Array {
  return frameOf(tha, { op: 'reply', sha, spa, tha, tpa });
}

/** Whole frame: a request whose sender address is all zero, so that it pollutes no cache (RFC 5227 section 1.1, 2.1.1). */
export function arpProbe(sha: string, tpa: string): Uint8Array {
  return arpRequest(sha, UNSPECIFIED_V4, tpa);
}

/** Whole frame, broadcast: the announcement in request form (RFC 5227 section 2.3). */
export function gratuitousRequest(sha: string, address: string): Uint8Array {
  return frameOf(BROADCAST, { op: 'request', sha, spa: address, tha: MAC_ZERO, tpa: address });
}

/** Whole frame, broadcast: the announcement in reply form, with the own MAC as its target. */
export function gratuitousReply(sha: string, address: string): Uint8Array {
  return frameOf(BROADCAST, { op: 'reply', sha, spa: address, tha: sha, tpa: address });
}

/** Of a whole frame that carries ARP: a question that claims no address (RFC 5227 section 1.1)? Only that is looked at. */
export function isProbe(frame: Uint8Array): boolean {
  const spaAt = ETHERNET_HEADER_LENGTH + 14;
  return !frame[spaAt] && !frame[spaAt + 1] && !frame[spaAt + 2] && !frame[spaAt + 3];
}

/** Of a whole frame that carries ARP: may it be a reply? Only that is looked at. */
export function isReply(frame: Uint8Array): boolean {
  return frame[ETHERNET_HEADER_LENGTH + 7] === REPLY;
}

/** Sender and target address are one, and it is no probe: somebody tells the net where an address lives. */
export function isGratuitous(arp: Arp): boolean {
  return arp.spa === arp.tpa && arp.spa !== UNSPECIFIED_V4;
}
