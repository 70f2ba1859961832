/**
 * Do two clocks run at rates that leases allow for (MEMBERSHIP 5)? Leases stand on the ratio of the rates of two nodes, and
 * that is what each measures of each other. Who is told the time of another knows its age to within the round trip, by whose
 * bounds everything here is reckoned: a path that jitters, or whose delay changes for good, makes the measurement coarse,
 * never wrong. So an alarm is a proof, and so is its end.
 */
import type { Action } from '../action.js';
import { CLOCK_ERROR, decodeClock, encodeClock } from '../frame/clock.js';
import type { Part } from '../frame/part.js';
import type { Ms } from '../input.js';
import { clear, raise, record } from './account.js';
import { NEVER, type HealthState, type PeerState } from './state.js';

/** One word so often. */
const SAID_EVERY_MS: Ms = 2000;
/** Of so long a span the sample with the shortest round trip counts. */
const SPAN_MS: Ms = 10_000;
/** Samples are compared that are so far apart. */
const OVER_MS: Ms = 60_000;
const SPANS_KEPT = OVER_MS / SPAN_MS + 2;
/** A word that was answered later says little: the answer was not under way that long. */
const HELD_MAX_MS: Ms = 20_000;
/** For what is rounded. */
const ROUNDED_MS: Ms = 0.1;

/** The greatest and the least that one clock may be faster than another, as parts of it. */
export const FASTER_MAX = (1 + CLOCK_ERROR) / (1 - CLOCK_ERROR) - 1;
export const FASTER_MIN = (1 - CLOCK_ERROR) / (1 + CLOCK_ERROR) - 1;

/** The own clock was ahead of the peer's by at most `aheadMs`, and at least by that less the round trip. */
export interface ClockSample {
  at: Ms;
  aheadMs: Ms;
  roundTripMs: Ms;
}

/** Of one peer. */
export interface ClockState {
  saidAt: Ms;
  /** The newest time of its clock, in microseconds, and when it was heard. */
  heard: { time: number; at: Ms } | null;
  /** The best of each span, oldest first. */
  samples: ClockSample[];
}

export function startClock(): ClockState {
  return { saidAt: NEVER, heard: null, samples: [] };
}

const micros = (span: Ms): number => Math.max(0, Math.round(span * 1000));

/** What the next beat to that peer says of clocks; null: nothing yet. */
export function clockPart({ clock }: PeerState, now: Ms): Part | null {
  if (now - clock.saidAt < SAID_EVERY_MS) return null;
  clock.saidAt = now;
  const { heard } = clock;
  const answer = heard === null ? { heard: 0, held: 0 } : { heard: heard.time, held: micros(now - heard.at) };
  return encodeClock({ time: micros(now), ...answer });
}

/** A part of an admitted beat. `answersUs`: its sender speaks to this daemon, not to one that was here before. */
export function takeClock(
  state: HealthState,
  peer: PeerState,
  part: Part,
  answersUs: boolean,
  now: Ms,
  out: Action[],
): void {
  const word = decodeClock(part);
  if (word === null) return;
  const { clock } = peer;
  if (clock.heard === null || word.time > clock.heard.time) clock.heard = { time: word.time, at: now };
  const heldMs = word.held / 1000;
  if (!answersUs || word.heard === 0 || heldMs > HELD_MAX_MS) return;
  // By its clock, which may be fast, that is how old its word can be at most.
  const roundTripMs = (1 + FASTER_MAX) * Math.max(0, now - word.heard / 1000 - (1 - FASTER_MAX) * heldMs) + ROUNDED_MS;
  keep(clock, { at: now, aheadMs: now - word.time / 1000, roundTripMs });
  judge(state, peer, now, out);
}

function keep({ samples }: ClockState, sample: ClockSample): void {
  const last = samples.at(-1);
  const span = ({ at }: ClockSample): number => Math.floor(at / SPAN_MS);
  if (last === undefined || span(last) !== span(sample)) samples.push(sample);
  else if (sample.roundTripMs < last.roundTripMs) samples[samples.length - 1] = sample;
  if (samples.length > SPANS_KEPT) samples.shift();
}

/** By how much the peer's clock is faster than the own one, at least and at most, as parts of it; null: not known yet. */
export function fasterBy({ samples }: ClockState): { least: number; most: number; overMs: Ms } | null {
  const last = samples.at(-1);
  const first = samples.findLast(({ at }) => last!.at - at >= OVER_MS);
  if (last === undefined || first === undefined) return null;
  const overMs = last.at - first.at;
  const fellMs = first.aheadMs - last.aheadMs;
  return { least: (fellMs - first.roundTripMs) / overMs, most: (fellMs + last.roundTripMs) / overMs, overMs };
}

function judge(state: HealthState, peer: PeerState, now: Ms, out: Action[]): void {
  const measured = fasterBy(peer.clock);
  if (measured === null) return;
  const { least, most, overMs } = measured;
  const turn = { state, now, out };
  const key = alarmKey(peer);
  const about = { peer: peer.node };
  const isKnown = state.alarms[key] !== undefined;
  const evidence = { leastPpm: ppm(least), mostPpm: ppm(most), overMs };
  if (least > FASTER_MAX || most < FASTER_MIN) {
    const text = `the clock of ${peer.node} runs ${rateText(measured)} than this node's; leases are safe up to ${ppm(FASTER_MAX)} ppm: see which of the two is wrong, and what sets it`;
    if (!isKnown) record(turn, peer.node, text, 'clock-rate', evidence);
    raise(turn, key, 'clock-rate', text, { ...about, evidence });
  } else if (isKnown && least >= FASTER_MIN && most <= FASTER_MAX) {
    record(turn, peer.node, `the clock of ${peer.node} runs as it should again`, 'clock-rate', evidence);
    clear(turn, key, { ...about, evidence });
  }
}

/** Who is gone has no clock: what comes back is measured anew. */
export function forgetAlarm(state: HealthState, peer: PeerState, now: Ms, out: Action[]): void {
  clear({ state, now, out }, alarmKey(peer), { peer: peer.node });
}

function alarmKey({ node }: PeerState): string {
  return `clock-rate ${node}`;
}

function ppm(part: number): number {
  return Math.round(part * 1e6);
}

function rateText({ least, most }: { least: number; most: number }): string {
  const [a, b] = [least, most].map((part) => Math.abs(ppm(part))).sort((x, y) => x - y);
  const much = a === b ? `${a}` : `${a} to ${b}`;
  return `${much} ppm ${least > 0 ? 'faster' : 'slower'}`;
}
