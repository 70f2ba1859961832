/**
 * Large nets: a poll frame names no more nodes than it has room for, with all that its own row says of them. The others
 * have their turn in the next frames, so that each is named as often as any.
 */
import type { Poll, Session } from './poll.js';

/** Beside its texts: of a session its length, the incarnation and a sequence, of an entry index, length and agoMs. */
const SESSION_LENGTH = 15;
const ENTRY_LENGTH = 4;
const ROW_LENGTH = 5;
/** Counts of sessions and rows. */
const COUNTS_LENGTH = 2;
/** An index is one byte, and 0 is the sender's own node. */
const SESSIONS_MAX = 254;

/** Sessions of this frame; they begin where those of the frame before ended. `room`: bytes for them and the rows. */
export function sessionsInTurn({ node: self, sessions, rows, sequence }: Poll, room: number): Session[] {
  const own = rows[0];
  const lengths: Record<string, number> = {};
  for (const { node } of sessions) lengths[node] = (lengths[node] ?? 0) + SESSION_LENGTH + node.length;
  let fixed = COUNTS_LENGTH + (own === undefined ? 0 : ROW_LENGTH + own.nic.length);
  for (const { node, nic } of own?.heard ?? [])
    if (node === self) fixed += ENTRY_LENGTH + nic.length;
    else if (lengths[node] !== undefined) lengths[node] += ENTRY_LENGTH + nic.length;
  const nodes = Object.keys(lengths);
  const whole = Object.values(lengths).reduce((sum, length) => sum + length, fixed);
  if (whole <= room && sessions.length <= SESSIONS_MAX)
    return sessions.map((_, i) => sessions[(i + sequence) % sessions.length]!);
  const most = Math.max(1, Math.floor((room - fixed) / Math.max(...Object.values(lengths))));
  const first = ((sequence % nodes.length) * most) % nodes.length;
  const chosen = new Set(
    Array.from({ length: Math.min(most, nodes.length) }, (_, i) => nodes[(first + i) % nodes.length]!),
  );
  return sessions.filter(({ node }) => chosen.has(node)).slice(0, SESSIONS_MAX);
}
