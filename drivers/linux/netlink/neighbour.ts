/** Neighbour entries (RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH). Source: include/uapi/linux/neighbour.h, RFC 3549 section 3.1.3. */
import type { Neighbour } from '../../../src/input.js';
import { addressText, macBytes, macText } from './address-text.js';
import { bytesOf, familyNumber, familyOf } from './address.js';
import { readU16, readU32, writeU16, writeU32 } from './host-order.js';
import { asU8, attribute, attributeMap, attributeU32, attributeU8, NetlinkError } from './message.js';

export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;

export const NTF_PROXY = 0x08;
export const NUD_STALE = 0x04;
export const NUD_PERMANENT = 0x80;
/** Reachable, stale, delay, probe: learnt, and good enough to send to. */
export const NUD_LEARNT = 0x02 | NUD_STALE | 0x08 | 0x10;

const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_IFINDEX = 8;
const NDA_PROTOCOL = 12;
const FIXED = 12;

/** Null if malformed or of another family (a bridge's forwarding table comes the same way). Proxy and unresolved entries have an empty MAC. */
export function decodeNeighbour(payload: Buffer): { ifindex: number; neighbour: Neighbour } | null {
  const family = familyOf(payload[0]);
  if (family === null || payload.length < FIXED) return null;
  const attributes = attributeMap(payload, FIXED);
  const bytes = attributes.get(NDA_DST);
  const address = bytes?.length === (family === 4 ? 4 : 16) ? addressText(bytes) : null;
  if (address === null) return null;
  const protocol = asU8(attributes.get(NDA_PROTOCOL));
  return {
    ifindex: readU32(payload, 4),
    neighbour: {
      family,
      address,
      mac: macText(attributes.get(NDA_LLADDR) ?? Buffer.alloc(0)),
      state: readU16(payload, 8),
      flags: payload[10] ?? 0,
      ...(protocol && { protocol }),
    },
  };
}

/** NetlinkError EINVAL for bad text. */
export function encodeNeighbour(ifindex: number, neighbour: Neighbour): Buffer[] {
  const { family, address, mac, state, flags, protocol } = neighbour;
  const parts = [fixedPart(familyNumber(family), ifindex, state, flags)];
  parts.push(attribute(NDA_DST, bytesOf(address, family)));
  if (mac !== '') {
    const bytes = macBytes(mac);
    if (bytes === null) throw new NetlinkError('EINVAL', `${JSON.stringify(mac)} is no MAC`);
    parts.push(attribute(NDA_LLADDR, bytes));
  }
  if (protocol) parts.push(attributeU8(NDA_PROTOCOL, protocol));
  return parts;
}

function fixedPart(family: number, ifindex: number, state: number, flags: number): Buffer {
  const fixed = Buffer.alloc(FIXED);
  fixed[0] = family;
  writeU32(fixed, ifindex, 4);
  writeU16(fixed, state, 8);
  fixed[10] = flags;
  return fixed;
}

/** For a dump; proxy entries are a table of their own. `ifindex` 0 means all links. */
export function encodeNeighbourDump(family: 4 | 6, ifindex: number, proxy: boolean): Buffer[] {
  const parts = [fixedPart(familyNumber(family), 0, 0, proxy ? NTF_PROXY : 0)];
  if (ifindex !== 0) parts.push(attributeU32(NDA_IFINDEX, ifindex));
  return parts;
}
