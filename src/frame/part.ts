/**
 * A heartbeat carries parts: each has a kind and bytes that one stage writes and reads. On the wire: kind 1 · length 2 · bytes.
 */
import { numberAt, putNumber } from './octet.js';

export interface Part {
  kind: PartKind;
  /** At most PART_MAX bytes. */
  bytes: Uint8Array;
}

/** The numbers are on the wire: none is used twice, none is used again. Below 16: the health stage's own. */
export const PART = {
  /** Membership: standing words of every beat. */
  standing: 16,
  append: 17,
  answer: 18,
  grant: 19,
  ask: 20,
  reply: 21,
  /** One piece of a document that does not fit into a part. */
  piece: 22,
  /** Package: an operator's request on its way to the coordinator, and what came of it. */
  request: 32,
  outcome: 33,
  /** Takeover: who has that address? and what the net said. */
  inquiry: 40,
  sighting: 41,
  /** Takeover: did you hear a frame under this MAC? and which were heard. */
  trial: 42,
  heard: 43,
} as const;

export type PartKind = number;

/** A beat of at most 1200 bytes holds one such beside the rest. */
export const PART_MAX = 900;

const HEADER_LENGTH = 3;

/** Bytes that it takes in a beat, its header included. */
export function lengthOf({ bytes }: Part): number {
  return HEADER_LENGTH + bytes.length;
}

/** Where the next byte goes. */
export function putParts(plain: Uint8Array, from: number, parts: readonly Part[]): number {
  let at = from;
  for (const { kind, bytes } of parts) {
    plain[at++] = kind;
    at = putNumber(plain, at, bytes.length, 2);
    plain.set(bytes, at);
    at += bytes.length;
  }
  return at;
}

/** All from there to the end. Null: the last one is cut short. */
export function readParts(plain: Uint8Array, from: number): Part[] | null {
  const parts: Part[] = [];
  for (let at = from; at < plain.length;) {
    if (at + HEADER_LENGTH > plain.length) return null;
    const kind = plain[at]!;
    const length = numberAt(plain, at + 1, 2);
    at += HEADER_LENGTH;
    if (at + length > plain.length) return null;
    parts.push({ kind, bytes: plain.subarray(at, at + length) });
    at += length;
  }
  return parts;
}
