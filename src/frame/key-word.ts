/**
 * What nodes tell each other of cluster keys: by their ids, never themselves. The first byte of the id of the key that
 * sealed a message travels in clear, so that no other key need be tried; it proves nothing.
 *
 * KEYS, a part of heartbeats, only while the sender knows more than one:
 *   0  flags                                   1
 *   1  ids, the newest last, each              4
 */
import type { KeyId } from '../world.js';
import { hexAt, putHex } from './octet.js';
import type { Part } from './part.js';

export const KEYS = 4;

export const KEY_ID_LENGTH = 4;

const FLAG_SETTLED = 1;

/** What the sender of a message says of its keys. */
export interface KeyWord {
  /** Of this very message. */
  sealedWith: KeyId;
  /** All that it takes, that one among them. */
  known: KeyId[];
  /** It knows that every node of the cluster file takes its newest. */
  settled: boolean;
}

export function hintOf(key: KeyId): number {
  return parseInt(key.slice(0, 2), 16);
}

export function encodeKeys({ known, settled }: Pick<KeyWord, 'known' | 'settled'>): Part {
  const bytes = new Uint8Array(1 + KEY_ID_LENGTH * known.length);
  bytes[0] = settled ? FLAG_SETTLED : 0;
  known.forEach((key, i) => putHex(bytes, 1 + KEY_ID_LENGTH * i, key, KEY_ID_LENGTH));
  return { kind: KEYS, bytes };
}

/** Without such a part it knows none but the key that sealed it, and needs to know no more. */
export function keyWordIn(parts: readonly Part[], sealedWith: KeyId): KeyWord {
  const bytes = parts.find(({ kind }) => kind === KEYS)?.bytes;
  if (bytes === undefined || (bytes.length - 1) % KEY_ID_LENGTH !== 0)
    return { sealedWith, known: [sealedWith], settled: false };
  const known: KeyId[] = [];
  for (let at = 1; at < bytes.length; at += KEY_ID_LENGTH) known.push(hexAt(bytes, at, KEY_ID_LENGTH));
  return { sealedWith, known, settled: (bytes[0]! & FLAG_SETTLED) !== 0 };
}
