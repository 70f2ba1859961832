import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checksum, checksumV6 } from '../../src/frame/checksum.js';
import { decodeEthernet, type EthernetFrame } from '../../src/frame/ethernet.js';
import * as ndp from '../../src/frame/ndp.js';
import * as arbitrary from './arbitraries.js';
import * as vector from './vectors.js';
import { hex, ONE, patched, TWO } from './vectors.js';

const opened = (bytes: Uint8Array) => ndp.decodeNdp((decodeEthernet(bytes) as EthernetFrame).payload);

/** Offsets in a whole frame. */
const IPV6 = 14;
const ICMPV6 = 54;

/** The frame patched, with its checksum made right again, so that the patch alone is what is wrong. */
function resealed(bytes: Uint8Array, offset: number, ...octets: number[]): Uint8Array {
  const frame = patched(patched(bytes, offset, ...octets), ICMPV6 + 2, 0, 0);
  const sum = checksumV6(frame.subarray(22, 38), frame.subarray(38, 54), 58, frame.subarray(ICMPV6));
  return patched(frame, ICMPV6 + 2, sum >> 8, sum & 0xff);
}

/** The frame cut to that many bytes of ICMPv6, lengths and checksum right. */
function cut(bytes: Uint8Array, length: number): Uint8Array {
  return resealed(bytes.slice(0, ICMPV6 + length), IPV6 + 4, length >> 8, length & 0xff);
}

describe('checksum, RFC 1071', () => {
  test('the example of section 3', () => {
    expect(checksum(hex('00 01 f2 03 f4 f5 f6 f7'))).toBe(0xffff & ~0xddf2);
  });

  test('an odd byte counts as if zero followed', () => {
    expect(checksum(hex('01 02 03'))).toBe(checksum(hex('01 02 03 00')));
  });

  test('over data and its own checksum it is zero', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const even = bytes.length % 2 === 0 ? bytes : Uint8Array.of(...bytes, 0);
        const sum = checksum(even);
        expect(checksum(Uint8Array.of(...even, sum >> 8, sum & 0xff))).toBe(0);
      }),
    );
  });
});

describe('neighbour discovery, RFC 4861', () => {
  const solicited = {
    type: 'neighbour-solicitation',
    source: 'fd77::1',
    destination: 'ff02::1:ff00:2',
    target: 'fd77::2',
    sourceLinkLayer: ONE,
  };
  const probe = {
    type: 'neighbour-solicitation',
    source: '::',
    destination: 'ff02::1:ff00:1',
    target: 'fd77::1',
    nonce: 'c439e2fc74af',
  };
  const answer = {
    type: 'neighbour-advertisement',
    source: 'fd77::2',
    destination: 'fd77::1',
    target: 'fd77::2',
    router: false,
    solicited: true,
    override: true,
    targetLinkLayer: TWO,
  };
  const announcement = {
    type: 'neighbour-advertisement',
    source: 'fd77::1',
    destination: 'ff02::1',
    target: 'fd77::1',
    router: false,
    solicited: false,
    override: true,
    targetLinkLayer: ONE,
  };

  test.each([
    ['solicitation', vector.NS, solicited],
    ['probe', vector.NS_PROBE, probe],
    ['answer', vector.NA_SOLICITED, answer],
    ['announcement', vector.NA_UNSOLICITED, announcement],
  ])("the kernel's %s", (_name, bytes, message) => {
    expect(opened(bytes)).toEqual(message);
    expect(ndp.encodeNdp(message as ndp.Ndp)).toEqual(bytes.subarray(IPV6));
  });

  test('we send what the kernel sends', () => {
    expect(ndp.neighbourSolicitation(ONE, 'fd77::1', 'fd77::2')).toEqual(vector.NS);
    expect(ndp.neighbourAnswer(TWO, solicited as ndp.NeighbourSolicitation, ONE, false)).toEqual(vector.NA_SOLICITED);
    expect(ndp.unsolicitedAdvertisement(ONE, 'fd77::1', false)).toEqual(vector.NA_UNSOLICITED);
  });

  test('a probe comes from :: and has no link-layer address (RFC 4862 5.4.2)', () => {
    const bytes = ndp.neighbourProbe(ONE, 'fd77::254');
    expect(decodeEthernet(bytes)).toMatchObject({ source: ONE, destination: '33:33:ff:00:02:54' });
    expect(opened(bytes)).toEqual({
      type: 'neighbour-solicitation',
      source: '::',
      destination: 'ff02::1:ff00:254',
      target: 'fd77::254',
    });
  });

  test('a probe is answered to all nodes, unsolicited (7.2.4)', () => {
    const bytes = ndp.neighbourAnswer(TWO, { ...probe } as ndp.NeighbourSolicitation, ONE, true);
    expect(decodeEthernet(bytes)).toMatchObject({ source: TWO, destination: '33:33:00:00:00:01' });
    expect(opened(bytes)).toMatchObject({
      destination: 'ff02::1',
      solicited: false,
      override: true,
      router: true,
      targetLinkLayer: TWO,
    });
  });

  test('a solicitation without link-layer address is answered to the MAC it came from', () => {
    const asked: ndp.NeighbourSolicitation = {
      type: 'neighbour-solicitation',
      source: 'fd77::1',
      destination: 'fd77::2',
      target: 'fd77::2',
    };
    expect(decodeEthernet(ndp.neighbourAnswer(TWO, asked, ONE, false))).toMatchObject({ destination: ONE });
  });

  test('padding after the IPv6 payload is passed over', () => {
    expect(opened(Uint8Array.of(...vector.NS, 1, 2, 3))).toEqual(solicited);
  });

  test('unknown options are passed over (4.6)', () => {
    expect(opened(resealed(vector.NS, ICMPV6 + 24, 253, 1))).toEqual({ ...solicited, sourceLinkLayer: undefined });
  });

  test.each([
    ['ndp-short', 'no IPv6 header', vector.NS.subarray(0, 53)],
    ['ndp-short', 'cut off', vector.NS.subarray(0, 85)],
    ['ndp-short', 'no room for type and checksum', cut(vector.NS, 4)],
    ['ndp-short', 'fewer than 24 bytes', cut(vector.NS, 23)],
    ['ndp-version', 'IPv4', patched(vector.NS, IPV6, 0x45)],
    ['ndp-not-icmpv6', 'UDP', patched(vector.NS, IPV6 + 6, 17)],
    ['ndp-not-icmpv6', 'hop-by-hop options', patched(vector.NS, IPV6 + 6, 0)],
    ['ndp-not-icmpv6', 'a fragment (RFC 6980 5)', patched(vector.NS, IPV6 + 6, 44)],
    ['ndp-hop-limit', 'from beyond a router (7.1.1)', patched(vector.NS, IPV6 + 7, 254)],
    ['ndp-source-group', 'from a group', resealed(vector.NA_UNSOLICITED, IPV6 + 8, 0xff)],
    ['ndp-checksum', 'one bit in the target', patched(vector.NS, ICMPV6 + 23, 3)],
    ['ndp-checksum', 'one bit in the source', patched(vector.NS, IPV6 + 23, 3)],
    ['ndp-type', 'router solicitation', resealed(vector.NS, ICMPV6, 133)],
    ['ndp-code', 'code 1', resealed(vector.NS, ICMPV6 + 1, 1)],
    ['ndp-target-group', 'target is a group', resealed(vector.NS, ICMPV6 + 8, 0xff)],
    ['ndp-option', 'length zero', resealed(vector.NS, ICMPV6 + 25, 0)],
    ['ndp-option', 'beyond the end', resealed(vector.NS, ICMPV6 + 25, 2)],
    ['ndp-option', 'one byte of an option', cut(vector.NS, 25)],
    ['ndp-probe-destination', 'probe to one node', resealed(vector.NS_PROBE, IPV6 + 24, 0xfd)],
    ['ndp-probe-destination', 'probe to all nodes', resealed(vector.NS_PROBE, IPV6 + 36, 0, 0, 1)],
    ['ndp-probe-link-layer', 'probe with link-layer address', resealed(vector.NS_PROBE, ICMPV6 + 24, 1)],
    ['ndp-solicited-group', 'solicited, to all nodes (7.1.2)', resealed(vector.NA_UNSOLICITED, ICMPV6 + 4, 0x60)],
  ])('%s: %s', (reason, _case, bytes) => {
    expect(opened(bytes)).toBe(reason);
  });

  test('comes back', () => {
    fc.assert(
      fc.property(arbitrary.ndp, (message) => {
        const bytes = ndp.encodeNdp(message);
        expect(bytes.length).toBe(ndp.ndpLength(message));
        expect(ndp.decodeNdp(bytes)).toEqual(message);
      }),
    );
  });
});
