/** What the membership stage remembers, as plain data (MEMBERSHIP 2). Records and documents are replaced, never changed in place. */
import type { Echo, Message } from '../frame/dialogue.js';
import type { Standing } from '../frame/standing.js';
import type { Cluster, ClusterNode } from '../config/cluster.js';
import type { Ms } from '../input.js';
import type { Alarm, Decision, PeerHealth } from '../status.js';
import type { World } from '../world.js';
import type { ArbiterMemory } from './arbiter-memory.js';
import type { ArbiterRecord, ArbiterRequest, ArbiterStamp, ArbiterTrouble, DiskBlock } from './arbiter-record.js';
import type { Fencing } from './fence.js';
import { BLANK, type Document, type Version, type Voter } from './document.js';

/** Long before everything: state must survive JSON, which knows no -Infinity. */
export const NEVER: Ms = -1e15;
/** Long after everything. */
export const FAR: Ms = 1e15;

/** The durable record: one file, whole. */
export interface DurableRecord {
  storageId: string;
  /** Highest term seen. */
  term: number;
  /** Whom this voter voted for in it. */
  votedFor: Voter | null;
  /** The newest stored, committed or not; null: blank. */
  document: Document | null;
}

/** A record on its way to the disk. */
export interface Storing {
  id: number;
  /** When it was handed to the disk. */
  at: Ms;
  record: DurableRecord;
}

/** `name/storageId`. */
export type VoterKey = string;

/** What the coordinator knows of a voter. */
export interface Acked {
  /** Sending time of the newest append of this term that it answered. */
  sentAt: Ms;
  /** Newest document of which it said that it has stored it. */
  version: Version;
}

/** The newest answer of a node. */
export interface Answered extends Echo {
  at: Ms;
  storageId: string;
  version: Version;
  held: string[];
}

export interface Coordinatorship {
  role: 'coordinator';
  since: Ms;
  /** Every lease that an older coordinator granted is surely over then (E8). */
  oldLeasesEnd: Ms;
  committed: Version;
  acked: Record<VoterKey, Acked>;
  /** By node: every lease granted to it is surely over then (C5). Absent: `oldLeasesEnd`. */
  leaseBounds: Record<string, Ms>;
  answered: Record<string, Answered>;
  beatAt: Ms;
  /** A beat is due at once. */
  beatWanted: boolean;
  /** Of the proposal under way. */
  cause: string;
  /** The document before it. */
  before: Document | null;
  /** The voters that there should be (V1), and since when they have been the same. */
  wanted: string;
  wantedSince: Ms;
  /** Name → why its vote came or went with the last change. */
  why: Record<string, string>;
  /** By node: the last document that went to it in pieces, and when. */
  pieced: Record<string, { version: Version; at: Ms }>;
}

export type Post =
  | { role: 'follower' }
  | { role: 'pre-candidate'; round: number; since: Ms; yes: Record<VoterKey, true> }
  /** Voter → its arrival minus its age (E8). */
  | { role: 'candidate'; since: Ms; votes: Record<VoterKey, Ms>; askedArbiter: boolean }
  | Coordinatorship;

export interface Lease {
  end: Ms;
  /** Of the coordinator that granted it. */
  term: number;
  /** What was committed, as it said with the grant. */
  committed: Version;
}

/** A grant that waits for a document (N2). */
export interface WaitingGrant extends Lease {
  need: Version;
}

/** An append whose answer is owed, or that may be answered anew. */
export interface Append extends Echo {
  node: string;
  term: number;
}

export interface Peer {
  health: PeerHealth | 'unheard';
  /** Null: it has said nothing since this daemon's start, or not since its own. */
  standing: Standing | null;
  incarnation: string;
  /** NEVER before the first beat. */
  heardAt: Ms;
  /** When it was last heard under another cluster file: it is there, though it counts for nothing. */
  otherFileAt: Ms;
}

/** Pieces of one document from one node. */
export interface Pieces {
  founds: boolean;
  term: number;
  version: Version;
  count: number;
  texts: Record<string, string>;
}

export interface ArbiterQuestion {
  id: number;
  at: Ms;
  request: ArbiterRequest;
  /** What it is good for if it succeeds. */
  purpose: { for: 'look' } | { for: 'formation' } | { for: 'vote'; term: number; seenAt: Ms } | { for: 'ack' };
}

/** What is known of shared disks as arbiter (A7). */
export interface DiskMemory {
  /** Of which `blocks` and the counters are. */
  storageId: string;
  /** As the newest view showed them. */
  blocks: Record<string, DiskBlock | null>;
  /** Highest counts of the own block, written or tried. */
  beat: number;
  writes: number;
  /** Terms of the newest vote that this run of the daemon asked for, and that it counted. */
  stoodIn: number;
  wonIn: number;
  /** When a write was last asked for, and when one was last seen to be there. */
  triedAt: Ms;
  wroteAt: Ms;
  /** Writes in a row of which none was seen to be there, and why the newest was not. */
  lostWrites: number;
  failure: string;
}

export interface ArbiterState {
  /** Null: it is a register. */
  disk: DiskMemory | null;
  /** Of the newest question that came to nothing. */
  trouble: { why: ArbiterTrouble | null; text: string } | null;
  question: ArbiterQuestion | null;
  askedAt: Ms;
  answeredAt: Ms;
  /** Since when it is seen to be another voter than the document has; while it is not: the last step. */
  lostSince: Ms;
  /** Questions in a row without an answer. */
  missed: number;
  /** Nothing is asked again before, but for votes. */
  pauseUntil: Ms;
  /** Of the newest answer; null: none yet, or not known any more. */
  seen: {
    stamp: ArbiterStamp;
    record: ArbiterRecord;
    /** Arrival of the first answer that showed this stamp (A4). */ since: Ms;
  } | null;
  /** The newest answer said that there is no key. */
  missing: boolean;
  /** Of the newest record that was read; null: none yet. */
  storageId: string | null;
  /** The newest that a register has shown; null: nothing yet. */
  memory: ArbiterMemory | null;
  sequence: number;
}

export interface Waiting {
  /** Id of the store before which it must not leave. */
  after: number;
  to: string;
  message: Message;
}

/** Plain data. */
export interface MembershipState {
  /** `off`: no packages. `solo`: quorum none. */
  kind: 'off' | 'voting' | 'solo';
  started: boolean;
  startedAt: Ms;
  dropped: Record<string, number>;
  alarms: Record<string, Alarm>;
  decisions: Decision[];
  record: DurableRecord;
  /** The newest that is surely on the disk; null: none yet. */
  durable: DurableRecord | null;
  storing: Storing[];
  storeId: number;
  /** The newest that succeeded. */
  storedId: number;
  /** A store failed: tried again then. */
  retryAt: Ms;
  /** The disk held no good record when the daemon started. */
  wasBlank: boolean;
  post: Post;
  /** Last word from a coordinator; at start: the start. */
  heardAt: Ms;
  /** Last time this voter answered a coordinator, itself included; at start: the start. */
  answeredAt: Ms;
  electAt: Ms;
  /** How often it stood since it last heard a coordinator. */
  tries: number;
  /** The first document goes out again then. */
  spreadAt: Ms;
  /** E10: until then it does not stand if it needs the arbiter for it. */
  patientUntil: Ms;
  /** Appends, answers and rounds. */
  sequence: number;
  /** Sequence → when it was sent; from the oldest that is kept on. */
  sent: Record<string, Ms>;
  sentFrom: number;
  lease: Lease;
  grants: WaitingGrant[];
  /** Whom it follows, or itself. */
  coordinator: string | null;
  coordinatorHeardAt: Ms;
  /** The newest of the present coordinator. */
  append: Append | null;
  answerOwed: boolean;
  /** Quorum none: it was coordinator until another one was met, or no target, and has not let go of all yet. */
  yields: boolean;
  /** Packages that the last answer called held. */
  saidHeld: string[];
  /** Packages that were held at the last step. */
  held: string[];
  outbox: Waiting[];
  pieces: Record<string, Pieces>;
  peers: Record<string, Peer>;
  arbiter: ArbiterState | null;
  fencing: Fencing;
  leaving: boolean;
  /** Standing words as they were last given, and what they were made of. */
  words: string;
  /** As the journal last said. */
  told: { role: string; coordinator: string | null; lease: boolean; voters: Document['voters'] | null };
  /** Since when there is no quorum; while there is one: the last step. */
  quorumMissedAt: Ms;
  /** Time of the last step. */
  now: Ms;
  dueAt: Ms;
}

export function drop(state: MembershipState, reason: string): void {
  state.dropped[reason] = (state.dropped[reason] ?? 0) + 1;
}

export function voterKey({ name, storageId }: Voter): VoterKey {
  return `${name}/${storageId}`;
}

export function selfVoter(world: World, state: MembershipState): Voter {
  return { name: world.self.name, storageId: state.record.storageId };
}

export function versionOf(record: DurableRecord | null): Version {
  return record?.document?.version ?? BLANK;
}

/** Reckoned from the file alone, so they are no state: kept, for every step asks. */
const packageNamesOf = new WeakMap<Cluster, readonly string[]>();
const othersOf = new WeakMap<ClusterNode, readonly string[]>();

export function packageNames({ cluster }: World): readonly string[] {
  let names = packageNamesOf.get(cluster);
  if (names === undefined) {
    names = cluster.packages.map(({ name }) => name);
    packageNamesOf.set(cluster, names);
  }
  return names;
}

/** All nodes of the cluster file but this one. */
export function others({ cluster, self }: World): readonly string[] {
  let names = othersOf.get(self);
  if (names === undefined) {
    names = cluster.nodes.map(({ name }) => name).filter((name) => name !== self.name);
    othersOf.set(self, names);
  }
  return names;
}

/** How long a follower waits for its coordinator before it stands (E3). */
export function promiseMs(world: World): Ms {
  return 2 * world.cluster.timing.heartbeatMs;
}

export function between(world: World, low: number, high: number): number {
  return low + (high - low) * world.random();
}

/** So many times 8 hex digits. */
export function drawWords(world: World, count: number): string {
  const word = (): string =>
    Math.floor(world.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return Array.from({ length: count }, word).join('');
}

/** 32 hex digits; two daemons never draw the same, for their incarnation is in it. */
export function drawStorageId(world: World): string {
  return world.incarnation.padStart(16, '0').slice(0, 16) + drawWords(world, 2);
}
