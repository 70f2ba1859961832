/** Several cluster keys at a time, each called by its id; what is sealed under one is made and opened by that one alone. */
import type { Cipher, KeyId, Seal } from '../src/world.js';
import type { KeyedCipher } from './cipher.js';

export interface KeyedPair {
  seal: (bytes: Uint8Array) => Uint8Array;
  cipher: KeyedCipher;
}

export class Keyring {
  readonly #pairs = new Map<KeyId, KeyedPair>();

  readonly seal: Seal = (bytes, key) => this.#pair(key).seal(bytes);

  readonly cipher: Cipher = {
    seal: (channel, counter, plain, associated, key) =>
      this.#pair(key).cipher.seal(channel, counter, plain, associated),
    open: (channel, counter, sealed, associated, key) =>
      this.#pair(key).cipher.open(channel, counter, sealed, associated),
  };

  /** From now on. */
  hold(key: KeyId, make: () => KeyedPair): void {
    if (!this.#pairs.has(key)) this.#pairs.set(key, make());
  }

  /** The others are forgotten: whoever calls keys takes none but these. */
  keepOnly(keys: readonly KeyId[]): void {
    for (const key of [...this.#pairs.keys()]) if (!keys.includes(key)) this.#pairs.delete(key);
  }

  get size(): number {
    return this.#pairs.size;
  }

  #pair(key: KeyId): KeyedPair {
    const pair = this.#pairs.get(key);
    if (pair === undefined) throw new RangeError(`there is no key ${key}`);
    return pair;
  }
}
