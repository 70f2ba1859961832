import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeKeys, hintOf, KEY_ID_LENGTH, KEYS, keyWordIn } from '../../src/frame/key-word.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const key = fc.uint8Array({ minLength: KEY_ID_LENGTH, maxLength: KEY_ID_LENGTH }).map(hex);

describe('the word of keys', () => {
  it.each([
    [['0a1b2c3d'], false, '00' + '0a1b2c3d'],
    [['0a1b2c3d', 'ffeeddcc'], false, '00' + '0a1b2c3d' + 'ffeeddcc'],
    [['0a1b2c3d', 'ffeeddcc'], true, '01' + '0a1b2c3d' + 'ffeeddcc'],
  ])('canonical bytes: %j, settled %s', (known, settled, bytes) => {
    const part = encodeKeys({ known, settled });
    expect(part.kind).toBe(KEYS);
    expect(hex(part.bytes)).toBe(bytes);
    expect(keyWordIn([part], 'ffeeddcc')).toEqual({ sealedWith: 'ffeeddcc', known, settled });
  });

  it('what is encoded is decoded', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 4 }), fc.boolean(), key, (known, settled, sealedWith) => {
        expect(keyWordIn([encodeKeys({ known, settled })], sealedWith)).toEqual({ sealedWith, known, settled });
      }),
    );
  });

  it.each([
    ['no part', []],
    ['another part', [{ kind: KEYS + 1, bytes: bytesOf('010a1b2c3d') }]],
    ['no byte', [{ kind: KEYS, bytes: new Uint8Array() }]],
    ['half an id', [{ kind: KEYS, bytes: bytesOf('010a1b') }]],
    ['an id and a byte', [{ kind: KEYS, bytes: bytesOf('010a1b2c3d00') }]],
  ])('%s: the sender knows the key that sealed it, and no other', (_, parts) => {
    expect(keyWordIn(parts, 'ffeeddcc')).toEqual({ sealedWith: 'ffeeddcc', known: ['ffeeddcc'], settled: false });
  });

  it('any bytes are read without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), key, (bytes, sealedWith) => {
        for (const id of keyWordIn([{ kind: KEYS, bytes }], sealedWith).known) expect(id).toMatch(/^[0-9a-f]{8}$/);
      }),
    );
  });

  it('the first byte of the id is the hint', () => {
    expect([hintOf('0a1b2c3d'), hintOf('ff000000'), hintOf('00ffffff')]).toEqual([0x0a, 0xff, 0]);
  });
});
