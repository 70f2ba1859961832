import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, parseAddress, parsePrefix, unfitForHost } from '../../src/config/address.js';
import { parseDuration, showDuration } from '../../src/config/duration.js';

describe('canonical text (RFC 5952)', () => {
  test.each([
    ['10.77.0.1', '10.77.0.1'],
    ['FD77::00A1', 'fd77::a1'],
    ['fd77:0:0:0:0:0:0:1', 'fd77::1'],
    // Section 4.2.2: one zero field alone is not shortened.
    ['fd77:0:1:1:1:1:1:1', 'fd77:0:1:1:1:1:1:1'],
    // Section 4.2.3: the longest run, of equal ones the first.
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['1::', '1::'],
  ])('%s → %s', (text, expected) => {
    expect(parseAddress(text)?.address).toBe(expected);
  });

  test.each([
    '',
    '10.77.0',
    '10.77.0.256',
    '010.0.0.1',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
    'fd77::1::2',
    '10.77.0.1/24',
    'eth0',
    '1e3',
  ])('"%s" is no address', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  test('canonical text is its own canonical text, and no other text is accepted twice', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const once = parseAddress(text);
        if (once === null) return;
        expect(parseAddress(once.address)).toEqual(once);
        expect(once.address).toBe(new URL(`http://[${text}]/`).hostname.slice(1, -1));
      }),
    );
  });

  test('whatever comes in, no exception', () => {
    fc.assert(
      fc.property(fc.string(), (text) => void [parseAddress(text), parsePrefix(text, true), parseDuration(text)]),
    );
  });
});

test.each<[string, boolean, string | null]>([
  ['10.77.0.1/24', false, '10.77.0.1/24'],
  ['10.77.0.1', false, null],
  ['10.77.0.1', true, '10.77.0.1/32'],
  ['fd77::1', true, 'fd77::1/128'],
  ['10.77.0.1/33', true, null],
  ['10.77.0.1/0', true, null],
  ['fd77::1/129', true, null],
  ['fd77::1/', true, null],
])('prefix %s (host length allowed: %s) → %s', (text, hostLength, expected) => {
  const prefix = parsePrefix(text, hostLength);
  expect(prefix && `${prefix.address}/${prefix.prefixLength}`).toBe(expected);
});

test.each<[string, string | null]>([
  ['10.77.0.1/24', null],
  ['10.77.0.0/24', 'the network address of its prefix'],
  ['10.77.0.255/24', 'the broadcast address of its prefix'],
  ['10.77.0.0/31', null],
  ['10.77.0.255/32', null],
  ['127.0.0.2/8', 'a loopback address'],
  ['224.0.0.1/24', 'a multicast address'],
  ['0.1.2.3/24', 'a reserved address'],
  ['fe80::1/64', 'a link-local address, which never moves'],
  ['ff02::1/64', 'a multicast address'],
  ['::/64', 'the unspecified address'],
])('%s as the address of a host: %s', (text, expected) => {
  expect(unfitForHost(parsePrefix(text, false)!)).toBe(expected);
});

test.each([
  ['10.77.0.1/24', '10.77.0.254', true],
  ['10.77.0.1/24', '10.77.1.1', false],
  ['fd77::1/64', 'fd77::ffff', true],
  ['fd77::1/64', 'fd78::1', false],
])('%s contains %s: %s', (prefix, address, expected) => {
  expect(contains(parsePrefix(prefix, false)!, address)).toBe(expected);
});

test.each([
  ['200ms', 200],
  ['1s', 1000],
  ['0.5s', 500],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['5', null],
  ['-1s', null],
  ['1 s', null],
  ['1d', null],
  ['1e3ms', null],
])('duration %s → %s', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test('a shown duration parses to the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000_000 }), (ms) => {
      expect(parseDuration(showDuration(ms))).toBe(ms);
    }),
  );
});
