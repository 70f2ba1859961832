import { compareVersions, showVersion, type Version } from '../../membership/document.js';
import type { Node } from '../../node.js';
import type { Facts, Invariant, Told } from './invariant.js';

/**
 * S4: no two holders of one epoch of a package, no epoch used twice: each that begins to serve has a newer one than all before.
 * With `quorum: none` two that do not hear each other count terms each by itself (the exception of S1).
 */
export class EpochsRise implements Invariant {
  readonly name = 'S4';
  readonly #facts: Facts;
  /** `web 3.2` → who served it. */
  readonly #served = new Map<string, string>();
  readonly #newest = new Map<string, Version>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** Whatever a job becomes is told. */
  journalled({ event, node, package: name = '' }: Told, machine: Node): void {
    if (event !== 'package' || this.#facts.cluster.quorum === 'none') return;
    const { state, epoch } = machine.state.jobs[name] ?? { state: 'halted', epoch: null };
    if (epoch === null || state === 'halted') return;
    const key = `${name} ${showVersion(epoch)}`;
    const server = this.#served.get(key);
    if (server === node) return;
    if (server !== undefined) this.#facts.violated('S4', `${node} serves ${key}, which ${server} served`);
    this.#served.set(key, node);
    const newest = this.#newest.get(name);
    if (newest && compareVersions(epoch, newest) < 0)
      this.#facts.violated('S4', `${node} begins to serve ${key} after ${showVersion(newest)}`);
    else this.#newest.set(name, epoch);
  }
}
