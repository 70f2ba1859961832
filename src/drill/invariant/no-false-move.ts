import type { Facts, Invariant, Told } from './invariant.js';

/** What weather could be to blame for. All else is by an operator or by the cluster file, until all is where that says. */
const UNWANTED: readonly string[] = ['node-lost', 'node-left', 'net-down', 'not-started'];

/**
 * S10: 20 % of the frames between two nodes lost, on whichever cable, duplication, reordering, clocks within their bounds: no
 * switch, no move that nobody wanted. From the first placement on, where nothing worse happens: whoever draws or writes the
 * weather says so. Nor is a node taken for lost whose daemon was awake for as long as a node may be silent: of two one of which
 * slept, it is the other that may say so.
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

  journalled({ event, node, package: placed, to, cause, peer = '' }: Told): void {
    if (!this.#armed) return;
    if (event === 'peer-health' && to === 'lost' && this.#isAwake(peer))
      this.#facts.violated('S10', `${node} takes ${peer} for lost, which is awake`);
    if (event === 'placed' && UNWANTED.includes(cause))
      this.#facts.violated('S10', `${node} places ${placed} on ${to ?? 'nobody'}: ${cause}`);
    if (event === 'switch-started') this.#facts.violated('S10', `${node} switches to ${to ?? '?'}: ${cause}`);
  }

  #isAwake(node: string): boolean {
    const { nodeTimeoutMs } = this.#facts.cluster.timing;
    return this.#facts.nodes.includes(node) && this.#facts.host(node).awakeSince < this.#facts.now() - nodeTimeoutMs;
  }
}
