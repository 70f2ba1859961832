/**
 * Shared disks as arbiter, as in Disk Paxos (Gafni and Lamport 2003; MEMBERSHIP A7): each node writes one block of its own
 * and reads all. A vote or an ack in term t is: write the own block with t, then read the others.
 *
 *   alpha   write t ─────────── read ──▶ sees beta's t or not
 *   beta         write t ── read ──────▶ of two writes before two reads, at least one is seen by the other
 *
 * What two disks show is one view: a write is done when it is on both, and the newer of two blocks of a node counts.
 * A write that comes late harms nobody: whoever gave it up does not count it, and for the others it is the word of a
 * rival of an old term, or of one of this term that has no majority.
 */
import { compareVersions, readDocument, readVersion, type Document, type Version } from './document.js';
import type { ArbiterTrouble, DiskBlock, DiskRequest, DiskView, RegisterAnswer } from './arbiter-record.js';
import type { Ms } from '../input.js';
import { isSynced } from './durable.js';
import { isVoter } from './quorum.js';
import {
  NEVER,
  selfVoter,
  versionOf,
  voterKey,
  type ArbiterQuestion,
  type ArbiterState,
  type DiskMemory,
  type MembershipState,
} from './state.js';
import type { World } from '../world.js';

type Put = Extract<DiskRequest, { ask: 'put' }>;
type Blocks = DiskView['blocks'];

/** A node's block is written at least once in so many of nodeTimeout. */
const REWRITE_TIMEOUTS = 10;

export function noDisk(): DiskMemory {
  return {
    storageId: '',
    blocks: {},
    beat: 0,
    writes: 0,
    stoodIn: -1,
    wonIn: -1,
    triedAt: NEVER,
    wroteAt: NEVER,
    lostWrites: 0,
    failure: '',
  };
}

/** Every write gets numbers of its own, so that whether it is there can be seen. */
export function put(
  world: World,
  state: MembershipState,
  disk: DiskMemory,
  role: DiskBlock['role'],
  document: Document,
  term = state.record.term,
): Put {
  disk.writes++;
  disk.triedAt = state.now;
  if (role === 'coordinator') disk.beat++;
  if (role === 'candidate') disk.stoodIn = term;
  const { beat, writes } = disk;
  const block: DiskBlock = { term, role, beat, run: runOf(world), writes, version: document.version };
  // What a damaged block held is known to a voter that lost nothing: it stored it before it wrote it (P1).
  const mend = state.record.document !== null && isVoter(state.record.document.voters, selfVoter(world, state));
  return { ask: 'put', storageId: disk.storageId, block, document, mend };
}

function runOf({ incarnation }: World): string {
  return incarnation.padStart(16, '0').slice(0, 16);
}

function isSameWrite(a: DiskBlock | null | undefined, b: DiskBlock): boolean {
  return a?.writes === b.writes && a.run === b.run;
}

/**
 * What the own block should say and does not: that a candidate failed, or anything at all. In peace it is written again now
 * and then, or nobody would know that a disk takes no writes before the vote that needs one.
 */
export function amendment(world: World, state: MembershipState, { disk }: ArbiterState, now: Ms): Put | null {
  const own = disk?.blocks[world.self.name];
  const { post, record } = state;
  if (!disk || record.document === null || !isSynced(state)) return null;
  // Of a damaged one the node itself knows what was in it (P1), whatever the others' show.
  const newest = newestVersion(disk.blocks);
  const mayWrite = newest !== null && compareVersions(versionOf(record), newest) >= 0;
  if (own !== null && !mayWrite) return null;
  const self = selfVoter(world, state);
  const { nodeTimeoutMs } = world.cluster.timing;
  const mayTry = now >= disk.triedAt + nodeTimeoutMs;
  if (!own) {
    if (!mayTry || !isVoter(record.document.voters, self)) return null;
    const stood = record.votedFor !== null && voterKey(record.votedFor) === voterKey(self);
    const role = post.role === 'coordinator' ? post.role : stood ? 'candidate' : 'none';
    return put(world, state, disk, role, record.document);
  }
  const isDue = disk.lostWrites > 0 || now >= disk.wroteAt + REWRITE_TIMEOUTS * nodeTimeoutMs;
  if (mayTry && isDue && own.term <= record.term) {
    const again = put(world, state, disk, 'none', record.document, own.term);
    return { ...again, block: { ...again.block, role: own.role } };
  }
  // Only a vote that was asked for in this run and never counted: one from before a restart may have made a coordinator.
  const failed = own.role === 'candidate' && own.term === disk.stoodIn && own.term !== disk.wonIn;
  const isInOffice = post.role === 'candidate' || post.role === 'coordinator';
  if (!failed || own.term > record.term || (isInOffice && own.term === record.term)) return null;
  return put(world, state, disk, 'none', record.document, own.term);
}

/**
 * What came of writing that block, by the view that was read after it. `won`: no other has a higher term, nor this one in
 * a role for itself, and no newer document is there. `unclear`: it may count for others, but for nothing here.
 */
export function judgePut(
  self: string,
  { block, document }: Pick<Put, 'block' | 'document'>,
  blocks: Blocks,
): Judgement {
  const own = blocks[self];
  if (own === null) return unclear('damaged', `the block of ${self} is damaged`);
  if (!isSameWrite(own, block) || own?.term !== block.term || own.role !== block.role)
    return unclear('stale', 'what was written is not there');
  for (const [node, other] of Object.entries(blocks)) {
    if (node === self) continue;
    if (other === null) return unclear('damaged', `the block of ${node} is damaged`);
    if (other.term > block.term || (other.term === block.term && other.role !== 'none')) return LOST;
    if (compareVersions(other.version, document.version) > 0) return LOST;
  }
  return WON;
}

export type Judgement = { is: 'won' } | { is: 'lost' } | { is: 'unclear'; why: ArbiterTrouble; text: string };

const WON: Judgement = { is: 'won' };
const LOST: Judgement = { is: 'lost' };

function unclear(why: ArbiterTrouble, text: string): Judgement & { is: 'unclear' } {
  return { is: 'unclear', why, text };
}

/** What a view says, in the words of a register: its stamp is the same as long as no other node coordinated through it (A4). */
export function findings(
  world: World,
  arbiter: ArbiterState,
  { request }: ArbiterQuestion,
  given: DiskView,
  now: Ms,
): RegisterAnswer {
  const self = world.self.name;
  const view = readView(given);
  const disk = (arbiter.disk ??= noDisk());
  if (view === null) return { outcome: 'unknown', text: 'a view that makes no sense', why: 'damaged' };
  if (view.storageId !== disk.storageId) Object.assign(disk, noDisk(), { storageId: view.storageId });
  const own = view.blocks[self];
  const doubt = doubtOf(self, disk, view.blocks);
  if (doubt !== null) {
    // Two that are damaged: each node mends its own, or both wait for ever.
    if (own !== undefined && (own === null || disk.blocks[self] === null))
      disk.blocks = { ...disk.blocks, [self]: own };
    return { outcome: 'unknown', text: doubt.text, why: doubt.why };
  }
  disk.blocks = view.blocks;
  disk.beat = Math.max(disk.beat, own?.beat ?? 0);
  disk.writes = Math.max(disk.writes, own?.writes ?? 0);
  const { storageId, document, blocks } = view;
  if (document === null) return { outcome: 'missing' };
  const known = Object.entries(blocks).flatMap(([node, block]) => (block === null ? [] : [{ node, ...block }]));
  const term = Math.max(...known.map((block) => block.term));
  const record = { storageId, term, votedFor: null, document, beat: Math.max(...known.map(({ beat }) => beat)) };
  const rivals = known.filter(({ node }) => node !== self).map(({ node, run, beat }) => [node, run, beat]);
  const stamp = { created: storageId, modified: JSON.stringify(rivals) };
  if (request.ask !== 'put') return { outcome: 'done', stamp, record };
  if (request.storageId !== storageId) return { outcome: 'refused', stamp, record };
  const judgement = judgePut(self, request, blocks);
  if (isSameWrite(own, request.block)) Object.assign(disk, { wroteAt: now, lostWrites: 0 });
  if (judgement.is === 'unclear') return { outcome: 'unknown', text: judgement.text, why: judgement.why };
  return { outcome: judgement.is === 'won' ? 'done' : 'refused', stamp, record };
}

/** Nothing that a view shows counts while a rival's block cannot be read, or is older than it was. */
function doubtOf(self: string, { blocks: before }: DiskMemory, blocks: Blocks): (Judgement & { is: 'unclear' }) | null {
  for (const [node, block] of Object.entries(blocks))
    if (block === null && node !== self) return unclear('damaged', `the block of ${node} is damaged`);
  for (const [node, known] of Object.entries(before)) {
    const block = blocks[node];
    if (!known || block === null || (block !== undefined && block.run !== known.run)) continue;
    if ((block?.writes ?? 0) < known.writes) return unclear('stale', `the block of ${node} is older than it was`);
  }
  return null;
}

/** What a driver or a recording calls a view; null: it is none. */
function readView({ storageId, blocks, document }: DiskView): DiskView | null {
  const read = document === null ? null : readDocument(document);
  if (typeof storageId !== 'string' || !/^[0-9a-f]{32}$/.test(storageId)) return null;
  if (document !== null && read === null) return null;
  if (typeof blocks !== 'object' || blocks === null) return null;
  const known: Blocks = {};
  for (const [node, value] of Object.entries(blocks)) {
    const block = value === null ? null : readBlock(value);
    if (value !== null && block === null) return null;
    known[node] = block;
  }
  const newest = newestVersion(known);
  if ((newest === null) !== (read === null)) return null;
  if (newest !== null && compareVersions(newest, read!.version) !== 0) return null;
  return { outcome: 'blocks', storageId, blocks: known, document: read };
}

/** Of the documents in these blocks; null: there is none. */
export function newestVersion(blocks: Blocks): Version | null {
  const versions = Object.values(blocks).flatMap((block) => (block === null ? [] : [block.version]));
  return versions.reduce<Version | null>((a, b) => (a !== null && compareVersions(a, b) >= 0 ? a : b), null);
}

const ROLES: readonly unknown[] = ['none', 'candidate', 'coordinator'];

/** Null: it is none. */
export function readBlock(value: unknown): DiskBlock | null {
  if (typeof value !== 'object' || value === null) return null;
  const { term, role, beat, run, writes, version } = value as Record<string, unknown>;
  const counted = readVersion({ term, revision: beat });
  const stored = readVersion(version);
  if (counted === null || counted.term < 0 || stored === null || stored.term < 0 || !ROLES.includes(role)) return null;
  if (readVersion({ term: 0, revision: writes }) === null) return null;
  if (typeof run !== 'string' || !/^[0-9a-f]{16}$/.test(run)) return null;
  const block = { term: counted.term, role, beat: counted.revision, run, writes, version: stored };
  return block as DiskBlock;
}
