import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cipherWith } from '../../drivers/cipher.js';
import {
  AGO_MAX_MS,
  channelText,
  checkNames,
  checkStart,
  decodeBeat,
  encodeBeat,
  headerLength,
  HEARTBEAT_LENGTH_MAX,
  incarnationIn,
  openBeat,
  putEcho,
  roomForParts,
  sealBeat,
  sequenceIn,
  type Beat,
  type Channel,
} from '../../src/frame/heartbeat.js';
import { decodeNicReport, encodeNicReport, healthIn, packNic } from '../../src/frame/nic-report.js';
import { lengthOf } from '../../src/frame/part.js';
import { clusterTag } from '../../src/frame/poll.js';
import type { HealthReason, NicHealth } from '../../src/status.js';
import { KEY_ID } from '../no-cipher.js';

const cipher = cipherWith(Uint8Array.from({ length: 32 }, (_, i) => i));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/ /g, ''), 'hex'));

const channel: Channel = {
  cluster: 'shop',
  source: 'alpha',
  destination: 'beta',
  net: 'hb0',
  incarnation: '0011223344556677',
};
const beat: Beat = {
  digest: '0123456789abcdef'.repeat(2),
  asks: true,
  left: false,
  rerouted: true,
  accepted: '8899aabbccddeeff',
  claimed: '',
  echo: { sequence: 0x203, agoMs: 4000 },
  parts: [
    { kind: 16, bytes: Uint8Array.of(0, 255, 7) },
    { kind: 1, bytes: Uint8Array.of(0, 0, 0, 5) },
  ],
};

const HEADER = '62740100 a847e0a9 0011223344556677 000000000102 05616c706861 0462657461 03686230';
const PLAIN = [
  '0123456789abcdef0123456789abcdef 05 8899aabbccddeeff 0000000000000000',
  '000000000203 0fa0 02 10 0003 00ff07 01 0004 00000005',
].join(' ');
/** By Python's cryptography 48 (OpenSSL): HKDF-SHA-256, salt "baton", AES-256-GCM, the header associated. */
const SEALED = [
  'c49cdc29ae00415df75144ac821977eb30de2b85c915b7dcf66662d9492685d4bf300270fb191a5d',
  'c10d2b6443d10a335d8ef46ab6b0369395c988fccc7fdb6bc5113cede9acd7',
].join('');

const text = channelText(channel);

describe('heartbeat', () => {
  it('is these bytes', () => {
    expect(hex(encodeBeat(beat))).toBe(hex(bytesOf(PLAIN)));
    const datagram = sealBeat(channel, text, 0x102, encodeBeat(beat), cipher, KEY_ID);
    expect(hex(datagram)).toBe(hex(bytesOf(`${HEADER}${SEALED}`)));
  });

  it('is read from these bytes', () => {
    const datagram = bytesOf(`${HEADER}${SEALED}`);
    expect(checkStart(datagram, clusterTag('shop'))).toBe(null);
    expect(checkNames(datagram, 'alpha', 'beta', 'hb0')).toBe(null);
    expect([incarnationIn(datagram), sequenceIn(datagram)]).toEqual(['0011223344556677', 0x102]);
    const plain = openBeat(datagram, headerLength('alpha', 'beta', 'hb0'), text, cipher, KEY_ID)!;
    expect(decodeBeat(plain)).toEqual(beat);
  });

  it.each([
    ['heartbeat-short', bytesOf(HEADER)],
    ['heartbeat-short', new Uint8Array(HEARTBEAT_LENGTH_MAX + 1)],
    ['heartbeat-magic', bytesOf(`ff${HEADER.slice(2)}${SEALED}`)],
    ['heartbeat-version', bytesOf(`62740200${HEADER.slice(8)}${SEALED}`)],
    ['heartbeat-other-cluster', bytesOf(`62740100 a847e0aa${HEADER.slice(17)}${SEALED}`)],
  ])('%s is told by the first bytes', (reason, bytes) => {
    expect(checkStart(bytes, clusterTag('shop'))).toBe(reason);
  });

  it.each([
    ['heartbeat-unknown-node', 'gamma', 'beta', 'hb0'],
    ['heartbeat-not-for-us', 'alpha', 'bet', 'hb0'],
    ['heartbeat-wrong-net', 'alpha', 'beta', 'hb1'],
    ['heartbeat-short', 'alpha', 'beta', 'x'.repeat(60)],
  ])('%s is told by the names', (reason, source, destination, net) => {
    expect(checkNames(bytesOf(`${HEADER}${SEALED}`), source, destination, net)).toBe(reason);
  });

  it('opens in its own channel only: each part of it, the sequence, and every bit', () => {
    const datagram = sealBeat(channel, text, 0x102, encodeBeat(beat), cipher, KEY_ID);
    const length = headerLength('alpha', 'beta', 'hb0');
    for (const key of Object.keys(channel) as (keyof Channel)[]) {
      const other = channelText({ ...channel, [key]: key === 'incarnation' ? '0011223344556678' : 'other' });
      expect(openBeat(datagram, length, other, cipher, KEY_ID)).toBe(null);
    }
    for (let bit = 0; bit < datagram.length * 8; bit++) {
      const bad = datagram.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      expect(openBeat(bad, length, text, cipher, KEY_ID)).toBe(null);
    }
    expect(openBeat(datagram, length, text, cipherWith(new Uint8Array(32)), KEY_ID)).toBe(null);
  });

  it('the echo is written over in place', () => {
    const plain = encodeBeat(beat);
    putEcho(plain, { sequence: 2 ** 48 - 1, agoMs: 1e9 });
    expect(decodeBeat(plain)!.echo).toEqual({ sequence: 2 ** 48 - 1, agoMs: AGO_MAX_MS });
    expect(decodeBeat(plain)).toEqual({ ...beat, echo: { sequence: 2 ** 48 - 1, agoMs: AGO_MAX_MS } });
  });

  it('parts that fill the room make a datagram of the greatest length', () => {
    const room = roomForParts('alpha', 'beta', 'hb0');
    const parts = [{ kind: 17, bytes: new Uint8Array(room - 3) }];
    expect(lengthOf(parts[0]!)).toBe(room);
    const datagram = sealBeat(channel, text, 1, encodeBeat({ ...beat, parts }), cipher, KEY_ID);
    expect(datagram.length).toBe(HEARTBEAT_LENGTH_MAX);
    expect(checkStart(datagram, clusterTag('shop'))).toBe(null);
  });

  const digits = (length: number): fc.Arbitrary<string> =>
    fc.uint8Array({ minLength: length, maxLength: length }).map(hex);
  const incarnation = fc.oneof(fc.constant(''), digits(8)).map((it) => (/^0*$/.test(it) ? '' : it));
  const arbitrary: fc.Arbitrary<Beat> = fc.record({
    digest: digits(16),
    asks: fc.boolean(),
    left: fc.boolean(),
    rerouted: fc.boolean(),
    accepted: incarnation,
    claimed: incarnation,
    echo: fc.record({ sequence: fc.maxSafeNat().map((it) => it % 2 ** 48), agoMs: fc.nat(AGO_MAX_MS) }),
    parts: fc.array(fc.record({ kind: fc.nat(255), bytes: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 20 }),
  });

  it('reads what it wrote', () => {
    fc.assert(fc.property(arbitrary, (any) => void expect(decodeBeat(encodeBeat(any))).toEqual(any)));
  });

  it('never throws on any plain bytes, and what it reads it would write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 38, maxLength: 90 }), (bytes) => {
        const read = decodeBeat(bytes);
        if (read === null) return;
        bytes[16]! &= 7;
        expect(hex(encodeBeat(read))).toBe(hex(bytes));
      }),
    );
  });
});

describe('NIC report', () => {
  it('is one byte a NIC', () => {
    const part = encodeNicReport({ first: 258, nics: [packNic('up', undefined), packNic('down', 'carrier')] });
    expect([part.kind, ...part.bytes]).toEqual([1, 1, 2, 0, 0x0e]);
    expect(decodeNicReport(part.bytes)).toEqual({ first: 258, nics: [0, 0x0e] });
    expect(decodeNicReport(Uint8Array.of(1))).toBe(null);
  });

  it.each<[NicHealth, HealthReason | undefined, number]>([
    ['up', undefined, 0],
    ['up', 'unproven', 0x2c],
    ['suspect', 'waiting', 0x35],
    ['down', 'missing', 0x06],
  ])('%s %s is written so, and its health read as written', (health, reason, packed) => {
    expect(packNic(health, reason)).toBe(packed);
    expect(healthIn(packed)).toBe(health);
  });

  it('an unknown health counts as down', () => expect(healthIn(3)).toBe('down'));
});
