import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as arp from '../../src/frame/arp.js';
import { decodeEthernet, encodeEthernet, ethernetLength, type EthernetFrame } from '../../src/frame/ethernet.js';
import * as arbitrary from './arbitraries.js';
import * as vector from './vectors.js';
import { ONE, patched, TWO } from './vectors.js';

/** The packet inside a whole frame. */
function opened(bytes: Uint8Array): arp.Arp | arp.ArpDrop {
  const frame = decodeEthernet(bytes);
  if (typeof frame === 'string') throw new Error(frame);
  expect(frame.etherType).toBe(0x0806);
  return arp.decodeArp(frame.payload);
}

describe('Ethernet', () => {
  test('header', () => {
    const frame = decodeEthernet(vector.ARP_REPLY) as EthernetFrame;
    expect(frame).toMatchObject({ destination: ONE, source: TWO, etherType: 0x0806 });
    expect(ethernetLength(frame)).toBe(vector.ARP_REPLY.length);
    expect(encodeEthernet(frame)).toEqual(vector.ARP_REPLY);
  });

  test.each([
    ['ethernet-short', vector.ARP_REPLY.subarray(0, 13)],
    ['ethernet-short', new Uint8Array(0)],
    ['ethernet-not-a-type', patched(vector.ARP_REPLY, 12, 0x05, 0xff)],
    ['ethernet-source-group', patched(vector.ARP_REPLY, 6, 0x33)],
  ])('%s', (reason, bytes) => {
    expect(decodeEthernet(bytes)).toBe(reason);
  });

  test('comes back', () => {
    const any = fc.record({
      destination: arbitrary.anyMac,
      source: arbitrary.cardMac,
      etherType: fc.integer({ min: 0x600, max: 0xffff }),
      payload: fc.uint8Array({ maxLength: 64 }),
    });
    fc.assert(
      fc.property(any, (frame) => {
        expect(decodeEthernet(encodeEthernet(frame))).toEqual(frame);
      }),
    );
  });
});

describe('ARP, RFC 826', () => {
  test.each([
    [
      'request',
      vector.ARP_REQUEST,
      { op: 'request', sha: ONE, spa: '10.77.0.1', tha: '00:00:00:00:00:00', tpa: '10.77.0.2' },
    ],
    ['reply', vector.ARP_REPLY, { op: 'reply', sha: TWO, spa: '10.77.0.2', tha: ONE, tpa: '10.77.0.1' }],
    [
      'announcement',
      vector.ARP_ANNOUNCEMENT,
      { op: 'request', sha: ONE, spa: '10.77.0.1', tha: '00:00:00:00:00:00', tpa: '10.77.0.1' },
    ],
    [
      'probe',
      vector.ARP_PROBE_OF_ARPING,
      { op: 'request', sha: TWO, spa: '0.0.0.0', tha: 'ff:ff:ff:ff:ff:ff', tpa: '10.77.0.1' },
    ],
    [
      'answer to a probe',
      vector.ARP_REPLY_TO_PROBE,
      { op: 'reply', sha: ONE, spa: '10.77.0.1', tha: TWO, tpa: '0.0.0.0' },
    ],
  ])("the kernel's %s", (_name, bytes, packet) => {
    expect(opened(bytes)).toEqual(packet);
    expect(arp.encodeArp(packet as arp.Arp)).toEqual(bytes.subarray(14));
  });

  test('we send what the kernel sends', () => {
    expect(arp.arpRequest(ONE, '10.77.0.1', '10.77.0.2')).toEqual(vector.ARP_REQUEST);
    expect(arp.arpReply(TWO, '10.77.0.2', ONE, '10.77.0.1')).toEqual(vector.ARP_REPLY);
    expect(arp.gratuitousRequest(ONE, '10.77.0.1')).toEqual(vector.ARP_ANNOUNCEMENT);
  });

  test('a probe has no sender address (RFC 5227 1.1) and asks everybody', () => {
    const probe = arp.arpProbe(ONE, '10.77.0.254');
    expect(probe.subarray(0, 6)).toEqual(new Uint8Array(6).fill(0xff));
    expect(opened(probe)).toEqual({
      op: 'request',
      sha: ONE,
      spa: '0.0.0.0',
      tha: '00:00:00:00:00:00',
      tpa: '10.77.0.254',
    });
  });

  test('the reply form has the own MAC as target, or Linux does not learn from it within a second', () => {
    const frame = arp.gratuitousReply(ONE, '10.77.0.1');
    expect(frame.subarray(0, 6)).toEqual(new Uint8Array(6).fill(0xff));
    expect(opened(frame)).toEqual({ op: 'reply', sha: ONE, spa: '10.77.0.1', tha: ONE, tpa: '10.77.0.1' });
  });

  test('gratuitous or not', () => {
    const of = (bytes: Uint8Array) => arp.isGratuitous(opened(bytes) as arp.Arp);
    expect(of(arp.gratuitousReply(ONE, '10.77.0.1'))).toBe(true);
    expect(of(vector.ARP_ANNOUNCEMENT)).toBe(true);
    expect(of(vector.ARP_REQUEST)).toBe(false);
    expect(of(arp.arpProbe(ONE, '0.0.0.0'))).toBe(false);
  });

  test('padding after the packet is passed over', () => {
    const padded = new Uint8Array(60);
    padded.set(vector.ARP_REPLY);
    expect(opened(padded)).toEqual(opened(vector.ARP_REPLY));
  });

  test.each([
    ['arp-short', vector.ARP_REPLY.subarray(0, 41)],
    ['arp-hardware', patched(vector.ARP_REPLY, 14, 0, 6)],
    ['arp-hardware', patched(vector.ARP_REPLY, 18, 8)],
    ['arp-protocol', patched(vector.ARP_REPLY, 16, 0x86, 0xdd)],
    ['arp-protocol', patched(vector.ARP_REPLY, 19, 16)],
    ['arp-operation', patched(vector.ARP_REPLY, 20, 0, 3)],
    ['arp-operation', patched(vector.ARP_REPLY, 20, 1, 1)],
    ['arp-sender-group', patched(vector.ARP_REPLY, 22, 0xff)],
  ])('%s', (reason, bytes) => {
    expect(opened(bytes)).toBe(reason);
  });

  test('comes back', () => {
    fc.assert(
      fc.property(arbitrary.arp, (packet) => {
        const bytes = arp.encodeArp(packet);
        expect(bytes.length).toBe(arp.ARP_LENGTH);
        expect(arp.decodeArp(bytes)).toEqual(packet);
      }),
    );
  });
});
