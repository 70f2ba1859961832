/**
 * The standing words of every heartbeat: who speaks, as what, and how its packages are (MEMBERSHIP 3).
 *
 *   storageId 16 · term 6 · role 1 · version: term + 1 (6), revision (6) · 1 if it is leaving
 *   packages: count 2, each state and held in one byte · epochs: count 2, each package's index 2, term 6, revision 6
 *
 * Epochs that do not fit are left out.
 */
import { hexAt, numberAt, putHex, putNumber } from './octet.js';
import { PART, PART_MAX, type Part } from './part.js';
import type { WireVersion } from './dialogue.js';

const ROLES = ['follower', 'pre-candidate', 'candidate', 'coordinator'] as const;
const STATES = ['halted', 'starting', 'running', 'halting', 'suspended'] as const;
const HELD = 0x80;
const FIXED_LENGTH = 38;
const EPOCH_LENGTH = 14;

/** As in `dialogue.ts`. */
const draft = new Uint8Array(PART_MAX);

export interface StandingJob {
  state: (typeof STATES)[number];
  epoch: WireVersion | null;
  held: boolean;
}

export interface Standing {
  storageId: string;
  term: number;
  role: (typeof ROLES)[number];
  /** Of the document on the disk. */
  version: WireVersion;
  /** It is about to stop and wants to be rid of its packages. */
  leaving: boolean;
  /** By package. */
  jobs: Record<string, StandingJob>;
}

/** `packages`: all of the cluster file, in its order; there is room for 860. One without a job is said to be halted and held. */
export function encodeStanding(standing: Standing, packages: readonly string[]): Part {
  const bytes = draft;
  let at = putHex(bytes, 0, standing.storageId, 16);
  at = putNumber(bytes, at, standing.term, 6);
  at = putNumber(bytes, at, ROLES.indexOf(standing.role), 1);
  at = putNumber(bytes, at, standing.version.term + 1, 6);
  at = putNumber(bytes, at, standing.version.revision, 6);
  at = putNumber(bytes, at, standing.leaving ? 1 : 0, 1);
  const count = Math.min(packages.length, PART_MAX - FIXED_LENGTH - 2);
  at = putNumber(bytes, at, count, 2);
  const epochs: [number, WireVersion][] = [];
  for (let i = 0; i < count; i++) {
    const job = standing.jobs[packages[i]!];
    const state = STATES.indexOf(job?.state ?? 'halted');
    at = putNumber(bytes, at, (job?.held ?? true) ? state | HELD : state, 1);
    if (job?.epoch && job.state !== 'halted') epochs.push([i, job.epoch]);
  }
  const said = epochs.slice(0, Math.floor((PART_MAX - at - 2) / EPOCH_LENGTH));
  at = putNumber(bytes, at, said.length, 2);
  for (const [index, epoch] of said) {
    at = putNumber(bytes, at, index, 2);
    at = putNumber(bytes, at, epoch.term, 6);
    at = putNumber(bytes, at, epoch.revision, 6);
  }
  return { kind: PART.standing, bytes: bytes.slice(0, at) };
}

/** Null: damaged. */
export function decodeStanding({ kind, bytes }: Part, packages: readonly string[]): Standing | null {
  if (kind !== PART.standing || bytes.length < FIXED_LENGTH + 2) return null;
  const role = ROLES[numberAt(bytes, 22, 1)];
  const leaving = numberAt(bytes, 35, 1);
  const count = numberAt(bytes, 36, 2);
  const jobs = jobsAt(bytes, count, packages);
  if (role === undefined || leaving > 1 || jobs === null) return null;
  return {
    storageId: hexAt(bytes, 0, 16),
    term: numberAt(bytes, 16, 6),
    role,
    version: { term: numberAt(bytes, 23, 6) - 1, revision: numberAt(bytes, 29, 6) },
    leaving: leaving === 1,
    jobs,
  };
}

function jobsAt(bytes: Uint8Array, count: number, packages: readonly string[]): Standing['jobs'] | null {
  let at = FIXED_LENGTH + count;
  if (count > packages.length || bytes.length < at + 2) return null;
  const jobs: Standing['jobs'] = {};
  for (let i = 0; i < count; i++) {
    const byte = bytes[FIXED_LENGTH + i]!;
    const state = STATES[byte & ~HELD];
    if (state === undefined) return null;
    jobs[packages[i]!] = { state, epoch: null, held: (byte & HELD) !== 0 };
  }
  const epochs = numberAt(bytes, at, 2);
  at += 2;
  if (bytes.length !== at + EPOCH_LENGTH * epochs) return null;
  for (let i = 0; i < epochs; i++, at += EPOCH_LENGTH) {
    const job = jobs[packages[numberAt(bytes, at, 2)] ?? ''];
    if (job === undefined) return null;
    job.epoch = { term: numberAt(bytes, at + 2, 6), revision: numberAt(bytes, at + 8, 6) };
  }
  return jobs;
}
