/** The follower's side of the coordinator's round: append in, document stored, answer out (MEMBERSHIP 3). */
import type { Action } from '../action.js';
import type { AppendMessage, Enclosure, PieceMessage } from '../frame/dialogue.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { compareVersions, newerVersion, readDocument, type Document } from './document.js';
import { adopt, isSynced } from './durable.js';
import { becomeFollower, followTerm, putOff } from './post.js';
import { isVoter } from './quorum.js';
import { say } from './speech.js';
import { drop, NEVER, packageNames, selfVoter, versionOf, type MembershipState, type Pieces } from './state.js';
import { leaseMs } from './span.js';

export function hearAppend(
  world: World,
  state: MembershipState,
  now: Ms,
  { node, incarnation }: { node: string; incarnation: string },
  message: AppendMessage,
  out: Action[],
): void {
  const { term, sequence } = message;
  if (term < state.record.term) {
    const { storageId } = state.record;
    return say(state, node, {
      kind: 'reply',
      pre: true,
      yes: false,
      term: state.record.term,
      storageId,
      round: 0,
      ageMs: 0,
    });
  }
  followTerm(world, state, now, term, out);
  if (state.post.role === 'coordinator') return drop(state, 'append-of-own-term');
  if (state.post.role !== 'follower') becomeFollower(world, state, now);
  state.heardAt = now;
  state.tries = 0;
  state.answeredAt = now;
  putOff(world, state, now);
  state.patientUntil = now;
  state.coordinator = node;
  state.coordinatorHeardAt = now;
  takeDocument(state, message.document, out);
  // N3: that it is committed is as good from an append as from a grant of the same coordinator.
  if (state.lease.term === term)
    state.lease = { ...state.lease, committed: newerVersion(state.lease.committed, message.committed) };
  const known = state.append;
  const isOlder = known?.node === node && known.incarnation === incarnation && known.sequence > sequence;
  if (!isOlder || known.term !== term) state.append = { node, incarnation, sequence, term };
  state.answerOwed = true;
}

/** Null: it does not make sense. */
export function documentOf(text: string): Document | null {
  try {
    return readDocument(JSON.parse(text));
  } catch {
    return null;
  }
}

/** A document enclosed in an append or grant of a coordinator of the present term. */
export function takeDocument(state: MembershipState, enclosed: Enclosure, out: Action[]): void {
  if (enclosed.how !== 'whole') return;
  const document = documentOf(enclosed.text);
  if (document === null) drop(state, 'document-malformed');
  else adopt(state, document, out);
}

/**
 * Pieces of one document from one node at a time; the newest version displaces an older one that is incomplete. The last
 * to come makes the document known, and the append that it belongs to is answered anew.
 */
export function hearPiece(
  world: World,
  state: MembershipState,
  now: Ms,
  node: string,
  piece: PieceMessage,
  out: Action[],
): void {
  const { founds, term, version, index, count, text } = piece;
  if (term < state.record.term) return drop(state, 'piece-old-term');
  const known = state.pieces[node];
  const isSame =
    known?.term === term &&
    known.founds === founds &&
    known.count === count &&
    !compareVersions(known.version, version);
  const pieces: Pieces = isSame ? known : { founds, term, version, count, texts: {} };
  state.pieces[node] = pieces;
  pieces.texts[index] = text;
  if (Object.keys(pieces.texts).length < count) return;
  delete state.pieces[node];
  const whole = Array.from({ length: count }, (_, i) => pieces.texts[i] ?? '').join('');
  const document = documentOf(whole);
  if (document === null || compareVersions(document.version, version) !== 0) return drop(state, 'document-malformed');
  if (founds) return takeFounding(world, state, now, document, out);
  followTerm(world, state, now, term, out);
  if (state.post.role !== 'coordinator' && adopt(state, document, out)) state.answerOwed = state.append?.term === term;
}

/** P3: the first document of a blank node, or one that an operator forced. */
function takeFounding(world: World, state: MembershipState, now: Ms, document: Document, out: Action[]): void {
  if (!isVoter(document.voters, selfVoter(world, state))) return drop(state, 'founded-without-us');
  if (state.record.document !== null && document.version.revision !== 0) return drop(state, 'founded-already');
  if (state.post.role !== 'follower') becomeFollower(world, state, now);
  adopt(state, document, out);
}

/** Packages of which the kernel has a floating address, or may have: what nobody has looked at yet may be there. */
export function heldPackages(world: World): string[] {
  return packageNames(world).filter((name) => world.jobs[name]?.held ?? true);
}

/** Are these the packages that are held? */
export function isHeld(world: World, names: readonly string[]): boolean {
  let at = 0;
  for (const name of packageNames(world)) if ((world.jobs[name]?.held ?? true) && names[at++] !== name) return false;
  return at === names.length;
}

/** Has a package gone that the last answer called held? Then the coordinator is told at once (C6a). */
function isLetGo(world: World, state: MembershipState): boolean {
  return state.saidHeld.some((name) => world.jobs[name]?.held === false);
}

/** The answer that is owed, or a new one to the same append; none before all is on the disk. */
export function answer(world: World, state: MembershipState, now: Ms): void {
  const { append } = state;
  if (append === null || append.term !== state.record.term || state.post.role !== 'follower') return;
  if (!isSynced(state) || !(state.answerOwed || isLetGo(world, state))) return;
  // Of two that were coordinators at once the one that yields answers with nothing left (MEMBERSHIP 8).
  if (state.yields && heldPackages(world).length > 0) return;
  state.yields = false;
  state.answerOwed = false;
  state.saidHeld = heldPackages(world);
  const sequence = nextSequence(world, state, now);
  const { node, incarnation, sequence: appendSequence, term } = append;
  say(state, node, {
    kind: 'answer',
    term,
    echo: { incarnation, sequence: appendSequence },
    sequence,
    storageId: state.record.storageId,
    version: versionOf(state.durable),
    held: state.saidHeld,
  });
}

/** Of an append or answer that is sent now. One that was sent a lease ago is good for nothing any more. */
export function nextSequence(world: World, state: MembershipState, now: Ms): number {
  const oldest = now - leaseMs(world.cluster.timing);
  // Rounds of an election have their numbers out of the same row, and are not kept.
  for (; state.sentFrom <= state.sequence && (state.sent[state.sentFrom] ?? NEVER) < oldest; state.sentFrom++)
    delete state.sent[state.sentFrom];
  const sequence = ++state.sequence;
  state.sent[sequence] = now;
  return sequence;
}
