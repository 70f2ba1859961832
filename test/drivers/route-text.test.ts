import { describe, expect, it } from 'vitest';
import { isToldRoute, parseRoute, routeText } from '../../drivers/route-text.js';

describe('canonical text of a route', () => {
  it.each([
    'default via 10.77.0.254 dev eth0',
    'default via 10.77.0.254 dev eth0 metric 100',
    'default via fd77::fe dev eth0',
    '10.9.0.0/16 via 10.77.0.9 dev eth0 src 10.77.0.1 mtu 1400 table 77 onlink',
    'fd99::/48 via fd77::fe dev eth1 metric 50 src fd77::1 mtu 1300',
    '10.8.0.0/16 dev eth0 proto 99',
  ])('is its own parse: %s', (line) => expect(routeText(parseRoute(line))).toBe(line));

  it.each([
    ['10.1.2.3 via 10.77.0.254 dev eth0', '10.1.2.3/32 via 10.77.0.254 dev eth0'],
    ['fd99::1 via fd77::fe dev eth0 metric 1024', 'fd99::1/128 via fd77::fe dev eth0'],
    ['default via 10.77.0.254 dev eth0 proto static', 'default via 10.77.0.254 dev eth0'],
    ['default onlink via 10.77.0.254 dev eth0 table 254', 'default via 10.77.0.254 dev eth0 onlink'],
  ])('%s is written %s', (line, canonical) => expect(routeText(parseRoute(line))).toBe(canonical));

  it('tells every leg of a multipath route', () => {
    const route = {
      ...parseRoute('default dev eth0'),
      nextHops: [
        { nic: 'eth0', gateway: '10.77.0.254', flags: 0, hops: 0 },
        { nic: 'eth1', gateway: '10.78.0.254', flags: 4, hops: 2 },
      ],
    };
    expect(routeText(route)).toBe(
      'default nexthop via 10.77.0.254 dev eth0 weight 1 nexthop via 10.78.0.254 dev eth1 weight 3 onlink',
    );
  });

  it.each([
    ['default via 10.77.0.254 dev eth0 hoplimit 3', /"hoplimit" is not a word/],
    ['default via 10.77.0.254', /names no dev/],
    ['default via', /nothing stands after "via"/],
    ['default dev eth0 metric x', /metric needs a number/],
  ])('refuses %s', (line, message) => expect(() => parseRoute(line)).toThrow(message));

  it.each([
    [{ type: 1, table: 254, protocol: 3 }, true],
    [{ type: 1, table: 254, protocol: 2 }, false],
    [{ type: 2, table: 255, protocol: 2 }, false],
    [{ type: 5, table: 255, protocol: 3 }, false],
  ])('tells %j: %s', (route, told) => expect(isToldRoute(route)).toBe(told));
});
