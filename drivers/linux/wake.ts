/**
 * One timerfd for all that the engine's thread does by time: the machine's deadline, the carrier poll, the counters.
 * It tells how late each wake-up was, and notices a stall wherever the thread comes back to life first, be it the timer
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
  #stallTold = false;

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
    const lateMs = now - this.#armed;
    if (lateMs <= this.stallMs || this.#stallTold) return;
    this.#stallTold = true;
    this.#stalled(lateMs);
  }

  /** Replaces the moment asked for before, unless that has come: then the wake-up is on its way. A moment that is past means at once. */
  at(moment: Ms): void {
    const now = monotonicMs();
    if (this.#armed <= now || this.#armed === moment) return;
    // Not what is left of it: if the thread slept since it chose this moment, that is a stall like any other.
    this.#armed = moment;
    this.#stallTold = false;
    this.#timer.setTime(Number.isFinite(moment) ? Math.max(moment, now) : 0, true);
  }

  close(): void {
    this.#timer.close();
  }
}
