import type { Facts, Invariant, Told } from './invariant.js';

/**
 * S10: 20 % loss, duplication, reordering, clocks within their bounds: no switch, no move. From the first placement on, where
 * nothing worse happens: whoever draws or writes the weather says so.
 */
export class NoFalseMove implements Invariant {
  readonly name = 'S10';
  readonly #facts: Facts;
  #armed = false;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  arm(): void {
    this.#armed = true;
  }

  journalled({ event, node, package: placed, to, cause }: Told): void {
    if (!this.#armed) return;
    if (event === 'placed') this.#facts.violated('S10', `${node} places ${placed} on ${to ?? 'nobody'}: ${cause}`);
    if (event === 'switch-started') this.#facts.violated('S10', `${node} switches to ${to ?? '?'}: ${cause}`);
  }
}
