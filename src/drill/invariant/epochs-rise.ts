import type { Action } from '../../action.js';
import type { Input } from '../../input.js';
import { compareVersions, showVersion, type Version } from '../../membership/document.js';
import type { Node } from '../../node.js';
import type { Invariant, Scene } from './invariant.js';

/** S4: no two holders of one epoch of a package, no epoch used twice: each that begins to serve has a newer one than all before. */
export class EpochsRise implements Invariant {
  readonly #scene: Scene;
  /** `web 3.2` → who served it. */
  readonly #served = new Map<string, string>();
  readonly #newest = new Map<string, Version>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  stepped(node: string, _input: Input, _actions: readonly Action[], machine: Node): void {
    for (const [name, { state, epoch }] of Object.entries(machine.state.jobs)) {
      if (epoch === null || state === 'halted') continue;
      const key = `${name} ${showVersion(epoch)}`;
      const server = this.#served.get(key);
      if (server === node) continue;
      if (server !== undefined) this.#scene.violated('S4', `${node} serves ${key}, which ${server} served`);
      this.#served.set(key, node);
      const newest = this.#newest.get(name);
      if (newest && compareVersions(epoch, newest) < 0)
        this.#scene.violated('S4', `${node} begins to serve ${key} after ${showVersion(newest)}`);
      else this.#newest.set(name, epoch);
    }
  }
}
