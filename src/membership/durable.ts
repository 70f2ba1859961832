/**
 * The durable record (MEMBERSHIP P1, P2): whole to the disk with each change; nothing that depends on it is said before
 * it is there. A disk that refuses is tried again each second, and meanwhile this node is silent but for its heartbeat.
 */
import type { Action } from '../action.js';
import type { Input, Ms } from '../input.js';
import type { World } from '../world.js';
import { clearAlarm, raiseAlarm } from './alarm.js';
import { compareVersions, readDocument, readVersion, readVoter, type Document } from './document.js';
import { drawStorageId, FAR, selfVoter, versionOf, type DurableRecord, type MembershipState } from './state.js';

const RETRY_MS = 1000;

/** The record of the state directory; null: missing or not one. */
export function readRecord(value: unknown): DurableRecord | null {
  if (typeof value !== 'object' || value === null) return null;
  const { storageId, term, votedFor, document } = value as Record<string, unknown>;
  if (typeof storageId !== 'string' || !/^[0-9a-f]{32}$/.test(storageId)) return null;
  if (readVersion({ term, revision: 0 }) === null || (term as number) < 0) return null;
  const voted = votedFor === null ? null : readVoter(votedFor);
  const stored = document === null ? null : readDocument(document);
  if ((votedFor !== null && voted === null) || (document !== null && stored === null)) return null;
  return { storageId, term: term as number, votedFor: voted, document: stored };
}

/** The daemon has started: takes the record of the disk, or makes a new voter (P2). */
export function restore(
  world: World,
  state: MembershipState,
  now: Ms,
  input: Extract<Input, { kind: 'started' }>,
  out: Action[],
): void {
  const found = readRecord(input.durable);
  if (found !== null) {
    state.record = found;
    state.durable = found;
    return;
  }
  state.wasBlank = true;
  state.record = { storageId: drawStorageId(world), term: 0, votedFor: null, document: null };
  store(state, out);
  const damaged = input.damaged || input.durable !== null;
  const cause = damaged ? 'record-damaged' : 'no-record';
  const evidence = { storageId: selfVoter(world, state).storageId };
  out.push({ kind: 'journal', entry: { at: now, event: 'state-lost', cause, evidence } });
}

/** Changes the record; what depends on it waits from here on. */
export function change(state: MembershipState, part: Partial<DurableRecord>, out: Action[]): void {
  state.record = { ...state.record, ...part };
  store(state, out);
}

function store(state: MembershipState, out: Action[]): void {
  const id = ++state.storeId;
  state.storing.push({ id, at: state.now, record: state.record });
  state.retryAt = FAR;
  out.push({ kind: 'store', id, record: state.record });
}

/** Is all that this node knows on its disk? */
export function isSynced(state: MembershipState): boolean {
  return state.durable !== null && state.storing.length === 0 && state.retryAt === FAR;
}

/**
 * May this coordinator speak although its newest proposal is not on its own disk yet? Its term and vote are, and the proposal
 * counts for no voter before that one has stored it, its own included (Ongaro 2014 section 10.2.1). A disk that refuses or
 * hangs silences it all the same, so that another one is elected.
 */
export function mayLead(world: World, state: MembershipState): boolean {
  const { durable, record, storing, retryAt } = state;
  if (durable === null || retryAt !== FAR || durable.term !== record.term) return false;
  if (durable.votedFor?.name !== record.votedFor?.name || durable.votedFor?.storageId !== record.votedFor?.storageId)
    return false;
  return storing.every(({ at }) => state.now - at < world.cluster.timing.nodeTimeoutMs);
}

export function persisted(
  state: MembershipState,
  now: Ms,
  { id, failed }: Extract<Input, { kind: 'persisted' }>,
  out: Action[],
): void {
  const done = state.storing.filter((storing) => storing.id <= id);
  if (done.length === 0) return;
  state.storing = state.storing.filter((storing) => storing.id > id);
  if (failed === undefined) {
    state.durable = done.at(-1)!.record;
    state.storedId = done.at(-1)!.id;
    clearAlarm(state, 'state-not-stored', now, out);
    return;
  }
  const text = `the state directory takes nothing (${failed.text}): this node says nothing that depends on it`;
  raiseAlarm(state, 'state-not-stored', text, now, out);
  if (state.storing.length === 0) state.retryAt = now + RETRY_MS;
}

export function retry(state: MembershipState, now: Ms, out: Action[]): void {
  if (now >= state.retryAt) store(state, out);
}

/**
 * Takes a document that is newer than the stored one. A term is never below that of the document. Who stands gives up: of
 * the candidates of a term none may count its votes by voters that this very term's coordinator has changed.
 */
export function adopt(state: MembershipState, document: Document, out: Action[]): boolean {
  if (compareVersions(document.version, versionOf(state.record)) <= 0) return false;
  if (state.post.role !== 'coordinator') state.post = { role: 'follower' };
  const { term } = document.version;
  change(state, term > state.record.term ? { document, term, votedFor: null } : { document }, out);
  return true;
}

/** E1: a higher term is taken, the vote forgotten. The caller makes it a follower. */
export function takeTerm(state: MembershipState, term: number, out: Action[]): void {
  change(state, { term, votedFor: null }, out);
}
