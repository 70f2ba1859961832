/** Addresses (RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR). Source: include/uapi/linux/if_addr.h, RFC 3549 section 3.1.2. */
import type { Address } from '../../../src/input.js';
import { addressBytes, addressText } from './address-text.js';
import { readU32, writeU32 } from './host-order.js';
import {
  asText,
  asU32,
  asU8,
  attribute,
  attributeMap,
  attributeText,
  attributeU32,
  attributeU8,
  NetlinkError,
} from './message.js';

export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;

export const AF_INET = 2;
export const AF_INET6 = 10;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_RT_PRIORITY = 9;
const IFA_PROTO = 11;
const FOREVER = 0xffffffff;
const FIXED = 8;

export const familyNumber = (family: 4 | 6) => (family === 4 ? AF_INET : AF_INET6);

/** Null for families other than IPv4 and IPv6. */
export function familyOf(number: number | undefined): 4 | 6 | null {
  return number === AF_INET ? 4 : number === AF_INET6 ? 6 : null;
}

/** Bytes of an address of that family; an error that names it where the text is none. */
export function bytesOf(text: string, family?: 4 | 6): Buffer {
  const bytes = addressBytes(text);
  if (bytes === null || (family !== undefined && bytes.length !== (family === 4 ? 4 : 16)))
    throw new NetlinkError('EINVAL', `${JSON.stringify(text)} is no IPv${family ?? '4 or IPv6'} address`);
  return bytes;
}

/** Null if malformed or of another family. */
export function decodeAddress(payload: Buffer): { ifindex: number; address: Address } | null {
  const family = familyOf(payload[0]);
  if (family === null || payload.length < FIXED) return null;
  const attributes = attributeMap(payload, FIXED);
  const text = (type: number) => ofFamily(attributes.get(type), family);
  const far = text(IFA_ADDRESS);
  const local = text(IFA_LOCAL) ?? far;
  if (local === null) return null;
  const label = asText(attributes.get(IFA_LABEL));
  const broadcast = text(IFA_BROADCAST);
  const protocol = asU8(attributes.get(IFA_PROTO));
  const metric = asU32(attributes.get(IFA_RT_PRIORITY));
  return {
    ifindex: readU32(payload, 4),
    address: {
      family,
      local,
      prefixLength: payload[1] ?? 0,
      ...(far !== null && far !== local && { peer: far }),
      ...(broadcast !== null && { broadcast }),
      ...(label !== undefined && { label }),
      scope: payload[3] ?? 0,
      flags: asU32(attributes.get(IFA_FLAGS)) ?? payload[2] ?? 0,
      ...lifetimes(attributes.get(IFA_CACHEINFO)),
      ...(protocol && { protocol }),
      ...(metric && { metric }),
    },
  };
}

function ofFamily(value: Buffer | undefined, family: 4 | 6): string | null {
  return value !== undefined && value.length === (family === 4 ? 4 : 16) ? addressText(value) : null;
}

/** struct ifa_cacheinfo: preferred, valid, and two time stamps. */
function lifetimes(info: Buffer | undefined): Pick<Address, 'validS' | 'preferredS'> {
  if (info === undefined || info.length < 8) return {};
  const preferredS = readU32(info, 0);
  const validS = readU32(info, 4);
  return { ...(validS !== FOREVER && { validS }), ...(preferredS !== FOREVER && { preferredS }) };
}

/** Every field as given: what of `flags` may be asked of the kernel is the caller's business. NetlinkError EINVAL for bad text. */
export function encodeAddress(ifindex: number, address: Address): Buffer[] {
  const { family, label, broadcast, peer, protocol, metric, validS, preferredS } = address;
  const fixed = Buffer.alloc(FIXED);
  fixed[0] = familyNumber(family);
  fixed[1] = address.prefixLength;
  fixed[2] = address.flags & 0xff;
  fixed[3] = address.scope;
  writeU32(fixed, ifindex, 4);
  const local = bytesOf(address.local, family);
  const parts = [fixed, attribute(IFA_LOCAL, local)];
  parts.push(attribute(IFA_ADDRESS, peer === undefined ? local : bytesOf(peer, family)));
  if (broadcast !== undefined) parts.push(attribute(IFA_BROADCAST, bytesOf(broadcast, family)));
  if (label !== undefined) parts.push(attributeText(IFA_LABEL, label));
  parts.push(attributeU32(IFA_FLAGS, address.flags));
  if (validS !== undefined || preferredS !== undefined) {
    const info = Buffer.alloc(16);
    writeU32(info, preferredS ?? validS ?? FOREVER, 0);
    writeU32(info, validS ?? FOREVER, 4);
    parts.push(attribute(IFA_CACHEINFO, info));
  }
  if (protocol) parts.push(attributeU8(IFA_PROTO, protocol));
  if (metric) parts.push(attributeU32(IFA_RT_PRIORITY, metric));
  return parts;
}

/** For a dump of one family; `ifindex` 0 means all links (others only where the socket checks strictly). */
export function encodeAddressDump(family: 4 | 6, ifindex: number): Buffer[] {
  const fixed = Buffer.alloc(FIXED);
  fixed[0] = familyNumber(family);
  writeU32(fixed, ifindex, 4);
  return [fixed];
}
