/** Who held floating addresses over time: an address that its kernel shows, behind a gate that lets it through. */
import type { Hold, Overlap } from '../../../drivers/lab.js';
import type { Ms } from '../../input.js';
import type { RecordedScene } from './recorded-scene.js';

export class RecordedHolds {
  readonly #scene: RecordedScene;
  readonly #from: Ms;
  readonly #done: Hold[] = [];
  /** `10.77.0.100 alpha` */
  readonly #open = new Map<string, Hold>();

  /** Times of holds are told since `from`. */
  constructor(scene: RecordedScene, from: Ms) {
    this.#scene = scene;
    this.#from = from;
  }

  look(): void {
    const at = this.#scene.now() - this.#from;
    const held = new Set<string>();
    for (const address of this.#scene.floating)
      for (const node of this.#scene.answering(address)) {
        if (!this.#isTold(node)) continue;
        const key = `${address} ${node}`;
        held.add(key);
        if (!this.#open.has(key)) this.#open.set(key, { address, node, fromMs: at, toMs: at });
      }
    for (const [key, hold] of this.#open) {
      hold.toMs = at;
      if (held.has(key)) continue;
      this.#open.delete(key);
      this.#done.push(hold);
    }
  }

  /** Those under way end now. */
  all(): Hold[] {
    this.look();
    return [...this.#done, ...this.#open.values()]
      .filter(({ fromMs, toMs }) => toMs > fromMs)
      .sort((a, b) => a.fromMs - b.fromMs);
  }

  /** Without its daemon only a gate that closes by itself says how long a node went on. */
  #isTold(node: string): boolean {
    return !this.#scene.ended.has(node) || this.#scene.host(node).gateStands;
  }
}

/** Two at once, for longer than their clocks may be apart. */
export function overlapsIn(holds: readonly Hold[], uncertaintyMs: Ms): Overlap[] {
  return holds.flatMap((one, i) =>
    holds.slice(i + 1).flatMap((other) => {
      const [fromMs, toMs] = [Math.max(one.fromMs, other.fromMs), Math.min(one.toMs, other.toMs)];
      if (one.address !== other.address || one.node === other.node || toMs - fromMs <= uncertaintyMs) return [];
      return [{ address: one.address, nodes: [one.node, other.node], fromMs, toMs }];
    }),
  );
}
