/**
 * One timerfd for what the engine's thread does by time: the machine's deadline and the counters; the carrier poll has a
 * beat of its own. It tells how late each wake-up was, and notices a stall wherever the thread comes back to life first, be it the timer
 * or a socket.
 */
import type { Ms } from '../../src/input.js';
import { Lateness } from './lateness.js';
import { openTimer } from './socket.js';
import type { NativeSocket } from './socket.js';

/** CLOCK_MONOTONIC in milliseconds, the same on all processes of the machine. */
export function monotonicMs(): Ms {
  return Number(process.hrtime.bigint()) / 1e6;
}

export class Wake {
  readonly lateness = new Lateness();
  readonly #timer: NativeSocket = openTimer();
  readonly stallMs: Ms;
  readonly #stalled: (forMs: Ms) => void;
  /** Infinity: nothing is asked for. */
  #armed: Ms = Infinity;
  /** When the next beat is due, kept by whoever beats: it comes more often than any wake-up, and tells of shorter stalls. */
  readonly beat = new Float64Array([Infinity]);
  #toldAt: Ms = -Infinity;

  /** `stalled` is called once when the thread comes back later than `stallMs` after a wake-up asked for. */
  constructor(stallMs: Ms, stalled: (forMs: Ms) => void) {
    this.stallMs = stallMs;
    this.#stalled = stalled;
  }

  start(onWake: () => void): void {
    this.#timer.start(() => {
      const now = monotonicMs();
      this.check(now);
      if (this.#armed <= now) {
        this.lateness.add(now - this.#armed);
        this.#armed = Infinity;
      }
      onWake();
    });
  }

  /** To be called first whenever the thread comes back to life. */
  check(now: Ms = monotonicMs()): void {
    const asked = Math.min(this.#armed, this.beat[0]!);
    // One stall may make several wake-ups late.
    if (now - Math.max(asked, this.#toldAt) <= this.stallMs) return;
    this.#toldAt = now;
    this.#stalled(now - asked);
  }

  /** Replaces the moment asked for before, unless that has come: then the wake-up is on its way. A moment that is past means at once. */
  at(moment: Ms): void {
    const now = monotonicMs();
    if (this.#armed <= now || this.#armed === moment) return;
    // Not what is left of it: if the thread slept since it chose this moment, that is a stall like any other.
    this.#armed = moment;
    this.#timer.setTime(Number.isFinite(moment) ? Math.max(moment, now) : 0, true);
  }

  close(): void {
    this.#timer.close();
  }
}
