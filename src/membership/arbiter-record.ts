/** What the arbiter stores, and how it is asked: one register with compare-and-swap (MEMBERSHIP 7). */
import type { Document, Voter } from './document.js';

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

export type ArbiterRequest =
  | { ask: 'read' }
  /** Only if there is none. */
  | { ask: 'create'; record: ArbiterRecord }
  /** Only if it is still in that state. */
  | { ask: 'write'; expect: ArbiterStamp; record: ArbiterRecord };

export type ArbiterAnswer =
  /** The answer of a read, or: created, written. */
  | { outcome: 'done'; stamp: ArbiterStamp; record: ArbiterRecord }
  /** There is none: found by a read or a write. */
  | { outcome: 'missing' }
  /** The comparison failed; this is what is there. */
  | { outcome: 'refused'; stamp: ArbiterStamp; record: ArbiterRecord }
  /** No answer in time, or none that can be understood: a write may have been done or not. */
  | { outcome: 'unknown'; text: string };
