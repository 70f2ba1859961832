/**
 * The heartbeat's short form, for a serial line between two nodes (DESIGN 6). The line itself says who speaks to whom.
 * All numbers are big-endian.
 *
 *    0  0x73 · version 1                                               2   ┐
 *    2  incarnation of the sender's daemon                             8   │ clear, covered by the seal
 *   10  sequence: one up with every beat to that receiver              6   ┘
 *    .  sealed:
 *         0  first quarter of the cluster file's digest                8
 *         8  flags: asks 1, left 2, rerouted 4, what follows 8, 16, 32 1
 *         .  the receiver's incarnation that counts here               8 if flag 8
 *         .  the one that it claims besides                            8 if flag 16
 *         .  last sequence heard over the line 6, milliseconds since 2   if flag 32
 *         .  parts to the end: each kind 1 · length 2 · bytes
 *         .  tag of AES-256-GCM                                       16
 *
 * The sequence is that of the same beat on all other paths; the key is the line's own.
 */
import type { Cipher, KeyId } from '../world.js';
import { AGO_MAX_MS, type Beat, type Channel } from './heartbeat.js';
import { hexAt, numberAt, putHex, putNumber } from './octet.js';
import { lengthOf, putParts, readParts } from './part.js';

export const SHORT_BEAT_VERSION = 1;

const MAGIC = 0x73;
const TAG_LENGTH = 16;
const HEADER_LENGTH = 16;
const DIGEST_LENGTH = 8;
const FLAGS_AT = DIGEST_LENGTH;
const FIXED_LENGTH = DIGEST_LENGTH + 1;

const FLAG_ASKS = 1;
const FLAG_LEFT = 2;
const FLAG_REROUTED = 4;
const FLAG_ACCEPTED = 8;
const FLAG_CLAIMED = 16;
const FLAG_ECHO = 32;

export type ShortBeatDrop = 'serial-short' | 'serial-magic' | 'serial-version';

/** The text under which the cipher derives the line's key (RFC 5869 info). */
export function lineText({ cluster, source, destination, incarnation }: Omit<Channel, 'net'>): string {
  return `serial/${SHORT_BEAT_VERSION}/${cluster}/${source}/${destination}/${incarnation}`;
}

/** Bytes of the whole, as `sealShortBeat` makes it. */
export function shortBeatLength(beat: Beat): number {
  const optional = (beat.accepted ? 8 : 0) + (beat.claimed ? 8 : 0) + (beat.echo.sequence > 0 ? 8 : 0);
  return beat.parts.reduce((sum, part) => sum + lengthOf(part), HEADER_LENGTH + FIXED_LENGTH + optional + TAG_LENGTH);
}

/** Of `beat.digest` half is said. `text`: the channel's, as `lineText` makes it. */
export function sealShortBeat(
  incarnation: string,
  text: string,
  sequence: number,
  beat: Beat,
  cipher: Cipher,
  key: KeyId,
): Uint8Array {
  const header = new Uint8Array(HEADER_LENGTH);
  let at = putNumber(header, 0, MAGIC * 256 + SHORT_BEAT_VERSION, 2);
  at = putHex(header, at, incarnation, 8);
  putNumber(header, at, sequence, 6);
  const sealed = cipher.seal(text, sequence, encode(beat), header, key);
  const bytes = new Uint8Array(HEADER_LENGTH + sealed.length);
  bytes.set(header);
  bytes.set(sealed, HEADER_LENGTH);
  return bytes;
}

function encode(beat: Beat): Uint8Array {
  const plain = new Uint8Array(shortBeatLength(beat) - HEADER_LENGTH - TAG_LENGTH);
  putHex(plain, 0, beat.digest, DIGEST_LENGTH);
  plain[FLAGS_AT] =
    (beat.asks ? FLAG_ASKS : 0) |
    (beat.left ? FLAG_LEFT : 0) |
    (beat.rerouted ? FLAG_REROUTED : 0) |
    (beat.accepted ? FLAG_ACCEPTED : 0) |
    (beat.claimed ? FLAG_CLAIMED : 0) |
    (beat.echo.sequence > 0 ? FLAG_ECHO : 0);
  let at = FIXED_LENGTH;
  if (beat.accepted) at = putHex(plain, at, beat.accepted, 8);
  if (beat.claimed) at = putHex(plain, at, beat.claimed, 8);
  if (beat.echo.sequence > 0) {
    at = putNumber(plain, at, beat.echo.sequence, 6);
    at = putNumber(plain, at, Math.max(0, Math.min(AGO_MAX_MS, Math.round(beat.echo.agoMs))), 2);
  }
  putParts(plain, at, beat.parts);
  return plain;
}

/** The checks that need no key. */
export function checkShortBeat(bytes: Uint8Array): ShortBeatDrop | null {
  if (bytes.length < HEADER_LENGTH + FIXED_LENGTH + TAG_LENGTH) return 'serial-short';
  if (bytes[0] !== MAGIC) return 'serial-magic';
  return bytes[1] === SHORT_BEAT_VERSION ? null : 'serial-version';
}

/** As the header claims it; nothing is checked. */
export function shortBeatIncarnation(bytes: Uint8Array): string {
  return hexAt(bytes, 2, 8);
}

/** As the header claims it; nothing is checked. */
export function shortBeatSequence(bytes: Uint8Array): number {
  return numberAt(bytes, 10, 6);
}

/** Of what `checkShortBeat` let pass. Null: not sealed by this channel's key. */
export function openShortBeat(bytes: Uint8Array, text: string, cipher: Cipher, key: KeyId): Uint8Array | null {
  const header = bytes.subarray(0, HEADER_LENGTH);
  return cipher.open(text, shortBeatSequence(bytes), bytes.subarray(HEADER_LENGTH), header, key);
}

/** Null: sealed with the right key, and yet not as it must be. Its digest is the first quarter alone. */
export function decodeShortBeat(plain: Uint8Array): Beat | null {
  if (plain.length < FIXED_LENGTH) return null;
  const flags = plain[FLAGS_AT]!;
  let at = FIXED_LENGTH;
  const take = (flag: number): number => {
    const start = at;
    if ((flags & flag) !== 0) at += 8;
    return start;
  };
  const [acceptedAt, claimedAt, echoAt] = [take(FLAG_ACCEPTED), take(FLAG_CLAIMED), take(FLAG_ECHO)];
  if (at > plain.length || flags >= 2 * FLAG_ECHO) return null;
  const parts = readParts(plain, at);
  if (parts === null) return null;
  const hasEcho = (flags & FLAG_ECHO) !== 0;
  return {
    digest: hexAt(plain, 0, DIGEST_LENGTH),
    asks: (flags & FLAG_ASKS) !== 0,
    left: (flags & FLAG_LEFT) !== 0,
    rerouted: (flags & FLAG_REROUTED) !== 0,
    accepted: (flags & FLAG_ACCEPTED) !== 0 ? hexAt(plain, acceptedAt, 8) : '',
    claimed: (flags & FLAG_CLAIMED) !== 0 ? hexAt(plain, claimedAt, 8) : '',
    echo: hasEcho
      ? { sequence: numberAt(plain, echoAt, 6), agoMs: numberAt(plain, echoAt + 6, 2) }
      : { sequence: 0, agoMs: 0 },
    parts,
  };
}
