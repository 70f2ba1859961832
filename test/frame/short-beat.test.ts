import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cipherWith } from '../../drivers/cipher.js';
import type { Beat } from '../../src/frame/heartbeat.js';
import {
  checkShortBeat,
  decodeShortBeat,
  lineText,
  openShortBeat,
  sealShortBeat,
  shortBeatIncarnation,
  shortBeatLength,
  shortBeatSequence,
} from '../../src/frame/short-beat.js';
import { KEY_ID } from '../no-cipher.js';

const cipher = cipherWith(Uint8Array.from({ length: 32 }, (_, i) => i));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const channel = { cluster: 'shop', source: 'alpha', destination: 'beta', incarnation: '0011223344556677' };
const beat: Beat = {
  digest: '0123456789abcdef'.repeat(2),
  asks: true,
  left: false,
  rerouted: true,
  accepted: '8899aabbccddeeff',
  claimed: '',
  echo: { sequence: 300, agoMs: 12 },
  parts: [{ kind: 1, bytes: Uint8Array.of(0, 0, 4) }],
};
const said = (it: Beat): Beat => ({ ...it, digest: it.digest.slice(0, 16) });
const seal = (it: Beat, sequence = 9): Uint8Array =>
  sealShortBeat(channel.incarnation, lineText(channel), sequence, it, cipher, KEY_ID);

describe('the short form of a heartbeat', () => {
  it('has these bytes', () => {
    const bytes = seal(beat);
    expect(hex(bytes.subarray(0, 16))).toBe('7301' + '0011223344556677' + '000000000009');
    expect(hex(openShortBeat(bytes, lineText(channel), cipher, KEY_ID)!)).toBe(
      '0123456789abcdef' + '2d' + '8899aabbccddeeff' + '00000000012c' + '000c' + '01' + '0003' + '000004',
    );
    expect(bytes.length).toBe(shortBeatLength(beat));
    expect(checkShortBeat(bytes)).toBeNull();
    expect([shortBeatIncarnation(bytes), shortBeatSequence(bytes)]).toEqual([channel.incarnation, 9]);
  });

  it('opens in its own channel only', () => {
    const bytes = seal(beat);
    for (const other of [
      { ...channel, cluster: 'shed' },
      { ...channel, source: 'beta' },
      { ...channel, destination: 'alpha' },
      { ...channel, incarnation: '0011223344556678' },
    ])
      expect(openShortBeat(bytes, lineText(other), cipher, KEY_ID)).toBeNull();
  });

  it('reads what it wrote', () => {
    const digits = fc.integer({ min: 1, max: 0xffff }).map((n) => n.toString(16).padStart(16, '0'));
    const any = fc.record({
      digest: fc.constant(beat.digest),
      asks: fc.boolean(),
      left: fc.boolean(),
      rerouted: fc.boolean(),
      accepted: fc.oneof(fc.constant(''), digits),
      claimed: fc.oneof(fc.constant(''), digits),
      echo: fc.oneof(
        fc.constant({ sequence: 0, agoMs: 0 }),
        fc.record({ sequence: fc.integer({ min: 1, max: 2 ** 40 }), agoMs: fc.nat(0xffff) }),
      ),
      parts: fc.array(fc.record({ kind: fc.nat(255), bytes: fc.uint8Array({ maxLength: 300 }) }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(any, (it) => {
        const plain = openShortBeat(seal(it), lineText(channel), cipher, KEY_ID)!;
        const read = decodeShortBeat(plain)!;
        expect({ ...read, parts: read.parts.map(({ kind, bytes }) => [kind, hex(bytes)]) }).toEqual({
          ...said(it),
          parts: it.parts.map(({ kind, bytes }) => [kind, hex(bytes)]),
        });
      }),
    );
  });

  it('never throws over nonsense', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeShortBeat(bytes);
        if (checkShortBeat(bytes) === null) expect(openShortBeat(bytes, lineText(channel), cipher, KEY_ID)).toBeNull();
      }),
    );
    expect(checkShortBeat(new Uint8Array(40))).toBe('serial-short');
    expect(checkShortBeat(new Uint8Array(60))).toBe('serial-magic');
    expect(checkShortBeat(Uint8Array.from({ length: 60 }, (_, i) => (i === 0 ? 0x73 : 9)))).toBe('serial-version');
  });
});
