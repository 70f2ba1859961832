/**
 * What a heartbeat says of the sender's NICs: a part of the health stage's own. One byte each, in the order of the
 * cluster file, which both ends have, or the beat counts for nothing.
 *
 *   0  index of the first NIC that it tells of                         2
 *   2  per NIC: health in bits 0 and 1, reason in bits 2 to 6
 */
import type { HealthReason, NicHealth } from '../status.js';
import { numberAt, putNumber } from './octet.js';
import type { Part } from './part.js';

/** Kind of the part. */
export const NIC_REPORT = 1;
/** More have their turn in the next beats. */
export const NICS_A_REPORT = 100;

const HEALTHS: readonly NicHealth[] = ['up', 'suspect', 'down'];
/** The places are on the wire: new ones come last. */
const REASONS: readonly HealthReason[] = [
  'missing',
  'admin',
  'carrier',
  'silent',
  'deaf',
  'mute',
  'unreachable',
  'split',
  'one-way',
  'isolated',
  'unproven',
  'missed',
  'waiting',
];

export interface NicReport {
  first: number;
  /** As `packNic` made them. */
  nics: number[];
}

export function packNic(health: NicHealth, reason: HealthReason | undefined): number {
  return HEALTHS.indexOf(health) | ((reason === undefined ? 0 : REASONS.indexOf(reason) + 1) << 2);
}

export function healthIn(packed: number): NicHealth {
  return HEALTHS[packed & 3] ?? 'down';
}

export function reasonIn(packed: number): HealthReason | undefined {
  return REASONS[((packed >> 2) & 31) - 1];
}

export function encodeNicReport({ first, nics }: NicReport): Part {
  const bytes = new Uint8Array(2 + nics.length);
  putNumber(bytes, 0, first, 2);
  bytes.set(nics, 2);
  return { kind: NIC_REPORT, bytes };
}

/** Null: damaged. */
export function decodeNicReport(bytes: Uint8Array): NicReport | null {
  if (bytes.length < 2) return null;
  return { first: numberAt(bytes, 0, 2), nics: [...bytes.subarray(2)] };
}
