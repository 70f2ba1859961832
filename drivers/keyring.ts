/** Several cluster keys at a time, each called by its id; what is sealed under one is made and opened by that one alone. */
import type { Cipher, KeyId, Seal } from '../src/world.js';
import type { KeyedCipher } from './cipher.js';

export interface KeyedPair {
  seal: (bytes: Uint8Array) => Uint8Array;
  cipher: KeyedCipher;
}

/** The machine takes two of the file and two that have left it. */
const KEPT_MAX = 8;

export class Keyring {
  readonly #pairs = new Map<KeyId, KeyedPair>();

  readonly seal: Seal = (bytes, key) => this.#pair(key).seal(bytes);

  readonly cipher: Cipher = {
    seal: (channel, counter, plain, associated, key) =>
      this.#pair(key).cipher.seal(channel, counter, plain, associated),
    open: (channel, counter, sealed, associated, key) =>
      this.#pair(key).cipher.open(channel, counter, sealed, associated),
  };

  /** From now on; of earlier ones the last are kept. */
  hold(key: KeyId, make: () => KeyedPair): void {
    const pair = this.#pairs.get(key) ?? make();
    this.#pairs.delete(key);
    this.#pairs.set(key, pair);
    for (const oldest of [...this.#pairs.keys()].slice(0, -KEPT_MAX)) this.#pairs.delete(oldest);
  }

  #pair(key: KeyId): KeyedPair {
    const pair = this.#pairs.get(key);
    if (pair === undefined) throw new RangeError(`there is no key ${key}`);
    return pair;
  }
}
