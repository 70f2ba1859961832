import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIp } from '../../src/frame/ip.js';
import { readMac } from '../../src/frame/mac.js';
import { PART_MAX } from '../../src/frame/part.js';
import {
  decodeInquiry,
  decodeSighting,
  encodeInquiry,
  encodeSighting,
  INQUIRED_MAX,
  MACS_MAX,
} from '../../src/frame/sighting.js';

const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const mac = octets(6).map((bytes) => readMac(bytes, 0));
const address = fc.oneof(octets(4), octets(16)).map(formatIp);
const token = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const macs = fc.array(mac, { maxLength: MACS_MAX });
const inquiry = fc.record({ token, macs, addresses: fc.array(address, { maxLength: INQUIRED_MAX }) });
const sighting = fc.record({ token, macs, seen: fc.array(fc.record({ address, mac }), { maxLength: INQUIRED_MAX }) });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('inquiry and sighting', () => {
  it('canonical bytes', () => {
    const macs = ['02:00:00:00:00:01'];
    expect(hex(encodeInquiry({ token: 0x01020304, macs, addresses: ['10.77.0.100', 'fd77::100'] }))).toBe(
      '01020304' + '01020000000001' + '02' + '040a4d0064' + '06fd770000000000000000000000000100',
    );
    const seen = [{ address: '10.77.0.100', mac: '02:00:00:00:00:02' }];
    expect(hex(encodeSighting({ token: 7, macs: [], seen }))).toBe(
      '00000007' + '00' + '01' + '040a4d0064' + '020000000002',
    );
  });

  it('what is encoded is decoded, and fits into a part', () => {
    fc.assert(
      fc.property(inquiry, sighting, (asked, seen) => {
        expect(decodeInquiry(encodeInquiry(asked))).toEqual(asked);
        expect(decodeSighting(encodeSighting(seen))).toEqual(seen);
        expect(encodeInquiry(asked).length).toBeLessThanOrEqual(PART_MAX);
        expect(encodeSighting(seen).length).toBeLessThanOrEqual(PART_MAX);
      }),
    );
  });

  it('any bytes: null or something that encodes to the same, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: PART_MAX }), (bytes) => {
        const asked = decodeInquiry(bytes);
        if (asked !== null) expect(hex(encodeInquiry(asked))).toBe(hex(bytes));
        const seen = decodeSighting(bytes);
        if (seen !== null) expect(hex(encodeSighting(seen))).toBe(hex(bytes));
      }),
    );
  });

  it('one byte more, one less, a longer list than allowed, another family: damaged', () => {
    fc.assert(
      fc.property(inquiry, (asked) => {
        const bytes = encodeInquiry(asked);
        expect(decodeInquiry(bytes.subarray(0, -1))).toBeNull();
        expect(decodeInquiry(Uint8Array.of(...bytes, 0))).toBeNull();
      }),
    );
    expect(decodeInquiry(Uint8Array.of(0, 0, 0, 0, MACS_MAX + 1, 0))).toBeNull();
    expect(decodeInquiry(Uint8Array.of(0, 0, 0, 0, 0, 1, 5, 1, 2, 3, 4))).toBeNull();
  });
});
