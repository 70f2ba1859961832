/**
 * One clock for recordings of several nodes.
 *
 *   told       each line tells the common clock (simulator)
 *   shared     all were made on one kernel since one boot: their monotonic clocks are the same (kernel lab)
 *   estimated  else: by the beats that nodes heard of each other, both ways. A beat is known again by its channel and counter.
 *              Over a span of two seconds the quickest beat each way tells the offset, off by half of what the two took at
 *              most; between spans it is drawn as a line, so a clock that runs wrong is followed.
 */
import type { RecordedInput } from '../../daemon/recording.js';
import type { Ms } from '../../input.js';
import { Player } from './player.js';
import { readTape, RecordingError, type Tape } from './tape.js';

const SPAN_MS: Ms = 2000;

export interface CommonClock {
  kind: 'told' | 'shared' | 'estimated';
  /** How far two nodes' times may be apart. */
  uncertaintyMs: Ms;
  /** The common time of what that recording says happened `at`. */
  of(tape: Tape, entry: Pick<RecordedInput, 'at' | 'commonAt'>): Ms;
}

const WORDS: Record<CommonClock['kind'], string> = {
  told: 'one clock',
  shared: 'one kernel, one clock',
  estimated: 'clocks estimated from their beats',
};

export function clockText({ kind, uncertaintyMs }: Pick<CommonClock, 'kind' | 'uncertaintyMs'>): string {
  return `${WORDS[kind]}${uncertaintyMs > 0 ? `, up to ${uncertaintyMs.toFixed(1)} ms apart` : ''}`;
}

/** Own time, and what is to be taken off it. */
interface Offset {
  at: Ms;
  offsetMs: Ms;
}

/** Throws a RecordingError where recordings of two hosts have not heard of each other. */
export async function commonClock(tapes: readonly Tape[]): Promise<CommonClock> {
  if (tapes.every(({ start }) => start.commonAt !== undefined))
    return { kind: 'told', uncertaintyMs: 0, of: (_, entry) => entry.commonAt ?? entry.at };
  const boots = new Map<string, Tape[]>();
  for (const tape of tapes) {
    const boot = tape.start.boot ?? `${tape.start.node} ${tape.start.incarnation}`;
    boots.set(boot, [...(boots.get(boot) ?? []), tape]);
  }
  if (boots.size === 1) return { kind: 'shared', uncertaintyMs: 0, of: (_, { at }) => at };
  return estimated([...boots.values()]);
}

/** Message → when. */
interface Beats {
  sent: Map<string, Ms>;
  heard: Map<string, Ms>;
}

async function beatsOf(group: readonly Tape[]): Promise<Beats> {
  const beats: Beats = { sent: new Map(), heard: new Map() };
  for (const tape of group) {
    const player = new Player(tape, {
      sealed: (message, at) => void beats.sent.set(message, at),
      opened: (message, at) => void (beats.heard.has(message) || beats.heard.set(message, at)),
    });
    for await (const entry of readTape(tape)) player.step(entry);
  }
  return beats;
}

async function estimated(groups: readonly (readonly Tape[])[]): Promise<CommonClock> {
  const beats: Beats[] = [];
  for (const group of groups) beats.push(await beatsOf(group));
  const offsets = new Map<readonly Tape[], Offset[]>([[groups[0]!, [{ at: 0, offsetMs: 0 }]]]);
  let uncertaintyMs = 0;
  // From those that are placed to those that are not, until nobody is left or nobody hears them.
  for (let grown = true; grown;) {
    grown = false;
    for (const [i, group] of groups.entries()) {
      if (offsets.has(group)) continue;
      const near = groups.findIndex((other, k) => offsets.has(other) && between(beats[k]!, beats[i]!) !== null);
      if (near < 0) continue;
      const { found, halfMs } = between(beats[near]!, beats[i]!)!;
      const base = offsets.get(groups[near]!)!;
      offsets.set(
        group,
        found.map(({ at, offsetMs }) => ({ at, offsetMs: offsetMs + offsetAt(base, at - offsetMs) })),
      );
      uncertaintyMs = Math.max(uncertaintyMs, halfMs);
      grown = true;
    }
  }
  const lost = groups.find((group) => !offsets.has(group));
  if (lost !== undefined)
    throw new RecordingError(
      `${lost[0]!.path} cannot be set beside the others: ${lost[0]!.start.node} and they heard no beat of each other meanwhile; replay it by itself`,
    );
  const groupOf = new Map(groups.flatMap((group) => group.map((tape) => [tape, offsets.get(group)!])));
  return { kind: 'estimated', uncertaintyMs, of: (tape, { at }) => at - offsetAt(groupOf.get(tape)!, at) };
}

/** What is to be taken off the times of `b` to have those of `a`, and how far that may be wrong; null: they did not hear each other both ways. */
function between(a: Beats, b: Beats): { found: Offset[]; halfMs: Ms } | null {
  const spans = new Map<number, { there: Ms; back: Ms }>();
  const note = (at: Ms, way: 'there' | 'back', ms: Ms): void => {
    const span = Math.floor(at / SPAN_MS);
    const known = spans.get(span) ?? { there: Infinity, back: Infinity };
    known[way] = Math.min(known[way], ms);
    spans.set(span, known);
  };
  for (const [message, sentAt] of a.sent) {
    const at = b.heard.get(message);
    if (at !== undefined) note(at, 'there', at - sentAt);
  }
  for (const [message, sentAt] of b.sent) {
    const at = a.heard.get(message);
    if (at !== undefined) note(sentAt, 'back', at - sentAt);
  }
  const both = [...spans]
    .filter(([, { there, back }]) => there < Infinity && back < Infinity)
    .sort((x, y) => x[0] - y[0]);
  if (both.length === 0) return null;
  return {
    found: both.map(([span, { there, back }]) => ({ at: (span + 0.5) * SPAN_MS, offsetMs: (there - back) / 2 })),
    halfMs: Math.max(...both.map(([, { there, back }]) => (there + back) / 2)),
  };
}

function offsetAt(offsets: readonly Offset[], at: Ms): Ms {
  const next = offsets.findIndex((one) => one.at >= at);
  if (next === 0 || offsets.length === 1) return offsets[0]!.offsetMs;
  if (next < 0) return offsets.at(-1)!.offsetMs;
  const [before, after] = [offsets[next - 1]!, offsets[next]!];
  const part = (at - before.at) / (after.at - before.at);
  return before.offsetMs + part * (after.offsetMs - before.offsetMs);
}
