import type { Ms } from '../../input.js';
import type { Facts } from './invariant.js';

interface Since {
  since: Ms;
  /** Of its kernel, at that moment. */
  heldMs: Ms;
}

/**
 * States that must not last, each with a key. Time counts only while the node's daemon is awake, for what sleeps can mend
 * nothing, and while its kernel does not hold the calls of its hands longer than `withinMs` knows of: a change has many calls.
 */
export class Overdue {
  readonly #facts: Facts;
  readonly #withinMs: Ms;
  readonly #open = new Map<string, Since>();

  constructor(facts: Facts, withinMs: Ms) {
    this.#facts = facts;
    this.#withinMs = withinMs;
  }

  /** It is so, or it is not. `tell`: it has lasted too long. */
  note(node: string, key: string, isSo: boolean, tell: () => void): void {
    if (!isSo) {
      this.#open.delete(key);
      return;
    }
    if (this.#open.has(key)) return;
    const state = { since: this.#facts.now(), heldMs: this.#facts.host(node).heldMs };
    this.#open.set(key, state);
    this.#facts.after(this.#withinMs, () => this.#look(node, key, state, tell));
  }

  #look(node: string, key: string, state: Since, tell: () => void): void {
    if (this.#open.get(key) !== state) return;
    const { awakeSince, heldMs } = this.#facts.host(node);
    const from = Math.max(state.since, awakeSince) + heldMs - state.heldMs;
    const leftMs = from === Infinity ? this.#withinMs : from + this.#withinMs - this.#facts.now();
    if (leftMs <= 0) tell();
    else this.#facts.after(leftMs, () => this.#look(node, key, state, tell));
  }
}
