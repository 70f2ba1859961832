import { announcementOf } from '../../../drivers/simulator/client.js';
import type { Invariant, Scene } from './invariant.js';

/**
 * S9: every announcement is by a holder under lease, the last one by the present holder. As with S1, a node whose rules
 * somebody flushed does not count.
 */
export class LastWord implements Invariant {
  readonly #scene: Scene;
  /** Address → who announced it last. */
  readonly #last = new Map<string, string>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  spoken(name: string, bytes: Uint8Array): void {
    const { lab } = this.#scene;
    const host = lab.network.hosts.get(name);
    const address = host ? announcementOf(bytes)?.address : undefined;
    if (!host || address === undefined || !lab.watcher.addresses.includes(address) || !host.gate.stands) return;
    this.#last.set(address, name);
    // What somebody has just taken off its NIC it still speaks for, under its lease, and puts back.
    if (!host.gate.lets(address)) this.#scene.violated('S9', `${name} announces ${address} without lease`);
    const gated = (other: string): boolean => lab.network.hosts.get(other)!.gate.stands;
    const rival = lab.watcher.answering(address).find((other) => other !== name && gated(other));
    if (rival !== undefined) this.#scene.violated('S9', `${name} announces ${address}, which ${rival} answers for`);
  }

  ended(): void {
    const { lab } = this.#scene;
    for (const [address, name] of this.#last) {
      const [holder] = lab.watcher.answering(address);
      if (holder !== undefined && holder !== name)
        this.#scene.violated('S9', `${name} had the last word on ${address}, which ${holder} has`);
    }
  }
}
