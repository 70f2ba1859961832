import type { Ms } from '../../input.js';
import type { Facts, Invariant, Told } from './invariant.js';

/** Causes of which an operator, a start or the end of a node are none. */
const BY_HAND: ReadonlySet<string> = new Set(['operator', 'package-halted', 'node-halted', 'cluster-halted']);

/**
 * L6: no flapping: within `flapWindow` at most `flapMax` switches back of a net, within `movesWindow` at most `movesMax` moves of
 * a package that nobody asked for, whichever node decides them. That nothing is left on a dead NIC is looked at with L2.
 */
export class NoFlapping implements Invariant {
  readonly name = 'L6';
  readonly #facts: Facts;
  /** `alpha public`, `web` → when. */
  readonly #times = new Map<string, Ms[]>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  journalled({ event, node, net = '', package: name = '', from, to, cause }: Told): void {
    const { cluster } = this.#facts;
    if (event === 'switch-started' && cause === 'switch-back') {
      const limits = cluster.nets.find((candidate) => candidate.name === net);
      if (limits) this.#count(`${net} of ${node} is switched back`, limits.flapMax, limits.flapWindowMs);
    }
    if (event === 'placed' && from !== undefined && to !== undefined && from !== to && !BY_HAND.has(cause)) {
      const limits = cluster.packages.find((candidate) => candidate.name === name);
      if (limits) this.#count(`${name} is moved`, limits.movesMax, limits.movesWindowMs);
    }
  }

  #count(what: string, most: number, withinMs: Ms): void {
    const now = this.#facts.now();
    const times = [...(this.#times.get(what) ?? []).filter((at) => now - at < withinMs), now];
    this.#times.set(what, times);
    if (times.length > most)
      this.#facts.violated(
        'L6',
        `${what} ${times.length} times within ${(withinMs / 1000).toFixed(0)} s, ${most} are allowed`,
      );
  }
}
