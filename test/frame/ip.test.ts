import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIp, groupMac, ipBytes, parseIp, samePrefix, solicitedNode } from '../../src/frame/ip.js';
import { isGroupMac, parseMac, readMac, writeMac } from '../../src/frame/mac.js';
import { ipv6Bytes } from './arbitraries.js';

test.each([
  ['10.77.0.1', [10, 77, 0, 1]],
  ['0.0.0.0', [0, 0, 0, 0]],
  ['255.255.255.255', [255, 255, 255, 255]],
])('IPv4 %s', (text, bytes) => {
  expect([...(parseIp(text) ?? [])]).toEqual(bytes);
  expect(formatIp(Uint8Array.from(bytes))).toBe(text);
});

test.each([
  '',
  '10.77.0',
  '10.77.0.1.2',
  '10.77.0.256',
  '10.77.0.01',
  '10.77.0.+1',
  '10.77.0. 1',
  '10.77.0.1/24',
  'a.b.c.d',
])('not an IPv4 address: "%s"', (text) => {
  expect(parseIp(text)).toBeNull();
});

// RFC 5952: section 4 with its own examples, all forms of one address come out as one text.
test.each([
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', '4.2.3 the first of two equal runs'],
  ['2001:0db8:0:0:0:0:2:1', '2001:db8::2:1', '4.1 no leading zeros'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1', '4.2.2 one group is not shortened'],
  ['2001:db8::0:1', '2001:db8::1', '4.2.1 as short as can be'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1', '4.2.3 the longest run'],
  ['2001:DB8::AaAa', '2001:db8::aaaa', '4.3 lower case'],
  ['0:0:0:0:0:0:0:0', '::', 'unspecified'],
  ['0:0:0:0:0:0:0:1', '::1', 'loopback'],
  ['fe80:0:0:0:0:0:0:0', 'fe80::', 'run at the end'],
  ['::ffff:c000:201', '::ffff:192.0.2.1', '5 mapped IPv4'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1', '5 mapped IPv4'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0', ':: for one group is read'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221', 'dotted end'],
])('RFC 5952: %s is written %s (%s)', (text, canonical) => {
  expect(formatIp(ipBytes(text))).toBe(canonical);
});

test.each([
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '12345::',
  'g::',
  ':1',
  '1:',
  'fe80::1%eth0',
  '1.2.3.4::',
  '::1.2.3',
  '::1.2.3.4.5',
  '::1.2.3.4:5',
])('not an IPv6 address: "%s"', (text) => {
  expect(parseIp(text)).toBeNull();
});

test('any IPv6 address comes back from its text, and its text is one', () => {
  fc.assert(
    fc.property(ipv6Bytes, (bytes) => {
      const text = formatIp(bytes);
      expect(isIP(text)).toBe(6);
      expect(parseIp(text)).toEqual(bytes);
      // The URL standard serializes by RFC 5952 too, but for mapped IPv4.
      if (!text.startsWith('::ffff:')) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
    }),
  );
});

test('any text is an address exactly if Node says so', () => {
  const pieces = fc.array(
    fc.constantFrom('0', '1', 'fd77', 'ffff', ':', ':', '::', '.', '1.2.3.4', '255', '256', 'g'),
    {
      maxLength: 17,
    },
  );
  fc.assert(
    fc.property(
      pieces.map((list) => list.join('')),
      (text) => {
        expect(parseIp(text)?.length ?? 0).toBe({ 4: 4, 6: 16 }[isIP(text)] ?? 0);
      },
    ),
    { numRuns: 5000 },
  );
});

test('groups: RFC 4291 2.7.1, RFC 2464 7, RFC 1112 6.4', () => {
  expect(solicitedNode('4037::1:800:200e:8c6c')).toBe('ff02::1:ff0e:8c6c');
  expect(groupMac('ff02::1:ff0e:8c6c')).toBe('33:33:ff:0e:8c:6c');
  expect(groupMac('ff02::1')).toBe('33:33:00:00:00:01');
  expect(groupMac('239.129.1.2')).toBe('01:00:5e:01:01:02');
});

test.each([
  ['10.77.0.1', '10.77.0.254', 24, true],
  ['10.77.0.1', '10.77.1.1', 24, false],
  ['10.77.0.1', '10.77.0.2', 31, false],
  ['10.77.0.2', '10.77.0.3', 31, true],
  ['10.77.0.1', '10.77.0.1', 32, true],
  ['10.77.0.1', '11.0.0.0', 0, true],
  ['fd77::1', 'fd77::ffff', 64, true],
  ['fd77::1', 'fd77:0:0:1::1', 64, false],
  ['fd77::1', 'fd77:0:0:1::1', 63, true],
  ['fd77::1', '10.77.0.1', 0, false],
])('%s and %s in one /%d: %s', (one, other, length, same) => {
  expect(samePrefix(one, other, length)).toBe(same);
});

test('MAC', () => {
  const bytes = new Uint8Array(8);
  writeMac(bytes, 1, '02:AB:00:00:00:ff');
  expect([...bytes]).toEqual([0, 2, 0xab, 0, 0, 0, 0xff, 0]);
  expect(readMac(bytes, 1)).toBe('02:ab:00:00:00:ff');
  for (const text of [
    '',
    '02:00:00:00:00',
    '02-00-00-00-00-01',
    '2:0:0:0:0:1',
    '02:00:00:00:00:0g',
    '02:00:00:00:00:01:02',
  ])
    expect(parseMac(text)).toBeNull();
  expect(isGroupMac('01:80:c2:00:00:00')).toBe(true);
  expect(isGroupMac('02:00:00:00:00:01')).toBe(false);
});
