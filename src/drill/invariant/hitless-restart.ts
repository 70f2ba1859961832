import type { Step } from '../../action.js';
import type { Input, Ms } from '../../input.js';
import type { Node } from '../../node.js';
import { floatingOf } from '../../takeover/floating-address.js';
import type { Facts, Invariant, Told } from './invariant.js';

/** Time-outs of the kernel end on a whole jiffy, and a clock may run wrong. */
const ROUNDING_MS: Ms = 12;

interface Kept {
  package: string;
  /** The lease that the former run wrote into the kernel. */
  endsAt: Ms;
  powerLosses: number;
  machine: Node;
}

/**
 * S13: a daemon restarted within its lease: not one lost packet, no script run. What a node answers for as its daemon starts
 * it goes on answering for until the lease in the kernel is over, unless the document that its disk has places the package
 * elsewhere by then; and a package that goes on without a gap is adopted, not started. A daemon that came back with another
 * cluster file knows of no lease longer than its own timing has, and nobody grants it one by the old file (DESIGN 7).
 */
export class HitlessRestart implements Invariant {
  readonly name = 'S13';
  readonly #facts: Facts;
  /** `alpha 10.77.0.100` */
  readonly #kept = new Map<string, Kept>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  stepping(node: string, input: Input, machine: Node): void {
    if (input.kind !== 'started') return;
    const host = this.#facts.host(node);
    for (const address of this.#facts.floating) {
      const key = `${node} ${address}`;
      this.#kept.delete(key);
      const floating = floatingOf(machine.options.cluster, address);
      if (!floating || input.durable === null || !host.gateStands || host.leaseLeftMs <= ROUNDING_MS) continue;
      if (!this.#facts.answering(address).includes(node)) continue;
      const { nodeTimeoutMs, marginMs } = machine.options.cluster.timing;
      const knownMs = Math.min(host.leaseLeftMs, nodeTimeoutMs - marginMs);
      const endsAt = this.#facts.now() + knownMs - ROUNDING_MS;
      this.#kept.set(key, { package: floating.package, endsAt, powerLosses: host.powerLosses, machine });
    }
  }

  made(node: string, step: Step): void {
    if (step.do !== 'delete-address') return;
    const { local } = step.address;
    this.#end(node, local, `takes ${local} off`, () => !this.#owns(node, local));
  }

  changed(): void {
    if (this.#kept.size === 0) return;
    for (const [key, { powerLosses }] of [...this.#kept]) {
      const [node, address] = key.split(' ') as [string, string];
      const host = this.#facts.host(node);
      if (host.powerLosses !== powerLosses || !host.gateStands) this.#kept.delete(key);
      else this.#end(node, address, `closes its gate to ${address}`, () => !host.lets(address));
    }
  }

  journalled({ event, node, package: name, to, cause }: Told): void {
    if (event !== 'package' || to !== 'running') return;
    for (const [key, kept] of this.#kept) {
      if (kept.package !== name || !key.startsWith(`${node} `)) continue;
      this.#kept.delete(key);
      if (this.#facts.now() < kept.endsAt && cause !== 'adopted')
        this.#facts.violated('S13', `${node} starts ${name} anew (${cause}) within its lease`);
    }
  }

  #owns(node: string, address: string): boolean {
    for (const { addresses } of this.#facts.host(node).nics())
      if (addresses.some(({ local }) => local === address)) return true;
    return false;
  }

  #end(node: string, address: string, how: string, isOver: () => boolean): void {
    const key = `${node} ${address}`;
    const kept = this.#kept.get(key);
    if (kept === undefined || !isOver()) return;
    this.#kept.delete(key);
    const leftMs = kept.endsAt - this.#facts.now();
    if (leftMs <= 0 || this.#isTakenAway(node, kept)) return;
    this.#facts.violated(
      'S13',
      `${node} was restarted within its lease, and ${how} ${leftMs.toFixed(1)} ms before its end`,
    );
  }

  #isTakenAway(node: string, { package: name, machine }: Kept): boolean {
    const { membership, takeover } = machine.state;
    const placement = membership.record.document?.placements[name];
    return takeover.stopping !== null || placement?.node !== node || placement.state !== 'run';
  }
}
