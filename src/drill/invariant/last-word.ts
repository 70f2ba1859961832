import { announcementOf } from '../../../drivers/simulator/client.js';
import type { Ms } from '../../input.js';
import type { Facts, Invariant } from './invariant.js';

/** The gate closes by so much before the lease ends, beside what a write may take (`renewLateMax`, G3). */
const ROUNDING_MS: Ms = 1;

/**
 * S9: every announcement is by a holder under lease, the last one by the present holder. As with S1, a node whose rules
 * somebody flushed does not count, and where each node is its own quorum two may speak. Under lease is also what leaves after the
 * gate has closed by itself, where the kernel has no hook for that.
 */
export class LastWord implements Invariant {
  readonly name = 'S9';
  readonly #facts: Facts;
  /** Address → who announced it last. */
  readonly #last = new Map<string, string>();

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  spoken(name: string, bytes: Uint8Array): void {
    const facts = this.#facts;
    if (!facts.nodes.includes(name)) return;
    const address = announcementOf(bytes)?.address;
    if (address === undefined || !facts.floating.includes(address) || !facts.host(name).gateStands) return;
    this.#last.set(address, name);
    // What somebody has just taken off its NIC it still speaks for, under its lease, and puts back.
    const { leaseLeftMs } = facts.host(name);
    const hasJustClosed = leaseLeftMs <= 0 && leaseLeftMs > -facts.cluster.timing.renewLateMaxMs - ROUNDING_MS;
    if (!facts.host(name).lets(address) && !hasJustClosed)
      facts.violated('S9', `${name} announces ${address} without lease`);
    if (facts.cluster.quorum === 'none') return;
    const rival = facts.answering(address).find((other) => other !== name && facts.host(other).gateStands);
    if (rival !== undefined) facts.violated('S9', `${name} announces ${address}, which ${rival} answers for`);
  }

  ended(): void {
    for (const [address, name] of this.#last) {
      const [holder] = this.#facts.answering(address);
      if (holder !== undefined && holder !== name)
        this.#facts.violated('S9', `${name} had the last word on ${address}, which ${holder} has`);
    }
  }
}
