import { describe, expect, it } from 'vitest';
import { Keyring } from '../../drivers/keyring.js';
import { plainCipher, plainSeal } from '../../drivers/simulator/plain-cipher.js';

const pair = (key: number) => () => ({ seal: plainSeal(key), cipher: plainCipher(key) });
const BYTES = Uint8Array.of(1, 2, 3);

describe('the keyring', () => {
  it('what is sealed under a key is opened by that one alone', () => {
    const ring = new Keyring();
    ring.hold('a', pair(1));
    ring.hold('b', pair(2));
    const sealed = ring.cipher.seal('channel', 7, BYTES, BYTES, 'a');
    expect(ring.cipher.open('channel', 7, sealed, BYTES, 'a')).toEqual(BYTES);
    expect(ring.cipher.open('channel', 7, sealed, BYTES, 'b')).toBeNull();
    expect(ring.seal(BYTES, 'a')).not.toEqual(ring.seal(BYTES, 'b'));
  });

  it('holds what is held and not forgotten, however many come', () => {
    const ring = new Keyring();
    ring.hold('first', pair(0));
    for (let key = 1; key <= 50; key++) {
      ring.hold(`k${key}`, pair(key));
      ring.keepOnly(['first', `k${key}`]);
      expect(ring.size).toBe(2);
    }
    expect(ring.seal(BYTES, 'first')).toEqual(plainSeal(0)(BYTES));
    expect(() => ring.seal(BYTES, 'k1')).toThrow('there is no key k1');
  });
});
