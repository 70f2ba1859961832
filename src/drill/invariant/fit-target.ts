import type { Cluster } from '../../config/cluster.js';
import type { Ms } from '../../input.js';
import type { Node } from '../../node.js';
import type { Facts, Invariant, Told } from './invariant.js';

/** A package goes home once its primary node was fit for so many times `nodeTimeout`. */
const HOME_FIT_TIMEOUTS = 5;
/** Clocks run wrong by a thousandth, and a daemon sees a change of its NIC a look later. */
const SLACK = 0.99;
const SEEN_WITHIN_MS: Ms = 100;

/**
 * L6: nothing goes where it cannot stay. A net is switched to no NIC that has lost its carrier, and back to its primary only
 * after that had one for `upDelay`; a package goes home only after the daemon there ran for as long as home has to be fit.
 * Whoever decides goes by its own cluster file, and knows of a carrier only what happened while it was not stopped.
 */
export class FitTarget implements Invariant {
  readonly name = 'L6';
  readonly #facts: Facts;
  /** `alpha.eth0` → whether it has a carrier, and since when. */
  readonly #carrier = new Map<string, { lit: boolean; since: Ms }>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  changed(touched: ReadonlySet<string>): void {
    for (const node of touched)
      for (const { name, admin, carrier } of this.#facts.host(node).nics()) {
        const key = `${node}.${name}`;
        const lit = admin && carrier;
        if (this.#carrier.get(key)?.lit !== lit) this.#carrier.set(key, { lit, since: this.#facts.now() });
      }
  }

  journalled({ event, node, net = '', to = '', cause, package: name = '' }: Told, { options }: Node): void {
    const { cluster } = options;
    // News of a moment come after all of it; a daemon that looks at its NICs in that moment already knows.
    if (event === 'switch-started') {
      this.changed(new Set([node]));
      this.#switched(cluster, node, net, to, cause);
    }
    if (event === 'placed' && cause === 'failback' && this.#facts.nodes.includes(to)) this.#wentHome(cluster, name, to);
  }

  #switched({ nets, timing }: Cluster, node: string, net: string, to: string, cause: string | undefined): void {
    const known = this.#carrier.get(`${node}.${to}`);
    if (known === undefined || cause === 'operator') return;
    const forMs = this.#facts.now() - known.since;
    const where = `${net} of ${node} goes to ${to}`;
    const unseenMs = Math.min(forMs, this.#facts.now() - this.#facts.host(node).awakeSince);
    if (!known.lit && unseenMs > 2 * timing.carrierPollMs + SEEN_WITHIN_MS)
      this.#facts.violated('L6', `${where}, which has had no carrier for ${forMs.toFixed(0)} ms`);
    const delayMs = nets.find((candidate) => candidate.name === net)?.upDelayMs ?? 0;
    if (known.lit && cause === 'switch-back' && forMs < SLACK * delayMs)
      this.#facts.violated('L6', `${where}, its primary, which has had a carrier for ${forMs.toFixed(0)} ms`);
  }

  #wentHome({ timing }: Cluster, name: string, to: string): void {
    const fitMs = this.#facts.now() - this.#facts.host(to).runsSince;
    // It has just ended, and nobody knows yet.
    if (fitMs === -Infinity) return;
    if (fitMs < SLACK * HOME_FIT_TIMEOUTS * timing.nodeTimeoutMs)
      this.#facts.violated('L6', `${name} goes home to ${to}, which is back for ${fitMs.toFixed(0)} ms`);
  }
}
