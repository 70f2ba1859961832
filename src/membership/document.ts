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

export interface FenceMark {
  /** `due`: no agent had success yet. */
  state: 'due' | 'done';
  /** Which agent did it: index in the cluster file; absent: none yet, or an operator vouches. */
  by?: number;
}

export interface Document {
  version: Version;
  /** `previous` present: a joint document. */
  voters: { next: Voter[]; previous?: Voter[] };
  placements: Record<string, Placement>;
  orders: Orders;
  /** Nodes that were shut by fence agents, or are to be. */
  fences?: Record<string, FenceMark>;
  /** Of the cluster file under which leases are granted: no lease runs under another one. */
  digest: string;
  /** Written under `quorum: none`: that it has one voter says nothing of what others have decided. */
  alone?: true;
  /** When such a lease is surely over, T(L) of that file; absent: as of the reader's. */
  overMs?: number;
}

export const BLANK: Version = { term: -1, revision: 0 };

/** Negative: `a` is older. */
export function compareVersions(a: Version, b: Version): number {
  return a.term - b.term || a.revision - b.revision;
}

export function showVersion({ term, revision }: Version): string {
  return `${term}.${revision}`;
}

/** The newer of two. */
export function newerVersion(a: Version, b: Version): Version {
  return compareVersions(a, b) >= 0 ? a : b;
}

type Fields = Record<string, unknown>;

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** At most a day: a damaged one does not close a cluster for good. */
function isSpan(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 86_400_000;
}

/** What a peer, the arbiter or the disk calls a version, if it is one; null: it is none. The same for the others here. */
export function readVersion(value: unknown): Version | null {
  if (!isRecord(value)) return null;
  const { term, revision } = value;
  if (!Number.isSafeInteger(term) || !Number.isSafeInteger(revision)) return null;
  if ((term as number) < -1 || (revision as number) < 0 || (term as number) > 2 ** 47) return null;
  return { term: term as number, revision: revision as number };
}

export function readVoter(value: unknown): Voter | null {
  if (!isRecord(value)) return null;
  const { name, storageId } = value;
  return isText(name) && isText(storageId) && /^[0-9a-f]{32}$/.test(storageId) ? { name, storageId } : null;
}

function readVoters(value: unknown): Voter[] | null {
  if (!Array.isArray(value)) return null;
  const voters = value.map(readVoter).filter((voter) => voter !== null);
  return voters.length === value.length && voters.length > 0 ? voters : null;
}

function readPlacement(value: unknown): Placement | null {
  if (!isRecord(value)) return null;
  const { node, state } = value;
  const epoch = readVersion(value['epoch']);
  if ((node !== null && !isText(node)) || epoch === null || (state !== 'run' && state !== 'halt')) return null;
  return { node, epoch, state };
}

function readOrders(value: unknown): Orders | null {
  if (!isRecord(value) || typeof value['clusterHalted'] !== 'boolean' || !isRecord(value['packages'])) return null;
  const { clusterHalted, haltedNodes, removedNodes } = value;
  if (!Array.isArray(haltedNodes) || !Array.isArray(removedNodes)) return null;
  if (!haltedNodes.every(isText) || !removedNodes.every(isText)) return null;
  if (!Object.values(value['packages']).every(isRecord)) return null;
  const packages = value['packages'] as Orders['packages'];
  return { ...value, clusterHalted, haltedNodes, removedNodes, packages };
}

function readFences(value: unknown): Record<string, FenceMark> | null {
  if (!isRecord(value)) return null;
  const fences: Record<string, FenceMark> = {};
  for (const [node, found] of Object.entries(value)) {
    if (!isRecord(found)) return null;
    const { state, by } = found;
    if ((state !== 'due' && state !== 'done') || (by !== undefined && !Number.isSafeInteger(by))) return null;
    fences[node] = by === undefined ? { state } : { state, by: by as number };
  }
  return fences;
}

/** Fields of orders that this version does not know are kept. */
export function readDocument(value: unknown): Document | null {
  if (!isRecord(value) || !isRecord(value['voters']) || !isRecord(value['placements'])) return null;
  const { voters, digest, overMs, alone } = value;
  const fences = value['fences'] === undefined ? undefined : readFences(value['fences']);
  const version = readVersion(value['version']);
  const next = readVoters(voters['next']);
  const previous = voters['previous'] === undefined ? undefined : readVoters(voters['previous']);
  const orders = readOrders(value['orders']);
  if (version === null || version.term < 0 || next === null || previous === null || orders === null) return null;
  if (!isText(digest) || fences === null || (overMs !== undefined && !isSpan(overMs))) return null;
  const placements: Document['placements'] = {};
  for (const [name, found] of Object.entries(value['placements'])) {
    const placement = readPlacement(found);
    if (placement === null) return null;
    placements[name] = placement;
  }
  const who = previous === undefined ? { next } : { next, previous };
  const rest = {
    ...(overMs !== undefined && { overMs }),
    ...(fences !== undefined && { fences }),
    ...(alone === true && { alone: true as const }),
  };
  return { version, voters: who, placements, orders, digest, ...rest };
}
