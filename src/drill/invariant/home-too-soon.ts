import type { Ms } from '../../input.js';
import type { Facts, Invariant, Told } from './invariant.js';

/** A package goes home once its primary node was fit for so many times `nodeTimeout`. */
const HOME_FIT_TIMEOUTS = 5;
/** Clocks run wrong by a thousandth, and a daemon sees a change of its NIC a look later. */
const SLACK = 0.99;

/**
 * L6: nothing goes home to what has just come back: a net to its primary only after that had a carrier for `upDelay`, a
 * package to its primary node only after the daemon there ran for as long as home has to be fit.
 */
export class HomeTooSoon implements Invariant {
  readonly name = 'L6';
  readonly #facts: Facts;
  /** `alpha.eth0` → since when it has a carrier. */
  readonly #litSince = new Map<string, Ms>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  changed(touched: ReadonlySet<string>): void {
    for (const node of touched)
      for (const { name, admin, carrier } of this.#facts.host(node).nics()) {
        const key = `${node}.${name}`;
        if (!admin || !carrier) this.#litSince.delete(key);
        else if (!this.#litSince.has(key)) this.#litSince.set(key, this.#facts.now());
      }
  }

  journalled({ event, node, net, to = '', cause, package: name }: Told): void {
    const { cluster } = this.#facts;
    const now = this.#facts.now();
    if (event === 'switch-started' && cause === 'switch-back') {
      const delayMs = cluster.nets.find((candidate) => candidate.name === net)?.upDelayMs ?? 0;
      const litMs = now - (this.#litSince.get(`${node}.${to}`) ?? now);
      if (litMs < SLACK * delayMs)
        this.#facts.violated(
          'L6',
          `${net ?? ''} of ${node} goes back to ${to}, which has a carrier for ${litMs.toFixed(0)} ms`,
        );
    }
    if (event === 'placed' && cause === 'failback' && to !== '') {
      const fitMs = now - this.#facts.host(to).awakeSince;
      if (fitMs < SLACK * HOME_FIT_TIMEOUTS * cluster.timing.nodeTimeoutMs)
        this.#facts.violated('L6', `${name ?? ''} goes home to ${to}, which is back for ${fitMs.toFixed(0)} ms`);
    }
  }
}
