/**
 * The serial line between two nodes: one more path, which no switch and no card can break (DESIGN 6). It says the short
 * form of each beat, and never takes more than half of what the line can carry: what has no room now is left out, for the
 * next beat says it anew.
 *
 * It is no private path: where the private nets are silent the public ones carry in full, although the line is heard. It
 * says less than they do, and is one thin wire.
 */
import type { Action } from '../action.js';
import type { ClusterNode } from '../config/cluster.js';
import type { Beat } from '../frame/heartbeat.js';
import { KEYS } from '../frame/key-word.js';
import { NIC_REPORT } from '../frame/nic-report.js';
import { PART, type Part } from '../frame/part.js';
import { serialFrameLength } from '../frame/serial.js';
import { lineText, sealShortBeat, shortBeatLength } from '../frame/short-beat.js';
import type { Input, Ms } from '../input.js';
import type { KeyId, World } from '../world.js';
import { drop, NEVER, type HealthState, type PathState, type PeerState, type SerialState } from './state.js';

/** Stands where other paths have their net: no net may be called so. */
export const SERIAL = 'serial';
/** Start bit, eight bits, stop bit. */
const BITS_A_BYTE = 10;
/** The line is busy for one part in so many of the time, at most. */
const SHARE = 2;

export function startSerial(self: ClusterNode): SerialState {
  return { isUp: false, text: self.serial === undefined ? '' : 'not opened yet', freeAt: 0, ownAt: NEVER };
}

/** Both nodes have a line, and there are no others. */
export function hasLine(world: World, peer: ClusterNode): boolean {
  return world.self.serial !== undefined && peer.serial !== undefined && world.cluster.nodes.length === 2;
}

export function followLine(state: HealthState, { state: is, text }: Extract<Input, { kind: 'serial-changed' }>): void {
  state.serial.isUp = is === 'up';
  state.serial.text = text;
  state.serial.freeAt = 0;
}

/** One beat in its short form, if there is room for it now. */
export function sendOverLine(
  world: World,
  state: HealthState,
  peer: PeerState,
  beat: Beat,
  key: KeyId,
  now: Ms,
  out: Action[],
): void {
  const short = { ...beat, parts: beat.parts.filter(isForLine) };
  const lineMs = (serialFrameLength(shortBeatLength(short)) * BITS_A_BYTE * 1000) / world.self.serial!.baud;
  const waitMs = Math.max(0, state.serial.freeAt - now);
  if (!hasRoom(world, short.parts, waitMs)) return drop(state, 'serial-busy');
  state.serial.freeAt = now + waitMs + SHARE * lineMs;
  const { incarnation } = world;
  const text = lineText({
    cluster: world.cluster.name,
    source: world.self.name,
    destination: peer.node,
    incarnation,
  });
  out.push({ kind: 'send-serial', bytes: sealShortBeat(incarnation, text, peer.sequence, short, world.cipher, key) });
}

/** Of its own parts the health stage says the shortest over the line: hearing and targets are for those who meet on a net. */
function isForLine({ kind }: Part): boolean {
  return kind >= PART.standing || kind === NIC_REPORT || kind === KEYS;
}

/** A long document goes piece by piece, drawn by lot, so that each has its turn and none keeps the rest of the talk waiting. */
function hasRoom(world: World, parts: readonly Part[], waitMs: Ms): boolean {
  const { heartbeatMs } = world.cluster.timing;
  if (!parts.some(({ kind }) => kind === PART.piece)) return waitMs <= heartbeatMs;
  return waitMs <= heartbeatMs / 4 && world.random() < 0.5;
}

/** What is told of a line that is down. */
export function lineTrouble(world: World, state: HealthState, path: PathState): string {
  const { device, baud } = world.self.serial!;
  const line = `the serial line ${device} (${baud} baud)`;
  if (!state.serial.isUp) return `${line} to ${path.peer} is down: ${state.serial.text}`;
  if (state.serial.ownAt > path.heardAt)
    return `${line} brings back this node's own heartbeats: it is looped, not joined to ${path.peer}`;
  return `no heartbeats go both ways between this node and ${path.peer} over ${line}`;
}
