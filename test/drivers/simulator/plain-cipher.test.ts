/** The drill's cipher hides nothing, but finds out whoever has not the key, and whatever was changed. */
import { expect, test } from 'vitest';
import { plainCipher, plainSeal } from '../../../drivers/simulator/plain-cipher.js';

const plain = Uint8Array.from([1, 2, 3, 4]);
const associated = Uint8Array.from([9, 9]);
const cipher = plainCipher(1);
const sealed = cipher.seal('a>b', 7, plain, associated);

test('what was sealed opens', () => {
  expect(sealed).toHaveLength(plain.length + 16);
  expect(cipher.open('a>b', 7, sealed, associated)).toEqual(plain);
});

test('another key, channel, counter, associated byte or content does not', () => {
  expect(plainCipher(2).open('a>b', 7, sealed, associated)).toBeNull();
  expect(cipher.open('b>a', 7, sealed, associated)).toBeNull();
  expect(cipher.open('a>b', 8, sealed, associated)).toBeNull();
  expect(cipher.open('a>b', 7 + 2 ** 40, sealed, associated)).toBeNull();
  expect(cipher.open('a>b', 7, sealed, Uint8Array.from([9, 8]))).toBeNull();
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice();
    changed[at]! ^= 1;
    expect(cipher.open('a>b', 7, changed, associated)).toBeNull();
  }
  expect(cipher.open('a>b', 7, sealed.subarray(0, 15), associated)).toBeNull();
});

test('seals of other bytes or other keys differ', () => {
  expect(plainSeal(1)(plain)).toHaveLength(16);
  expect(plainSeal(1)(plain)).toEqual(plainSeal(1)(plain.slice()));
  expect(plainSeal(1)(plain)).not.toEqual(plainSeal(2)(plain));
  expect(plainSeal(1)(plain)).not.toEqual(plainSeal(1)(associated));
});
