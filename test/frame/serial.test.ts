import fc from 'fast-check';
import { crc32 as zlibCrc } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  crc32,
  encodeSerialFrame,
  SERIAL_PAYLOAD_MAX,
  SerialReader,
  serialFrameLength,
} from '../../src/frame/serial.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/ /g, ''), 'hex'));
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const payload = fc.uint8Array({ minLength: 1, maxLength: 600 });
/** With long runs and many zeros, where stuffing has its borders. */
const awkward = fc
  .array(fc.tuple(fc.constantFrom(0, 1, 0xff), fc.constantFrom(1, 2, 253, 254, 255, 256)), {
    minLength: 1,
    maxLength: 4,
  })
  .map((runs) => Uint8Array.from(runs.flatMap(([byte, times]) => Array<number>(times).fill(byte))));

describe('frames on a serial line', () => {
  it.each([
    ['the check value of CRC-32', '31 32 33 34 35 36 37 38 39', '00 0e 31 32 33 34 35 36 37 38 39 cb f4 39 26 00'],
    ['a zero', '00', '00 01 05 d2 02 ef 8d 00'],
    ['zeros at both ends', '00 11 00', '00 01 02 11 05 ac 98 fa 02 00'],
  ])('%s', (_what, plain, frame) => {
    expect(hex(encodeSerialFrame(bytesOf(plain)))).toBe(hex(bytesOf(frame)));
    expect(new SerialReader().read(bytesOf(frame)).map(hex)).toEqual([hex(bytesOf(plain))]);
  });

  it('has the checksum of IEEE 802.3', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    if (zlibCrc as unknown) fc.assert(fc.property(payload, (bytes) => crc32(bytes) === zlibCrc(bytes)));
  });

  it('comes out as it went in, in pieces of any size, between zeros only', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(payload, awkward), { maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        (all, cut) => {
          const frames = all.map((each) => encodeSerialFrame(each));
          frames.forEach((frame, i) => {
            expect(frame.length).toBeLessThanOrEqual(serialFrameLength(all[i]!.length));
            expect(frame.subarray(1, -1).includes(0)).toBe(false);
          });
          const stream = joined(...frames);
          const reader = new SerialReader();
          const read: string[] = [];
          for (let at = 0; at < stream.length; at += cut)
            read.push(...reader.read(stream.subarray(at, at + cut)).map(hex));
          expect(read).toEqual(all.map(hex));
          expect(reader.damaged).toBe(0);
        },
      ),
    );
  });

  it('takes the longest, and nothing longer', () => {
    const longest = new Uint8Array(SERIAL_PAYLOAD_MAX).fill(7);
    const reader = new SerialReader();
    expect(reader.read(encodeSerialFrame(longest))).toHaveLength(1);
    expect(reader.read(encodeSerialFrame(joined(longest, new Uint8Array(40).fill(7))))).toEqual([]);
    expect(reader.damaged).toBe(1);
    expect(reader.read(encodeSerialFrame(longest))).toHaveLength(1);
  });

  type Blow = { at: number; how: 'cut' | 'insert' | 'flip'; bits: number; length: number };
  const blow: fc.Arbitrary<Blow> = fc.record({
    at: fc.nat(5000),
    how: fc.constantFrom('cut', 'insert', 'flip'),
    bits: fc.integer({ min: 1, max: 255 }),
    length: fc.integer({ min: 1, max: 30 }),
  });
  const struck = (stream: Uint8Array, blows: Blow[]): Uint8Array => {
    const bytes = [...stream];
    for (const { at, how, bits, length } of blows) {
      const where = at % (bytes.length + 1);
      if (how === 'cut') bytes.splice(where, length);
      else if (how === 'insert') bytes.splice(where, 0, ...Array<number>(length).fill(bits));
      else if (where < bytes.length) bytes[where]! ^= bits;
    }
    return Uint8Array.from(bytes);
  };

  it('is in step again after any damage, never throws, and takes nothing that was not sent', () => {
    fc.assert(
      fc.property(
        fc.array(payload, { minLength: 1, maxLength: 4 }),
        fc.array(blow, { minLength: 1, maxLength: 4 }),
        payload,
        (all, blows, last) => {
          const reader = new SerialReader();
          const read = reader.read(struck(joined(...all.map((each) => encodeSerialFrame(each))), blows)).map(hex);
          for (const each of read) expect(all.map(hex)).toContain(each);
          const after = reader.read(encodeSerialFrame(last)).map(hex);
          expect(after.at(-1)).toBe(hex(last));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes nothing out of noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (noise) => {
        expect(new SerialReader().read(noise)).toEqual([]);
      }),
    );
  });
});
