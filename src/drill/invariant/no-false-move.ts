import type { Action } from '../../action.js';
import type { Input } from '../../input.js';
import type { Invariant, Scene } from './invariant.js';

/** S10: 20 % loss, duplication, reordering, clocks within their bounds: no switch, no move. From the first placement on. */
export class NoFalseMove implements Invariant {
  readonly #scene: Scene;
  /** From when on it holds. */
  armed = false;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  stepped(node: string, _input: Input, actions: readonly Action[]): void {
    if (!this.armed) return;
    for (const action of actions) {
      if (action.kind !== 'journal') continue;
      const { event, package: placed, to, cause } = action.entry;
      if (event === 'placed') this.#scene.violated('S10', `${node} places ${placed} on ${to ?? 'nobody'}: ${cause}`);
      if (event === 'switch-started') this.#scene.violated('S10', `${node} switches to ${to ?? '?'}: ${cause}`);
    }
  }
}
