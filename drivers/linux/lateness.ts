/** How late the engine woke after the moment it had asked for. */
import type { Ms } from '../../src/input.js';

/** A minute of wake-ups at the usual `carrierPoll`. */
const KEPT = 3000;

export class Lateness {
  readonly #late = new Float64Array(KEPT);
  #count = 0;
  #maxMs = 0;

  add(lateMs: Ms): void {
    this.#late[this.#count++ % KEPT] = lateMs;
    if (lateMs > this.#maxMs) this.#maxMs = lateMs;
  }

  /** p99 of the last wake-ups, the maximum since the start. */
  summary(): { p99Ms: Ms; maxMs: Ms } {
    const sorted = this.#late.slice(0, Math.min(this.#count, KEPT)).sort();
    return { p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0, maxMs: this.#maxMs };
  }
}
