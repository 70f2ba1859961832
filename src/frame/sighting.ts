/**
 * What a holder asks a peer, and what that peer saw of the net (parts `inquiry` and `sighting`):
 *
 *   inquiry   token(4) macs addresses     who answers for these? Both tell the MACs of their own NICs.
 *   sighting  token(4) macs n(1) [address mac(6)]…
 *   macs = n(1) [mac(6)]…   addresses = n(1) [address]…   address = family(1) bytes(4 or 16)
 */
import { formatIp, ipBytes } from './ip.js';
import { MAC_LENGTH, readMac, writeMac } from './mac.js';
import { numberAt, putNumber } from './octet.js';
import { PART_MAX } from './part.js';

/** Of either node's own NICs; the others are not told. */
export const MACS_MAX = 8;
/** Addresses of one inquiry, so that the sighting of all of them fits into a part. */
export const INQUIRED_MAX = 32;

export interface Inquiry {
  /** Of the asker's: below 2^32. */
  token: number;
  macs: string[];
  /** Canonical text. */
  addresses: string[];
}

export interface Sighting {
  token: number;
  macs: string[];
  /** An address is in it as often as MACs answered for it; not at all: nobody did. */
  seen: { address: string; mac: string }[];
}

/** Throws a RangeError beyond the limits above: that is our own mistake. */
export function encodeInquiry({ token, macs, addresses }: Inquiry): Uint8Array {
  if (addresses.length > INQUIRED_MAX) throw new RangeError(`${addresses.length} addresses in one inquiry`);
  const bytes = new Uint8Array(PART_MAX);
  let at = putMacs(bytes, putNumber(bytes, 0, token, 4), macs);
  bytes[at++] = addresses.length;
  for (const address of addresses) at = putAddress(bytes, at, address);
  return bytes.slice(0, at);
}

/** What is beyond INQUIRED_MAX is left out. */
export function encodeSighting({ token, macs, seen }: Sighting): Uint8Array {
  const told = seen.slice(0, INQUIRED_MAX);
  const bytes = new Uint8Array(PART_MAX);
  let at = putMacs(bytes, putNumber(bytes, 0, token, 4), macs);
  bytes[at++] = told.length;
  for (const { address, mac } of told) {
    at = putAddress(bytes, at, address);
    writeMac(bytes, at, mac);
    at += MAC_LENGTH;
  }
  return bytes.slice(0, at);
}

function putMacs(bytes: Uint8Array, at: number, macs: readonly string[]): number {
  const told = macs.slice(0, MACS_MAX);
  bytes[at++] = told.length;
  for (const mac of told) {
    writeMac(bytes, at, mac);
    at += MAC_LENGTH;
  }
  return at;
}

function putAddress(bytes: Uint8Array, at: number, address: string): number {
  const octets = ipBytes(address);
  bytes[at] = octets.length === 4 ? 4 : 6;
  bytes.set(octets, at + 1);
  return at + 1 + octets.length;
}

/** Null: damaged. */
export function decodeInquiry(bytes: Uint8Array): Inquiry | null {
  const reader = new Reader(bytes);
  const token = reader.number(4);
  const macs = reader.list(MACS_MAX, () => reader.mac());
  const addresses = reader.list(INQUIRED_MAX, () => reader.address());
  return reader.isDone() ? { token, macs, addresses } : null;
}

/** Null: damaged. */
export function decodeSighting(bytes: Uint8Array): Sighting | null {
  const reader = new Reader(bytes);
  const token = reader.number(4);
  const macs = reader.list(MACS_MAX, () => reader.mac());
  const seen = reader.list(INQUIRED_MAX, () => ({ address: reader.address(), mac: reader.mac() }));
  return reader.isDone() ? { token, macs, seen } : null;
}

/** After the first thing that does not fit everything it gives is void, and `isDone` false. */
class Reader {
  #at = 0;
  #fits = true;

  constructor(readonly bytes: Uint8Array) {}

  #take(length: number): Uint8Array {
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.bytes.length) this.#fits = false;
    return this.#fits ? this.bytes.subarray(from, this.#at) : new Uint8Array(length);
  }

  number(length: number): number {
    return numberAt(this.#take(length), 0, length);
  }

  mac(): string {
    return readMac(this.#take(MAC_LENGTH), 0);
  }

  address(): string {
    const family = this.number(1);
    if (family !== 4 && family !== 6) this.#fits = false;
    return formatIp(this.#take(family === 4 ? 4 : 16));
  }

  list<T>(most: number, item: () => T): T[] {
    const length = this.number(1);
    if (length > most) this.#fits = false;
    const items: T[] = [];
    for (let i = 0; i < length && this.#fits; i++) items.push(item());
    return items;
  }

  isDone(): boolean {
    return this.#fits && this.#at === this.bytes.length;
  }
}
