import fc from 'fast-check';
import type { Arp } from '../../src/frame/arp.js';
import { formatIp, solicitedNode } from '../../src/frame/ip.js';
import { readMac } from '../../src/frame/mac.js';
import type { Ndp, NeighbourAdvertisement, NeighbourSolicitation } from '../../src/frame/ndp.js';

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

export const anyMac = octets(6).map((bytes) => readMac(bytes, 0));
/** Of one card, not of a group. */
export const cardMac = octets(6).map((bytes) =>
  readMac(Uint8Array.of((bytes[0] ?? 0) & 0xfe, ...bytes.subarray(1)), 0),
);
export const ipv4 = octets(4).map(formatIp);
/** Runs of zero groups are as likely as not, for they make the text interesting. */
export const ipv6Bytes = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));
const unicastBytes = ipv6Bytes.map((bytes) => Uint8Array.of(0xfd, ...bytes.subarray(1)));
export const ipv6 = unicastBytes.map(formatIp);

export const arp: fc.Arbitrary<Arp> = fc.record({
  op: fc.constantFrom('request' as const, 'reply' as const),
  sha: cardMac,
  spa: ipv4,
  tha: anyMac,
  tpa: ipv4,
});

const nonce = octets(6).map((bytes) => Array.from(bytes, (octet) => octet.toString(16).padStart(2, '0')).join(''));

export const solicitation: fc.Arbitrary<NeighbourSolicitation> = fc.oneof(
  fc.record(
    {
      type: fc.constant('neighbour-solicitation' as const),
      source: ipv6,
      destination: ipv6Bytes.map(formatIp),
      target: ipv6,
      sourceLinkLayer: anyMac,
      nonce,
    },
    { requiredKeys: ['type', 'source', 'destination', 'target'] },
  ),
  fc.record({ target: ipv6, nonce: fc.option(nonce, { nil: undefined }) }).map(({ target, nonce }) => ({
    type: 'neighbour-solicitation' as const,
    source: '::',
    destination: solicitedNode(target),
    target,
    ...(nonce === undefined ? {} : { nonce }),
  })),
);

export const advertisement: fc.Arbitrary<NeighbourAdvertisement> = fc
  .record(
    {
      type: fc.constant('neighbour-advertisement' as const),
      source: ipv6,
      destination: fc.oneof(ipv6, fc.constant('ff02::1')),
      target: ipv6,
      router: fc.boolean(),
      solicited: fc.boolean(),
      override: fc.boolean(),
      targetLinkLayer: anyMac,
    },
    { requiredKeys: ['type', 'source', 'destination', 'target', 'router', 'solicited', 'override'] },
  )
  .map((sent) => (sent.destination.startsWith('ff') ? { ...sent, solicited: false } : sent));

export const ndp: fc.Arbitrary<Ndp> = fc.oneof(solicitation, advertisement);
