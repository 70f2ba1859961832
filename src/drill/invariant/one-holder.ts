import type { Invariant, Scene } from './invariant.js';

/**
 * S1: no two nodes answer for one floating address. Where somebody flushed the rules of a gate nothing filters, as long as
 * they are not put back: such a node does not count.
 */
export class OneHolder implements Invariant {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  changed(): void {
    const { lab } = this.#scene;
    for (const address of lab.watcher.addresses) {
      const nodes = lab.watcher.answering(address);
      if (nodes.length < 2) continue;
      const gated = nodes.filter((name) => lab.network.hosts.get(name)!.gate.stands);
      if (gated.length > 1) this.#scene.violated('S1', `${gated.join(' and ')} answer for ${address}`);
    }
  }
}
