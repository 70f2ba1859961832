/**
 * The document: the cluster's whole memory (MEMBERSHIP 2). Written by the coordinator only, replicated whole.
 */

/** Ordered by term, then revision. (−1, 0) is the blank document of a node without state. */
export interface Version {
  term: number;
  revision: number;
}

/** Name of the arbiter as a voter; no node's name can be it. */
export const ARBITER = '@arbiter';

export interface Voter {
  name: string;
  /** 32 hex digits, made with the voter's durable record: a lost disk is another voter. */
  storageId: string;
}

export interface Placement {
  /** Null: nowhere. */
  node: string | null;
  /** Version of the document that made the placement. */
  epoch: Version;
  state: 'run' | 'halt';
}

/** What operators said, until they say otherwise. */
export interface Orders {
  /** `baton cluster halt`: nothing runs. */
  clusterHalted: boolean;
  /** `baton node halt`: nothing runs there. */
  haltedNodes: string[];
  /** Nodes that will not come back: nobody waits for them. */
  removedNodes: string[];
  /** Package → what was ordered. Absent: as the cluster file says. */
  packages: Record<string, PackageOrder>;
}

export interface PackageOrder {
  enabled?: boolean;
  /** `baton package halt`: it stays down until started. */
  halted?: boolean;
  /** Node to which an operator moved it: it does not go home by itself while it runs there. */
  at?: string;
}

export interface Document {
  version: Version;
  /** `previous` present: a joint document. */
  voters: { next: Voter[]; previous?: Voter[] };
  placements: Record<string, Placement>;
  orders: Orders;
  /** Digest of the cluster file under which it was written. */
  digest: string;
}

export const BLANK: Version = { term: -1, revision: 0 };

/** Negative: `a` is older. */
export function compareVersions(a: Version, b: Version): number {
  return a.term - b.term || a.revision - b.revision;
}

export function showVersion({ term, revision }: Version): string {
  return `${term}.${revision}`;
}
