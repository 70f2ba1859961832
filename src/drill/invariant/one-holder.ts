import type { Overlap } from '../../../drivers/lab.js';
import type { Ms } from '../../input.js';
import type { Facts, Invariant } from './invariant.js';

export function overlapText({ address, nodes, fromMs, toMs }: Overlap): string {
  const lengthMs = (toMs - fromMs).toFixed(1);
  return `${nodes.join(' and ')} both answered for ${address} for ${lengthMs} ms from ${fromMs.toFixed(0)} ms on`;
}

/** S1 over a whole drill, by what a watcher on the wire saw. `allowedMs`: in all, where an exception of S1 has its bound. */
export function overlapsWrong(overlaps: readonly Overlap[], allowedMs: Ms): string[] {
  const totalMs = overlaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const isWrong = totalMs > allowedMs || (overlaps.length > 0 && allowedMs === 0);
  return isWrong ? [`S1: ${overlaps.map(overlapText).join('; ')}`] : [];
}

/**
 * S1: no two nodes answer for one floating address. Where somebody flushed the rules of a gate nothing filters, as long as
 * they are not put back: such a node does not count. Nor does a node whose cluster file has no gate, or where each is its own
 * quorum: those exceptions have bounds of their own, which a scenario states.
 */
export class OneHolder implements Invariant {
  readonly name = 'S1';
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  changed(): void {
    const { cluster, floating } = this.#facts;
    if (cluster.quorum === 'none') return;
    for (const address of floating) {
      const nodes = this.#facts.answering(address);
      if (nodes.length < 2) continue;
      const gated = nodes.filter((name) => this.#facts.host(name).gateStands);
      if (gated.length > 1) this.#facts.violated('S1', `${gated.join(' and ')} answer for ${address}`);
    }
  }
}
