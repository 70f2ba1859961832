/** A node's key file in a drill, and what seals and opens with the keys in it: numbers stand for keys. */
import type { KeyId } from '../../src/world.js';
import { Keyring } from '../keyring.js';
import { plainCipher, plainSeal } from './plain-cipher.js';

export class SimulatedKeys {
  readonly ring = new Keyring();
  /** The newest last. */
  #keys: readonly number[] = [];

  constructor(key: number) {
    this.put([key]);
  }

  get keys(): readonly number[] {
    return this.#keys;
  }

  get ids(): KeyId[] {
    return this.#keys.map(idOf);
  }

  put(keys: readonly number[]): void {
    this.#keys = keys;
    for (const key of keys) this.ring.hold(idOf(key), () => ({ seal: plainSeal(key), cipher: plainCipher(key) }));
  }
}

/** Keys that follow each other differ in the first byte, too. */
function idOf(key: number): KeyId {
  return (Math.imul(key, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
}
