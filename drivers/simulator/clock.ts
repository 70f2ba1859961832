/** Virtual time: a queue of events that jumps from one to the next. Events of one moment run in the order in which they were asked for. */
import type { Ms } from '../../src/input.js';

export interface Timer {
  readonly at: Ms;
  cancelled: boolean;
}

interface Entry extends Timer {
  readonly order: number;
  readonly run: () => void;
}

export class Clock {
  #now: Ms = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  get now(): Ms {
    return this.#now;
  }

  /** A moment that has passed means now. */
  at(when: Ms, run: () => void): Timer {
    const entry: Entry = { at: Math.max(when, this.#now), order: this.#order++, run, cancelled: false };
    this.#rise(entry);
    return entry;
  }

  after(delayMs: Ms, run: () => void): Timer {
    return this.at(this.#now + delayMs, run);
  }

  /** Runs everything that is due up to and at that moment, what comes up meanwhile included. */
  runUntil(when: Ms): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= when; next = this.#heap[0]) {
      this.#sink();
      if (next.cancelled) continue;
      this.#now = next.at;
      next.run();
    }
    this.#now = Math.max(this.#now, when);
  }

  #rise(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (!before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Takes the first entry off. */
  #sink(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child]!)) child++;
      const below = heap[child]!;
      if (!before(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
