/**
 * Neighbour Discovery over Ethernet (RFC 4861): solicitation and advertisement in their IPv6 header, and nothing else.
 * Decoding does all the checks of sections 7.1.1 and 7.1.2, so what comes out was sent on this link.
 */
import { checksumV6 } from './checksum.js';
import { encodeEthernet, ETHERTYPE_IPV6 } from './ethernet.js';
import { ALL_NODES, formatIp, groupMac, ipBytes, solicitedNode, UNSPECIFIED_V6 } from './ip.js';
import { MAC_LENGTH, readMac, writeMac } from './mac.js';

const IPV6_HEADER_LENGTH = 40;
const ICMPV6 = 58;
const HOP_LIMIT = 255;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
/** Type, code, checksum, flags or reserved, target. */
const MESSAGE_LENGTH = 24;
const OPTION_SOURCE_LINK_LAYER = 1;
const OPTION_TARGET_LINK_LAYER = 2;
/** RFC 3971 section 5.3.2, RFC 7527: a random number by which a node knows its own looped-back probe. */
const OPTION_NONCE = 14;
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;
const SOLICITED_NODE = /^ff02::1:ff[0-9a-f]{2}:[0-9a-f]{1,4}$/;

interface Message {
  /** IPv6 source and destination. */
  source: string;
  destination: string;
  target: string;
}

export interface NeighbourSolicitation extends Message {
  type: 'neighbour-solicitation';
  sourceLinkLayer?: string;
  /** Hex. */
  nonce?: string;
}

export interface NeighbourAdvertisement extends Message {
  type: 'neighbour-advertisement';
  router: boolean;
  solicited: boolean;
  override: boolean;
  targetLinkLayer?: string;
}

export type Ndp = NeighbourSolicitation | NeighbourAdvertisement;

export type NdpDrop =
  | 'ndp-short'
  | 'ndp-version'
  /** Another protocol, or an extension header stands before it (RFC 6980: fragments are never taken). */
  | 'ndp-not-icmpv6'
  /** A router brought it from elsewhere. */
  | 'ndp-hop-limit'
  | 'ndp-source-group'
  | 'ndp-checksum'
  | 'ndp-type'
  | 'ndp-code'
  | 'ndp-target-group'
  | 'ndp-option'
  | 'ndp-probe-destination'
  | 'ndp-probe-link-layer'
  | 'ndp-solicited-group';

/** Payload of an Ethernet frame of type IPv6; bytes after the IPv6 payload length are padding. */
export function decodeNdp(payload: Uint8Array): Ndp | NdpDrop {
  const packet = openIpv6(payload);
  if (typeof packet === 'string') return packet;
  const { source, destination, message } = packet;
  const type = message[0];
  if (type !== SOLICITATION && type !== ADVERTISEMENT) return 'ndp-type';
  if (checksumV6(source, destination, ICMPV6, message) !== 0) return 'ndp-checksum';
  if (message[1] !== 0) return 'ndp-code';
  if (message.length < MESSAGE_LENGTH) return 'ndp-short';
  if (message[8] === 0xff) return 'ndp-target-group';
  const options = readOptions(message);
  if (options === null) return 'ndp-option';
  const ends = {
    source: formatIp(source),
    destination: formatIp(destination),
    target: formatIp(message.subarray(8, MESSAGE_LENGTH)),
  };
  return type === SOLICITATION ? solicitation(ends, options) : advertisement(ends, options, message[4] ?? 0);
}

function solicitation(ends: Message, options: Options): NeighbourSolicitation | NdpDrop {
  if (ends.source === UNSPECIFIED_V6) {
    // Section 7.1.1: from :: only to the solicited-node group, and without a link-layer address.
    if (!SOLICITED_NODE.test(ends.destination)) return 'ndp-probe-destination';
    if (options.sourceLinkLayer !== undefined) return 'ndp-probe-link-layer';
  }
  const { sourceLinkLayer, nonce } = options;
  return {
    type: 'neighbour-solicitation',
    ...ends,
    ...(sourceLinkLayer === undefined ? {} : { sourceLinkLayer }),
    ...(nonce === undefined ? {} : { nonce }),
  };
}

function advertisement(ends: Message, options: Options, flags: number): NeighbourAdvertisement | NdpDrop {
  const solicited = (flags & SOLICITED) !== 0;
  // Section 7.1.2: an answer goes to the one who asked.
  if (solicited && ends.destination.startsWith('ff')) return 'ndp-solicited-group';
  const { targetLinkLayer } = options;
  return {
    type: 'neighbour-advertisement',
    ...ends,
    router: (flags & ROUTER) !== 0,
    solicited,
    override: (flags & OVERRIDE) !== 0,
    ...(targetLinkLayer === undefined ? {} : { targetLinkLayer }),
  };
}

interface Ipv6Packet {
  source: Uint8Array;
  destination: Uint8Array;
  message: Uint8Array;
}

/** RFC 8200 section 3. */
function openIpv6(payload: Uint8Array): Ipv6Packet | NdpDrop {
  if (payload.length < IPV6_HEADER_LENGTH) return 'ndp-short';
  if ((payload[0] ?? 0) >> 4 !== 6) return 'ndp-version';
  if (payload[6] !== ICMPV6) return 'ndp-not-icmpv6';
  if (payload[7] !== HOP_LIMIT) return 'ndp-hop-limit';
  const length = ((payload[4] ?? 0) << 8) | (payload[5] ?? 0);
  if (length < 8 || payload.length < IPV6_HEADER_LENGTH + length) return 'ndp-short';
  const source = payload.subarray(8, 24);
  if (source[0] === 0xff) return 'ndp-source-group';
  return {
    source,
    destination: payload.subarray(24, 40),
    message: payload.subarray(IPV6_HEADER_LENGTH, IPV6_HEADER_LENGTH + length),
  };
}

interface Options {
  sourceLinkLayer?: string;
  targetLinkLayer?: string;
  nonce?: string;
}

/** Section 4.6; unknown options are passed over, null for one of length zero or beyond the end. */
function readOptions(message: Uint8Array): Options | null {
  const options: Options = {};
  for (let at = MESSAGE_LENGTH; at < message.length;) {
    // In units of eight bytes, type and length included.
    const end = at + 8 * (message[at + 1] ?? 0);
    if (end === at || end > message.length) return null;
    const type = message[at];
    if (type === OPTION_SOURCE_LINK_LAYER && end === at + 8) options.sourceLinkLayer = readMac(message, at + 2);
    if (type === OPTION_TARGET_LINK_LAYER && end === at + 8) options.targetLinkLayer = readMac(message, at + 2);
    if (type === OPTION_NONCE) options.nonce = formatHex(message.subarray(at + 2, end));
    at = end;
  }
  return options;
}

function formatHex(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

/** IPv6 packet: header and message. Nonces must be 6 bytes plus a multiple of 8. */
export function encodeNdp(ndp: Ndp): Uint8Array {
  const bytes = new Uint8Array(ndpLength(ndp));
  const source = ipBytes(ndp.source);
  const destination = ipBytes(ndp.destination);
  const length = bytes.length - IPV6_HEADER_LENGTH;
  bytes.set([0x60, 0, 0, 0, length >> 8, length & 0xff, ICMPV6, HOP_LIMIT]);
  bytes.set(source, 8);
  bytes.set(destination, 24);
  const message = bytes.subarray(IPV6_HEADER_LENGTH);
  message[0] = ndp.type === 'neighbour-solicitation' ? SOLICITATION : ADVERTISEMENT;
  message.set(ipBytes(ndp.target), 8);
  let at = MESSAGE_LENGTH;
  if (ndp.type === 'neighbour-solicitation') {
    if (ndp.sourceLinkLayer !== undefined)
      at = writeLinkLayer(message, at, OPTION_SOURCE_LINK_LAYER, ndp.sourceLinkLayer);
    if (ndp.nonce !== undefined) writeNonce(message, at, ndp.nonce);
  } else {
    message[4] = (ndp.router ? ROUTER : 0) | (ndp.solicited ? SOLICITED : 0) | (ndp.override ? OVERRIDE : 0);
    if (ndp.targetLinkLayer !== undefined) writeLinkLayer(message, at, OPTION_TARGET_LINK_LAYER, ndp.targetLinkLayer);
  }
  const sum = checksumV6(source, destination, ICMPV6, message);
  message[2] = sum >> 8;
  message[3] = sum & 0xff;
  return bytes;
}

export function ndpLength(ndp: Ndp): number {
  const linkLayer = ndp.type === 'neighbour-solicitation' ? ndp.sourceLinkLayer : ndp.targetLinkLayer;
  const nonce = ndp.type === 'neighbour-solicitation' ? ndp.nonce : undefined;
  const options = (linkLayer === undefined ? 0 : 8) + (nonce === undefined ? 0 : 2 + nonce.length / 2);
  return IPV6_HEADER_LENGTH + MESSAGE_LENGTH + options;
}

function writeLinkLayer(message: Uint8Array, at: number, option: number, mac: string): number {
  message.set([option, 1], at);
  writeMac(message, at + 2, mac);
  return at + 2 + MAC_LENGTH;
}

function writeNonce(message: Uint8Array, at: number, nonce: string): void {
  const length = 2 + nonce.length / 2;
  message.set([OPTION_NONCE, length / 8], at);
  for (let i = 2; i < length; i++) message[at + i] = parseInt(nonce.slice(2 * i - 4, 2 * i - 2), 16);
}

function frameOf(sourceMac: string, destinationMac: string, ndp: Ndp): Uint8Array {
  return encodeEthernet({
    destination: destinationMac,
    source: sourceMac,
    etherType: ETHERTYPE_IPV6,
    payload: encodeNdp(ndp),
  });
}

/** Whole frame, to the solicited-node group: who has `target`? `source` is an address of the NIC. */
export function neighbourSolicitation(sourceMac: string, source: string, target: string): Uint8Array {
  const destination = solicitedNode(target);
  return frameOf(sourceMac, groupMac(destination), {
    type: 'neighbour-solicitation',
    source,
    destination,
    target,
    sourceLinkLayer: sourceMac,
  });
}

/** Whole frame from ::, as duplicate address detection asks (RFC 4862 section 5.4.2): the owner answers to all nodes. */
export function neighbourProbe(sourceMac: string, target: string): Uint8Array {
  const destination = solicitedNode(target);
  return frameOf(sourceMac, groupMac(destination), {
    type: 'neighbour-solicitation',
    source: UNSPECIFIED_V6,
    destination,
    target,
  });
}

/** Whole frame that answers a solicitation; one from :: is answered to all nodes, unsolicited (RFC 4861 section 7.2.4). */
export function neighbourAnswer(
  sourceMac: string,
  asked: NeighbourSolicitation,
  askerMac: string,
  router: boolean,
): Uint8Array {
  const probe = asked.source === UNSPECIFIED_V6;
  return frameOf(sourceMac, probe ? groupMac(ALL_NODES) : (asked.sourceLinkLayer ?? askerMac), {
    type: 'neighbour-advertisement',
    source: asked.target,
    destination: probe ? ALL_NODES : asked.source,
    target: asked.target,
    router,
    solicited: !probe,
    override: true,
    targetLinkLayer: sourceMac,
  });
}

/** Whole frame, to all nodes: the announcement that `address` is at `sourceMac` now (RFC 4861 section 7.2.6). */
export function unsolicitedAdvertisement(sourceMac: string, address: string, router: boolean): Uint8Array {
  return frameOf(sourceMac, groupMac(ALL_NODES), {
    type: 'neighbour-advertisement',
    source: address,
    destination: ALL_NODES,
    target: address,
    router,
    solicited: false,
    override: true,
    targetLinkLayer: sourceMac,
  });
}
