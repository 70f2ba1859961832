/** Routes (RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE). Source: include/uapi/linux/rtnetlink.h, RFC 3549 section 3.1.4. */
import type { NextHop, Route } from '../../../src/input.js';
import { addressText } from './address-text.js';
import { bytesOf, familyNumber, familyOf } from './address.js';
import { readI32, readU16, readU32, writeU16, writeU32 } from './host-order.js';
import {
  asU32,
  asU8,
  attribute,
  attributeU32,
  attributeU8,
  decodeAttributes,
  nested,
  NetlinkError,
  type Attribute,
} from './message.js';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
export const RTM_GETROUTE = 26;

const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_MULTIPATH = 9;
const RTA_CACHEINFO = 12;
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTA_PREF = 20;
const RTA_EXPIRES = 23;
const RTA_PAD = 24;
const RTA_NH_ID = 30;
const RTAX_CC_ALGO = 16;
/** RTNH_F_PERVASIVE and RTNH_F_ONLINK; the others the kernel sets by itself. */
const USER_FLAGS = 0x2 | 0x4;
/** USER_HZ, in which rta_cacheinfo counts; fixed on every architecture that Node runs on. */
const TICKS_PER_S = 100;
/** An exception that the kernel keeps for one destination (path MTU, redirect): no route of anybody's. */
const RTM_F_CLONED = 0x200;
const FIXED = 12;
const LEG_FIXED = 8;

/** Names of the links of this namespace, both ways. */
export interface NicNames {
  nameOf(ifindex: number): string | undefined;
  indexOf(name: string): number | undefined;
}

/**
 * Null if malformed or of another family. `nic` is the first leg's of a multipath route, and empty for a route that leads
 * nowhere (blackhole). A link that has no name any more is called `#12`.
 */
export function decodeRoute(payload: Buffer, names: NicNames): Route | null {
  const family = familyOf(payload[0]);
  if (family === null || payload.length < FIXED || readU32(payload, 8) & RTM_F_CLONED) return null;
  const route: Route = {
    family,
    destination: prefixText(family, undefined, payload[1] ?? 0),
    table: payload[4] ?? 0,
    protocol: payload[5] ?? 0,
    scope: payload[6] ?? 0,
    type: payload[7] ?? 0,
    tos: payload[3] ?? 0,
    nic: '',
    flags: readU32(payload, 8) & USER_FLAGS,
  };
  for (const found of decodeAttributes(payload, FIXED)) decodeRouteAttribute(route, found, payload, names);
  if (route.nextHops?.[0]) route.nic = route.nextHops[0].nic;
  return route;
}

function decodeRouteAttribute(route: Route, found: Attribute, payload: Buffer, names: NicNames): void {
  const { value } = found;
  const text = () => addressText(value) ?? undefined;
  switch (found.type) {
    case RTA_DST:
      route.destination = prefixText(route.family, value, payload[1] ?? 0);
      break;
    case RTA_SRC:
      route.source = prefixText(route.family, value, payload[2] ?? 0);
      break;
    case RTA_OIF:
      route.nic = nameOrIndex(asU32(value) ?? 0, names);
      break;
    case RTA_GATEWAY:
      assign(route, 'gateway', text());
      break;
    case RTA_VIA:
      assign(route, 'gateway', viaText(value));
      break;
    case RTA_PRIORITY:
      assign(route, 'metric', asU32(value));
      break;
    case RTA_PREFSRC:
      assign(route, 'preferredSource', text());
      break;
    case RTA_TABLE:
      route.table = asU32(value) ?? route.table;
      break;
    case RTA_METRICS:
      decodeMetrics(route, value);
      break;
    case RTA_MULTIPATH:
      route.nextHops = decodeLegs(value, names);
      break;
    case RTA_PREF:
      // Medium is what no attribute means.
      assign(route, 'preference', asU8(value) || undefined);
      break;
    case RTA_NH_ID:
      assign(route, 'nextHopId', asU32(value));
      break;
    case RTA_EXPIRES:
      assign(route, 'expiresS', asU32(value));
      break;
    case RTA_CACHEINFO:
      if (value.length >= 12 && readI32(value, 8) > 0) route.expiresS = Math.ceil(readI32(value, 8) / TICKS_PER_S);
      break;
    case RTA_PAD:
      break;
    default:
      (route.other ??= {})[found.rawType] = value.toString('hex');
  }
}

function assign<K extends keyof Route>(route: Route, key: K, value: Route[K] | undefined): void {
  if (value !== undefined) route[key] = value;
}

function prefixText(family: 4 | 6, bytes: Buffer | undefined, length: number): string {
  const address = bytes && addressText(bytes);
  return `${address ?? (family === 4 ? '0.0.0.0' : '::')}/${length}`;
}

function nameOrIndex(ifindex: number, names: NicNames): string {
  return names.nameOf(ifindex) ?? `#${ifindex}`;
}

/** RTA_VIA: address family, then the address. */
function viaText(value: Buffer): string | undefined {
  return addressText(value.subarray(2)) ?? undefined;
}

/** Metrics are u32, but for a text (congestion control), which goes to `other` under `8.16`. */
function decodeMetrics(route: Route, value: Buffer): void {
  const numeric: Record<string, number> = {};
  for (const { type, value: metric } of decodeAttributes(value)) {
    if (type === RTAX_CC_ALGO) (route.other ??= {})[`${RTA_METRICS}.${type}`] = metric.toString('hex');
    else numeric[type] = asU32(metric) ?? 0;
  }
  if (Object.keys(numeric).length > 0) route.metrics = numeric;
}

/** A row of struct rtnexthop, each followed by its attributes. */
function decodeLegs(bytes: Buffer, names: NicNames): NextHop[] {
  const legs: NextHop[] = [];
  for (let at = 0; at + LEG_FIXED <= bytes.length;) {
    const length = readU16(bytes, at);
    if (length < LEG_FIXED || at + length > bytes.length) break;
    const leg: NextHop = {
      nic: nameOrIndex(readU32(bytes, at + 4), names),
      flags: (bytes[at + 2] ?? 0) & USER_FLAGS,
      hops: bytes[at + 3] ?? 0,
    };
    for (const { type, rawType, value } of decodeAttributes(bytes.subarray(at, at + length), LEG_FIXED)) {
      const gateway = type === RTA_GATEWAY ? addressText(value) : type === RTA_VIA ? viaText(value) : undefined;
      if (gateway) leg.gateway = gateway;
      else (leg.other ??= {})[rawType] = value.toString('hex');
    }
    legs.push(leg);
    at += (length + 3) & ~3;
  }
  return legs;
}

/** NetlinkError EINVAL for bad text, ENODEV for a NIC that does not exist. */
export function encodeRoute(route: Route, names: NicNames): Buffer[] {
  const { family, metric, preferredSource, metrics, preference, expiresS, nextHops, nextHopId, other } = route;
  const destination = prefixBytes(route.destination, family);
  const source = route.source === undefined ? undefined : prefixBytes(route.source, family);
  const fixed = Buffer.alloc(FIXED);
  fixed.set([familyNumber(family), destination.length, source?.length ?? 0, route.tos]);
  // The byte holds small table numbers only; RTA_TABLE rules.
  fixed.set([route.table < 256 ? route.table : 0, route.protocol, route.scope, route.type], 4);
  writeU32(fixed, route.flags, 8);
  const parts = [fixed, attributeU32(RTA_TABLE, route.table)];
  if (destination.length > 0) parts.push(attribute(RTA_DST, destination.bytes));
  if (source) parts.push(attribute(RTA_SRC, source.bytes));
  if (metric !== undefined) parts.push(attributeU32(RTA_PRIORITY, metric));
  if (preferredSource !== undefined) parts.push(attribute(RTA_PREFSRC, bytesOf(preferredSource, family)));
  if (nextHopId !== undefined) parts.push(attributeU32(RTA_NH_ID, nextHopId));
  if (nextHops) parts.push(nested(RTA_MULTIPATH, encodeLegs(nextHops, family, names)));
  else {
    if (route.nic !== '') parts.push(attributeU32(RTA_OIF, indexOrError(route.nic, names)));
    if (route.gateway !== undefined) parts.push(encodeGateway(route.gateway, family));
  }
  const inner = Object.entries(metrics ?? {}).map(([type, value]) => attributeU32(Number(type), value));
  for (const [key, hex] of Object.entries(other ?? {})) {
    const [type = 0, sub] = key.split('.').map(Number);
    if (sub !== undefined) inner.push(attribute(sub, Buffer.from(hex, 'hex')));
    else parts.push(attribute(type, Buffer.from(hex, 'hex')));
  }
  if (inner.length > 0) parts.push(nested(RTA_METRICS, inner));
  if (preference) parts.push(attributeU8(RTA_PREF, preference));
  if (expiresS !== undefined) parts.push(attributeU32(RTA_EXPIRES, expiresS));
  return parts;
}

function prefixBytes(text: string, family: 4 | 6): { bytes: Buffer; length: number } {
  const [address = '', length = ''] = text.split('/');
  const bytes = bytesOf(address, family);
  if (!/^\d+$/.test(length) || Number(length) > bytes.length * 8)
    throw new NetlinkError('EINVAL', `${JSON.stringify(text)} has no prefix length of IPv${family}`);
  return { bytes, length: Number(length) };
}

function indexOrError(nic: string, names: NicNames): number {
  const ifindex = names.indexOf(nic);
  if (ifindex === undefined) throw new NetlinkError('ENODEV', `there is no NIC ${nic}`);
  return ifindex;
}

/** A gateway of the other family goes as RTA_VIA (RFC 5549). */
function encodeGateway(gateway: string, family: 4 | 6): Buffer {
  const bytes = bytesOf(gateway);
  if (bytes.length === (family === 4 ? 4 : 16)) return attribute(RTA_GATEWAY, bytes);
  const via = Buffer.alloc(2);
  writeU16(via, familyNumber(bytes.length === 4 ? 4 : 6), 0);
  return attribute(RTA_VIA, Buffer.concat([via, bytes]));
}

function encodeLegs(legs: NextHop[], family: 4 | 6, names: NicNames): Buffer[] {
  return legs.map((leg) => {
    const fixed = Buffer.alloc(LEG_FIXED);
    fixed[2] = leg.flags;
    fixed[3] = leg.hops;
    writeU32(fixed, indexOrError(leg.nic, names), 4);
    const parts: Buffer[] = [fixed];
    if (leg.gateway !== undefined) parts.push(encodeGateway(leg.gateway, family));
    for (const [type, hex] of Object.entries(leg.other ?? {}))
      parts.push(attribute(Number(type), Buffer.from(hex, 'hex')));
    const bytes = Buffer.concat(parts);
    writeU16(bytes, bytes.length, 0);
    return bytes;
  });
}

/** For a dump of one family; `ifindex` 0 means all. With one, every route that has a leg over that link (needs strict checking). */
export function encodeRouteDump(family: 4 | 6, ifindex: number): Buffer[] {
  const fixed = Buffer.alloc(FIXED);
  fixed[0] = familyNumber(family);
  return ifindex === 0 ? [fixed] : [fixed, attributeU32(RTA_OIF, ifindex)];
}
