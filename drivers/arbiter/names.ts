/**
 * Addresses of the arbiter's hosts. libuv's pool, on which names are looked up, also syncs the durable record: a name
 * server that is silent may hold one thread of it for each name, never more.
 */
import { lookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** What was found is good for so long, and for want of a better one longer. */
const FRESH_MS = 60_000;

interface Known {
  addresses: LookupAddress[];
  at: number;
}

type Waiting = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

export class Names {
  readonly #known = new Map<string, Known>();
  readonly #waiting = new Map<string, Waiting[]>();

  /** As `lookup` of net.connect and of tls.connect. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    this.#find(host, (error, addresses) => {
      const [first] = addresses;
      if (first === undefined) callback(error ?? new Error(`${host} has no address`), '');
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  #find(host: string, found: Waiting): void {
    const known = this.#known.get(host);
    if (known !== undefined) queueMicrotask(() => found(null, known.addresses));
    if (known !== undefined && performance.now() - known.at < FRESH_MS) return;
    const wait = known === undefined ? [found] : [];
    const others = this.#waiting.get(host);
    if (others !== undefined) return void others.push(...wait);
    this.#waiting.set(host, wait);
    lookup(host, { all: true }, (error, addresses) => {
      if (error === null) this.#known.set(host, { addresses, at: performance.now() });
      const waiting = this.#waiting.get(host) ?? [];
      this.#waiting.delete(host);
      for (const each of waiting) each(error, addresses ?? []);
    });
  }
}
