import type { NodeTruth } from '../../../drivers/lab.js';
import type { Step } from '../../action.js';
import { changeMs } from './bounds.js';
import type { Facts, Invariant } from './invariant.js';
import { Overdue } from './overdue.js';

/** S3 at one moment, by the tables of all kernels: addresses of a node that another one has. `owned`: node → its addresses. */
export function strayAddresses(
  owned: Readonly<Record<string, readonly string[]>>,
  truths: Readonly<Record<string, NodeTruth>>,
): string[] {
  const wrong: string[] = [];
  for (const [other, { addresses }] of Object.entries(truths)) {
    const there = new Set(Object.values(addresses).flatMap((on) => on.map((prefix) => prefix.split('/')[0]!)));
    for (const [owner, own] of Object.entries(owned))
      if (owner !== other)
        for (const address of own) if (there.has(address)) wrong.push(`S3: ${address} of ${owner} is on ${other}`);
  }
  return wrong;
}

/**
 * S3: a stationary address is never on another node, and on exactly one NIC of its own; within a switch on two, and on none
 * for no longer than a switch takes. What another program put on a second NIC, or took away, is that program's doing until the
 * daemon's hands touch it.
 */
export class StationaryStays implements Invariant {
  readonly name = 'S3';
  readonly #facts: Facts;
  /** Address → its node. */
  readonly #owner = new Map<string, string>();
  /** Addresses that the hands of their node put on a NIC, or took off one, last. */
  readonly #byHands = new Set<string>();
  /** Address → on how many NICs it was. */
  readonly #count = new Map<string, number>();
  readonly #overdue: Overdue;

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#overdue = new Overdue(facts, changeMs());
    for (const node of facts.cluster.nodes)
      for (const { addresses } of node.nets) for (const { address } of addresses) this.#owner.set(address, node.name);
  }

  made(node: string, step: Step): void {
    if (step.do !== 'add-address' && step.do !== 'delete-address') return;
    const { local } = step.address;
    if (this.#owner.get(local) !== node) return;
    this.#byHands.add(local);
    this.#count.set(local, this.#nicsWith(node, local).length);
  }

  changed(touched: ReadonlySet<string>): void {
    for (const node of touched) this.#look(node);
  }

  #look(node: string): void {
    const counts = new Map<string, number>();
    for (const nic of this.#facts.host(node).nics())
      for (const { local } of nic.addresses) {
        const owner = this.#owner.get(local);
        if (owner === undefined) continue;
        if (owner !== node) this.#facts.violated('S3', `${local} of ${owner} is on ${node}.${nic.name}`);
        else counts.set(local, (counts.get(local) ?? 0) + 1);
      }
    for (const [address, owner] of this.#owner)
      if (owner === node) this.#judge(node, address, counts.get(address) ?? 0);
  }

  #judge(node: string, address: string, count: number): void {
    if ((this.#count.get(address) ?? 0) !== count) this.#byHands.delete(address);
    this.#count.set(address, count);
    const isOurs = this.#byHands.has(address) && this.#facts.host(node).powered;
    this.#overdue.note(node, address, count !== 1 && isOurs, () =>
      this.#facts.violated(
        'S3',
        `${address} of ${node} is on ${this.#nicsWith(node, address).join(' and ') || 'no NIC'}`,
      ),
    );
  }

  #nicsWith(node: string, address: string): string[] {
    const found: string[] = [];
    for (const { name, addresses } of this.#facts.host(node).nics())
      if (addresses.some(({ local }) => local === address)) found.push(name);
    return found;
  }
}
