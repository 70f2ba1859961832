/** The one way out for all messages: none leaves before what it depends on is on the disk (MEMBERSHIP P1). */
import type { Action } from '../action.js';
import {
  documentText,
  encodeMessage,
  ENCLOSED_MAX,
  piecesOf,
  type Enclosure,
  type Message,
} from '../frame/dialogue.js';
import { speak } from '../health/monitor.js';
import type { HealthState } from '../health/state.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import type { Document } from './document.js';
import { packageNames, type MembershipState } from './state.js';

/** What waits longest is given up: all of it can be lost anyway. */
const WAITING_MAX = 256;

export function say(state: MembershipState, to: string, message: Message): void {
  push(state, to, message, state.storeId);
}

/** What a coordinator says of its office depends on its term and vote alone; the caller knows that they are on the disk. */
export function lead(state: MembershipState, to: string, message: Message): void {
  push(state, to, message, state.storedId);
}

function push(state: MembershipState, to: string, message: Message, after: number): void {
  state.outbox.push({ after, to, message });
  if (state.outbox.length > WAITING_MAX) state.outbox.shift();
}

/** The document as an append or grant carries it: if it is too long, its pieces go out before. */
export function enclose(
  state: MembershipState,
  to: string,
  document: Document,
  { founds, term }: { founds: boolean; term: number },
): Enclosure {
  const text = documentText(document);
  if (text.length <= ENCLOSED_MAX && !founds) return { how: 'whole', text };
  const send = founds ? say : lead;
  for (const piece of piecesOf(text, { founds, term, version: document.version })) send(state, to, piece);
  return { how: 'pieces' };
}

/** Sends what may leave by now. */
export function flush(world: World, state: MembershipState, health: HealthState, now: Ms, out: Action[]): void {
  const ready = state.outbox.filter(({ after }) => after <= state.storedId);
  if (ready.length === 0) return;
  state.outbox = state.outbox.filter(({ after }) => after > state.storedId);
  const packages = packageNames(world);
  for (const { to, message } of ready) speak(world, health, now, to, [encodeMessage(message, packages)], out);
}
