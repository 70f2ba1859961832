/**
 * The heartbeat: what nodes say to each other by UDP (DESIGN 6). All numbers are big-endian.
 *
 *    0  "bt" · version 1 · key: first byte of its id                   4   ┐
 *    4  cluster tag (FNV-1a of the cluster's name)                     4   │ clear, covered by the seal
 *    8  incarnation of the sender's daemon                             8   │
 *   16  sequence: one up with every beat to that receiver              6   │
 *   22  source node, destination node, net                    3 texts      ┘
 *    .  sealed:
 *         0  first half of the cluster file's digest                  16
 *        16  flags                                                     1
 *        17  the receiver's incarnation that counts here, or 0         8
 *        25  the one that it claims besides, or 0                      8
 *        33  last sequence of the receiver heard over this net, or 0   6
 *        39  milliseconds since then                                   2
 *        41  parts: count 1, each kind 1 · length 2 · bytes
 *         .  tag of AES-256-GCM                                       16
 *
 * A text is its length in one byte and that many bytes of Latin-1. The same beat goes over several paths at once: each
 * path, direction and incarnation has a key of its own, so the sequence serves as nonce on all of them.
 */
import type { Cipher, KeyId } from '../world.js';
import { hexAt, numberAt, putHex, putNumber, putText } from './octet.js';
import { lengthOf, putParts, readParts, type Part } from './part.js';
import { hintOf } from './key-word.js';
import { clusterTag } from './poll.js';

export const HEARTBEAT_VERSION = 1;
export const HEARTBEAT_LENGTH_MAX = 1200;
/** Longest `agoMs` that the field can say. */
export const AGO_MAX_MS = 0xffff;

const MAGIC = 0x6274;
const TAG_LENGTH = 16;
const NAMES_AT = 22;
const DIGEST_LENGTH = 16;
const PARTS_AT = 41;
/** Three empty texts. */
const LENGTH_MIN = NAMES_AT + 3 + PARTS_AT + 1 + TAG_LENGTH;

const FLAG_ASKS = 1;
const FLAG_LEFT = 2;
const FLAG_REROUTED = 4;

/** The way of a heartbeat: all that its key belongs to. */
export interface Channel {
  cluster: string;
  source: string;
  destination: string;
  net: string;
  /** Of the source's daemon, 16 hex digits. */
  incarnation: string;
}

export interface Beat {
  /** First half of the cluster file's digest, 32 hex digits. */
  digest: string;
  /** Answer at once, over the same path. */
  asks: boolean;
  /** The sender stops on purpose; it is not waited for. */
  left: boolean;
  /** The sender hears the receiver on no private path. */
  rerouted: boolean;
  /** The receiver's incarnation that counts for the sender; '' if none does. */
  accepted: string;
  /** One that the receiver claims and is to prove; '' if there is none. */
  claimed: string;
  /** Last sequence of the receiver that the sender heard over this net, and how long ago; sequence 0: none. */
  echo: { sequence: number; agoMs: number };
  parts: Part[];
}

export type HeaderDrop =
  | 'heartbeat-short'
  | 'heartbeat-magic'
  | 'heartbeat-version'
  | 'heartbeat-other-cluster'
  | 'heartbeat-unknown-node'
  | 'heartbeat-not-for-us'
  | 'heartbeat-wrong-net';

/** The text under which the cipher derives the channel's key (RFC 5869 info). */
export function channelText({ cluster, source, destination, net, incarnation }: Channel): string {
  return `heartbeat/${HEARTBEAT_VERSION}/${cluster}/${source}/${destination}/${net}/${incarnation}`;
}

export function headerLength(source: string, destination: string, net: string): number {
  return NAMES_AT + 3 + source.length + destination.length + net.length;
}

/** Bytes that the parts of one beat may take, their headers included. */
export function roomForParts(source: string, destination: string, net: string): number {
  return HEARTBEAT_LENGTH_MAX - TAG_LENGTH - PARTS_AT - 1 - headerLength(source, destination, net);
}

/** What `sealBeat` seals. Parts beyond `roomForParts` are the caller's mistake. */
export function encodeBeat(beat: Beat): Uint8Array {
  const length = beat.parts.reduce((sum, part) => sum + lengthOf(part), PARTS_AT + 1);
  const plain = new Uint8Array(length);
  putHex(plain, 0, beat.digest, DIGEST_LENGTH);
  plain[16] = (beat.asks ? FLAG_ASKS : 0) | (beat.left ? FLAG_LEFT : 0) | (beat.rerouted ? FLAG_REROUTED : 0);
  putHex(plain, 17, beat.accepted, 8);
  putHex(plain, 25, beat.claimed, 8);
  putEcho(plain, beat.echo);
  plain[PARTS_AT] = beat.parts.length;
  putParts(plain, PARTS_AT + 1, beat.parts);
  return plain;
}

/** The echo alone differs from path to path. */
export function putEcho(plain: Uint8Array, { sequence, agoMs }: Beat['echo']): void {
  putNumber(plain, 33, sequence, 6);
  putNumber(plain, 39, Math.max(0, Math.min(AGO_MAX_MS, Math.round(agoMs))), 2);
}

/** The whole datagram. `text`: the channel's, as `channelText` makes it. */
export function sealBeat(
  channel: Channel,
  text: string,
  sequence: number,
  plain: Uint8Array,
  cipher: Cipher,
  key: KeyId,
): Uint8Array {
  const header = new Uint8Array(headerLength(channel.source, channel.destination, channel.net));
  let at = putNumber(header, 0, MAGIC, 2);
  at = putNumber(header, at, HEARTBEAT_VERSION, 1);
  at = putNumber(header, at, hintOf(key), 1);
  at = putNumber(header, at, clusterTag(channel.cluster), 4);
  at = putHex(header, at, channel.incarnation, 8);
  at = putNumber(header, at, sequence, 6);
  at = putText(header, at, channel.source);
  at = putText(header, at, channel.destination);
  putText(header, at, channel.net);
  const sealed = cipher.seal(text, sequence, plain, header, key);
  const bytes = new Uint8Array(header.length + sealed.length);
  bytes.set(header);
  bytes.set(sealed, header.length);
  return bytes;
}

/** The checks that need nothing but the first eight bytes. */
export function checkStart(bytes: Uint8Array, tag: number): HeaderDrop | null {
  if (bytes.length < LENGTH_MIN || bytes.length > HEARTBEAT_LENGTH_MAX) return 'heartbeat-short';
  if (numberAt(bytes, 0, 2) !== MAGIC) return 'heartbeat-magic';
  if (bytes[2] !== HEARTBEAT_VERSION) return 'heartbeat-version';
  return numberAt(bytes, 4, 4) === tag ? null : 'heartbeat-other-cluster';
}

/** Do the names say what the addresses said? */
export function checkNames(bytes: Uint8Array, source: string, destination: string, net: string): HeaderDrop | null {
  if (bytes.length < headerLength(source, destination, net) + PARTS_AT + 1 + TAG_LENGTH) return 'heartbeat-short';
  let at = NAMES_AT;
  if (!isTextAt(bytes, at, source)) return 'heartbeat-unknown-node';
  at += 1 + source.length;
  if (!isTextAt(bytes, at, destination)) return 'heartbeat-not-for-us';
  at += 1 + destination.length;
  return isTextAt(bytes, at, net) ? null : 'heartbeat-wrong-net';
}

function isTextAt(bytes: Uint8Array, at: number, text: string): boolean {
  if (bytes[at] !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + 1 + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Of these keys those that it may be sealed with, as the header claims it. */
export function keysFor(bytes: Uint8Array, keys: readonly KeyId[]): KeyId[] {
  return keys.filter((key) => hintOf(key) === bytes[3]);
}

/** As the header claims it; nothing is checked. */
export function incarnationIn(bytes: Uint8Array): string {
  return hexAt(bytes, 8, 8);
}

/** As the header claims it; nothing is checked. */
export function sequenceIn(bytes: Uint8Array): number {
  return numberAt(bytes, 16, 6);
}

/** Of a datagram whose header was checked. Null: not sealed by this channel's key. `length`: of its header. */
export function openBeat(
  bytes: Uint8Array,
  length: number,
  text: string,
  cipher: Cipher,
  key: KeyId,
): Uint8Array | null {
  return cipher.open(text, sequenceIn(bytes), bytes.subarray(length), bytes.subarray(0, length), key);
}

/** Null: sealed with the right key, and yet not as it must be. */
export function decodeBeat(plain: Uint8Array): Beat | null {
  if (plain.length < PARTS_AT + 1) return null;
  const flags = plain[16]!;
  const parts = readParts(plain, PARTS_AT + 1);
  if (parts === null || parts.length !== plain[PARTS_AT]) return null;
  return {
    digest: hexAt(plain, 0, DIGEST_LENGTH),
    asks: (flags & FLAG_ASKS) !== 0,
    left: (flags & FLAG_LEFT) !== 0,
    rerouted: (flags & FLAG_REROUTED) !== 0,
    accepted: incarnationAt(plain, 17),
    claimed: incarnationAt(plain, 25),
    echo: { sequence: numberAt(plain, 33, 6), agoMs: numberAt(plain, 39, 2) },
    parts,
  };
}

function incarnationAt(plain: Uint8Array, at: number): string {
  for (let i = 0; i < 8; i++) if (plain[at + i] !== 0) return hexAt(plain, at, 8);
  return '';
}
