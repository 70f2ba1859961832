/** Neighbour entries worth telling: permanent and proxy ones, and those of gateways and peers. */
import type { Neighbour, Route } from '../../src/input.js';
import { NTF_PROXY, NUD_LEARNT, NUD_PERMANENT, NUD_STALE } from './netlink/neighbour.js';

export class NeighbourView {
  readonly #peers: readonly string[];
  #wanted: Set<string>;
  /** NIC → key → entry. */
  readonly #entries = new Map<string, Map<string, Neighbour>>();

  constructor(peers: readonly string[]) {
    this.#peers = peers;
    this.#wanted = new Set(peers);
  }

  /** True if some are wanted now that were not looked at before. */
  wantGatewaysOf(routes: readonly Route[]): boolean {
    const before = this.#wanted;
    this.#wanted = new Set(this.#peers);
    for (const { gateway, nextHops } of routes) {
      if (gateway !== undefined) this.#wanted.add(gateway);
      for (const leg of nextHops ?? []) if (leg.gateway !== undefined) this.#wanted.add(leg.gateway);
    }
    return [...this.#wanted].some((address) => !before.has(address));
  }

  /** All entries of that NIC as dumped. */
  replace(nic: string, found: readonly Neighbour[]): void {
    const entries = new Map<string, Neighbour>();
    for (const neighbour of found) {
      const kept = this.#worth(neighbour);
      if (kept) entries.set(keyOf(kept), kept);
    }
    this.#entries.set(nic, entries);
  }

  /** One piece of news; true if it changes what is told. */
  heard(nic: string, neighbour: Neighbour, exists: boolean): boolean {
    const entries = this.#entries.get(nic);
    if (entries === undefined) return false;
    const key = keyOf(neighbour);
    const kept = exists ? this.#worth(neighbour) : null;
    if (kept === null) return entries.delete(key);
    const before = entries.get(key);
    entries.set(key, kept);
    return before?.mac !== kept.mac || before.state !== kept.state || before.flags !== kept.flags;
  }

  /** Sorted, for the kernel's order is that of a hash. */
  of(nic: string): Neighbour[] {
    const entries = [...(this.#entries.get(nic) ?? [])];
    return entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, neighbour]) => neighbour);
  }

  /** A learnt entry is told as stale whatever the kernel thinks of it at present: that changes with every packet. */
  #worth(neighbour: Neighbour): Neighbour | null {
    if (neighbour.flags & NTF_PROXY || neighbour.state & NUD_PERMANENT) return neighbour;
    if (!this.#wanted.has(neighbour.address) || neighbour.mac === '' || !(neighbour.state & NUD_LEARNT)) return null;
    return { ...neighbour, state: NUD_STALE };
  }
}

const keyOf = ({ family, address, flags }: Neighbour) => `${family} ${address} ${flags & NTF_PROXY}`;
