/** What the arbiter stores, and how it is asked: a register with compare-and-swap, or shared disks (MEMBERSHIP 7). */
import type { Document, Version, Voter } from './document.js';

export interface ArbiterRecord {
  storageId: string;
  term: number;
  votedFor: Voter | null;
  document: Document;
  /** Rises with each of a coordinator's writes. */
  beat: number;
}

/** Which state of the register: `created` changes when it was made anew, `modified` with every write. Decimal text, for they are 64 bits wide. */
export interface ArbiterStamp {
  created: string;
  modified: string;
}

export type RegisterRequest =
  | { ask: 'read' }
  /** Only if there is none. */
  | { ask: 'create'; record: ArbiterRecord }
  /** Only if it is still in that state. */
  | { ask: 'write'; expect: ArbiterStamp; record: ArbiterRecord };

/** What a node has in its own block of a shared disk (A7). */
export interface DiskBlock {
  term: number;
  /** Of the node in that term; a candidate that failed writes none. */
  role: 'none' | 'candidate' | 'coordinator';
  /** Rises with each of a coordinator's writes. */
  beat: number;
  /** Incarnation of the daemon that wrote it, 16 hex digits: numbers of two runs are not compared. */
  run: string;
  /** Rises with every write. */
  writes: number;
  /** Of the document in it. */
  version: Version;
}

export type DiskRequest =
  | { ask: 'look' }
  /** Write the own block, then read all. */
  | {
      ask: 'put';
      /** Only if it is still that disk. */
      storageId: string;
      block: DiskBlock;
      document: Document;
      /** Also over an own block that is damaged. */
      mend: boolean;
    };

export type ArbiterRequest = RegisterRequest | DiskRequest;

/** What a disk shows. */
export interface DiskView {
  outcome: 'blocks';
  storageId: string;
  /** By node; null: damaged. Absent: never written. */
  blocks: Record<string, DiskBlock | null>;
  /** The newest in any block; null: all are blank. */
  document: Document | null;
}

/** Why nothing came of a question. Absent: no more is known. */
export type ArbiterTrouble =
  /** It holds something else than this cluster's arbiter: never written to. */
  | 'foreign'
  /** Nobody has made an arbiter of it yet. */
  | 'unprepared'
  /** What it holds fails its checksum. */
  | 'damaged'
  /** It shows what it held before. */
  | 'stale';

export type RegisterAnswer =
  /** The answer of a read, or: created, written. */
  | { outcome: 'done'; stamp: ArbiterStamp; record: ArbiterRecord }
  /** There is none: found by a read or a write. */
  | { outcome: 'missing' }
  /** The comparison failed; this is what is there. */
  | { outcome: 'refused'; stamp: ArbiterStamp; record: ArbiterRecord }
  /** No answer in time, or none that can be understood: a write may have been done or not. */
  | { outcome: 'unknown'; text: string; why?: ArbiterTrouble };

export type ArbiterAnswer = RegisterAnswer | DiskView;
