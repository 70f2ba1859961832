import type { Ms } from '../../input.js';
import type { Facts } from './invariant.js';

/** States that must not last, each with a key. Time counts only while the node's daemon is awake: what sleeps can mend nothing. */
export class Overdue {
  readonly #facts: Facts;
  readonly #withinMs: Ms;
  readonly #open = new Map<string, { since: Ms }>();

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
    const state = { since: this.#facts.now() };
    this.#open.set(key, state);
    this.#facts.after(this.#withinMs, () => this.#look(node, key, state, tell));
  }

  #look(node: string, key: string, state: { since: Ms }, tell: () => void): void {
    if (this.#open.get(key) !== state) return;
    const from = Math.max(state.since, this.#facts.host(node).awakeSince);
    const leftMs = from === Infinity ? this.#withinMs : from + this.#withinMs - this.#facts.now();
    if (leftMs <= 0) tell();
    else this.#facts.after(leftMs, () => this.#look(node, key, state, tell));
  }
}
