/**
 * An operator's request on its way to the coordinator, and what came of it (parts `request` and `outcome`): JSON, all
 * characters above 0x7e escaped, so that a byte is a character.
 */
import type { ClusterRequest, OperatorAnswer } from '../status.js';
import { PART_MAX } from './part.js';

export interface Errand {
  /** Of the asking daemon's run: with its node and incarnation it names the request. */
  id: number;
  request: ClusterRequest;
  /** Package → node on which the asking node knew it to be placed when it was asked. */
  at: Record<string, string>;
}

export interface Outcome {
  /** Of the errand. */
  id: number;
  /** Of the daemon that asked. */
  incarnation: string;
  answer: OperatorAnswer;
}

/** Null: too long for one part. */
export function encodeErrand(errand: Errand): Uint8Array | null {
  return bytesOf(errand);
}

/** An answer that is too long loses its data, then the end of its text. */
export function encodeOutcome({ id, incarnation, answer }: Outcome): Uint8Array {
  const why = !answer.ok && answer.why !== undefined ? { why: answer.why } : {};
  const plain: OperatorAnswer = answer.ok ? { ok: true, text: answer.text } : { ok: false, text: answer.text, ...why };
  for (let length = plain.text.length; ; length = Math.floor(length / 2)) {
    const short = length < plain.text.length ? { ...plain, text: `${plain.text.slice(0, length)}…` } : plain;
    const bytes =
      (length === plain.text.length ? bytesOf({ id, incarnation, answer }) : null) ??
      bytesOf({ id, incarnation, answer: short });
    if (bytes !== null) return bytes;
  }
}

/** Null: damaged. */
export function decodeErrand(bytes: Uint8Array): Errand | null {
  const value = valueOf(bytes);
  if (!isRecord(value) || !isId(value['id']) || !isRecord(value['at'])) return null;
  const { id, at } = value;
  const request = requestOf(value['request']);
  if (request === null || !Object.values(at).every((node) => typeof node === 'string')) return null;
  return { id, request, at: at as Record<string, string> };
}

/** Null: damaged. */
export function decodeOutcome(bytes: Uint8Array): Outcome | null {
  const value = valueOf(bytes);
  if (!isRecord(value) || !isId(value['id']) || typeof value['incarnation'] !== 'string') return null;
  const { id, incarnation, answer } = value;
  if (!isRecord(answer) || typeof answer['text'] !== 'string') return null;
  const { ok, text, why, data } = answer;
  if (ok === true) return { id, incarnation, answer: data === undefined ? { ok, text } : { ok, text, data } };
  if (ok !== false || (why !== undefined && why !== 'no-quorum')) return null;
  return { id, incarnation, answer: why === undefined ? { ok, text } : { ok, text, why } };
}

/** A request with exactly the fields that it may have; null: it is none. */
export function requestOf(value: unknown): ClusterRequest | null {
  if (!isRecord(value)) return null;
  const { ask, dryRun } = value;
  const dry = dryRun === undefined ? {} : typeof dryRun === 'boolean' ? { dryRun } : null;
  if (dry === null) return null;
  const to = value['to'] === undefined ? {} : typeof value['to'] === 'string' ? { to: value['to'] } : null;
  if (to === null) return null;
  switch (ask) {
    case 'cluster-run':
    case 'cluster-halt':
      return { ask, ...dry };
    case 'node-run':
    case 'node-halt':
    case 'node-remove':
    case 'node-fenced':
    case 'node-unfence':
    case 'takeover':
      return typeof value['node'] === 'string' ? { ask, node: value['node'], ...dry } : null;
    case 'package-halt':
    case 'package-enable':
    case 'package-disable':
      return typeof value['package'] === 'string' ? { ask, package: value['package'], ...dry } : null;
    case 'package-start':
    case 'package-move':
      return typeof value['package'] === 'string' ? { ask, package: value['package'], ...to, ...dry } : null;
    case 'surrender':
      return { ask, ...to, ...dry };
    default:
      return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function bytesOf(value: unknown): Uint8Array | null {
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const text = JSON.stringify(value).replace(/[\u007f-\uffff]/g, escape);
  if (text.length > PART_MAX) return null;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function valueOf(bytes: Uint8Array): unknown {
  if (bytes.length > PART_MAX || bytes.some((byte) => byte > 0x7e)) return undefined;
  try {
    return JSON.parse(String.fromCharCode(...bytes)) as unknown;
  } catch {
    return undefined;
  }
}
