import type { Ms } from '../../input.js';
import { addressesOf } from '../../takeover/floating-address.js';
import type { Facts, Invariant, Told } from './invariant.js';

/** On any lab, however loaded (DESIGN 15). */
const DARK_MAX_MS: Ms = 1000;

interface Move {
  to: string;
  package: string;
  since: Ms;
  darkSince: Ms | null;
}

/**
 * L4: a planned move of addresses is dark for a second at most: from the last moment at which the old holder answers to the first of
 * the new one. Planned: an operator asked for it, and nothing is wrong with the world meanwhile, which only the simulator knows;
 * in recordings it is not judged.
 */
export class PlannedMove implements Invariant {
  readonly name = 'L4';
  readonly #facts: Facts;
  /** By address. */
  readonly #moves = new Map<string, Move>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  journalled({ event, package: name = '', from, to, cause }: Told): void {
    if (event !== 'placed') return;
    for (const { prefix } of addressesOf(this.#facts.cluster, name)) this.#moves.delete(prefix.address);
    if (cause !== 'operator' || to === undefined || from === to || this.#facts.calmSince() === Infinity) return;
    const since = this.#facts.now();
    for (const { prefix } of addressesOf(this.#facts.cluster, name))
      this.#moves.set(prefix.address, { to, package: name, since, darkSince: null });
  }

  changed(): void {
    for (const [address, move] of this.#moves) {
      const answering = this.#facts.answering(address);
      if (answering.includes(move.to)) this.#moves.delete(address);
      else if (answering.length > 0) move.darkSince = null;
      else if (move.darkSince === null) {
        const darkSince = this.#facts.now();
        move.darkSince = darkSince;
        this.#facts.after(DARK_MAX_MS, () => this.#look(address, move, darkSince));
      }
    }
  }

  #look(address: string, move: Move, darkSince: Ms): void {
    if (this.#moves.get(address) !== move || move.darkSince !== darkSince) return;
    if (this.#facts.calmSince() > move.since) return;
    const awake = this.#facts.nodes.every((node) => this.#facts.host(node).awakeSince <= move.since);
    if (awake)
      this.#facts.violated('L4', `${address} is dark for ${DARK_MAX_MS} ms while ${move.package} moves to ${move.to}`);
  }
}
