/** A heartbeat carries parts: each has a kind and bytes that one stage writes and reads. */

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
