/** Ethernet II frames (IEEE 802.3 clause 3.2), without preamble and FCS. */
import { isGroupMac, readMac, writeMac } from './mac.js';

export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;
/** Local Experimental EtherType 1 (IEEE 802-2014, 9.2.3): poll frames. */
export const ETHERTYPE_POLL = 0x88b5;

export const ETHERNET_HEADER_LENGTH = 14;
/** Below it the field is a length, not a type. */
const ETHERTYPE_MIN = 0x0600;

export interface EthernetFrame {
  destination: string;
  source: string;
  etherType: number;
  /** A view into the frame; may end in padding. */
  payload: Uint8Array;
}

export type EthernetDrop = 'ethernet-short' | 'ethernet-not-a-type' | 'ethernet-source-group';

/** What a frame carries, as it says; 0: it is too short to say so. */
export function etherTypeOf(bytes: Uint8Array): number {
  return ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
}

/** The payload is not copied. */
export function decodeEthernet(bytes: Uint8Array): EthernetFrame | EthernetDrop {
  if (bytes.length < ETHERNET_HEADER_LENGTH) return 'ethernet-short';
  const etherType = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
  if (etherType < ETHERTYPE_MIN) return 'ethernet-not-a-type';
  const source = readMac(bytes, 6);
  if (isGroupMac(source)) return 'ethernet-source-group';
  return { destination: readMac(bytes, 0), source, etherType, payload: bytes.subarray(ETHERNET_HEADER_LENGTH) };
}

export function encodeEthernet(frame: EthernetFrame): Uint8Array {
  const bytes = new Uint8Array(ethernetLength(frame));
  writeMac(bytes, 0, frame.destination);
  writeMac(bytes, 6, frame.source);
  bytes[12] = frame.etherType >> 8;
  bytes[13] = frame.etherType & 0xff;
  bytes.set(frame.payload, ETHERNET_HEADER_LENGTH);
  return bytes;
}

export function ethernetLength(frame: EthernetFrame): number {
  return ETHERNET_HEADER_LENGTH + frame.payload.length;
}
