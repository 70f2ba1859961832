import fc from 'fast-check';
import ip6addr from 'ip6addr';
import { describe, expect, it } from 'vitest';
import type { Address, Neighbour, NextHop, Route } from '../../../../src/input.js';
import { addressBytes, addressText, macBytes, macText } from '../../../../drivers/linux/netlink/address-text.js';
import { decodeAddress, encodeAddress } from '../../../../drivers/linux/netlink/address.js';
import { decodeLink } from '../../../../drivers/linux/netlink/link.js';
import {
  decodeAttributes,
  decodeMessages,
  decodeOutcome,
  encodeMessage,
  NLMSG_ERROR,
} from '../../../../drivers/linux/netlink/message.js';
import { decodeNeighbour, encodeNeighbour } from '../../../../drivers/linux/netlink/neighbour.js';
import { decodeRoute, encodeRoute } from '../../../../drivers/linux/netlink/route.js';

const nics = ['eth0', 'eth1', 'bond0.7'];
const names = {
  nameOf: (ifindex: number) => nics[ifindex - 1],
  indexOf: (name: string) => (nics.includes(name) ? nics.indexOf(name) + 1 : undefined),
};

const u8 = fc.integer({ min: 0, max: 255 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const positive = fc.integer({ min: 1, max: 0xfffffffe });
const text = (family: 4 | 6) =>
  fc
    .uint8Array({ minLength: family === 4 ? 4 : 16, maxLength: family === 4 ? 4 : 16 })
    .map((b) => addressText(b) ?? '');
const hex = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macText);
const family = fc.constantFrom(4 as const, 6 as const);
/** What `fc.record` makes with keys left out, without those that say undefined. */
const optional = { requiredKeys: [] as never[] };

const address: fc.Arbitrary<Address> = family.chain((f) =>
  fc
    .tuple(
      fc.record({ family: fc.constant(f), local: text(f), prefixLength: u8, scope: u8, flags: u32 }),
      fc.record(
        {
          peer: text(f),
          ...(f === 4 && { broadcast: text(f) }),
          label: fc.string({ minLength: 1, maxLength: 15, unit: 'grapheme-ascii' }),
          protocol: fc.integer({ min: 1, max: 255 }),
          metric: positive,
        },
        optional,
      ),
      fc.oneof(
        fc.constant({}),
        fc.record({
          validS: fc.integer({ min: 0, max: 0xfffffffe }),
          preferredS: fc.integer({ min: 0, max: 0xfffffffe }),
        }),
      ),
    )
    .map(([fixed, options, lifetimes]) => ({ ...fixed, ...options, ...lifetimes }))
    .filter(({ local, peer }) => local !== peer),
);

const leg = (f: 4 | 6): fc.Arbitrary<NextHop> =>
  fc
    .tuple(
      fc.record({ nic: fc.constantFrom(...nics), flags: fc.constantFrom(0, 2, 4, 6), hops: u8 }),
      fc.record(
        { gateway: fc.oneof(text(f), text(4)), other: fc.dictionary(fc.constantFrom('11', '22'), hex, { minKeys: 1 }) },
        optional,
      ),
    )
    .map(([fixed, options]) => ({ ...fixed, ...options }));

const prefix = (f: 4 | 6) =>
  fc.tuple(text(f), fc.integer({ min: 1, max: f === 4 ? 32 : 128 })).map(([net, length]) => `${net}/${length}`);

const route: fc.Arbitrary<Route> = family.chain((f) => {
  const fixed = { table: u32, protocol: u8, scope: u8, type: u8, tos: u8, flags: fc.constantFrom(0, 2, 4, 6) };
  const options = {
    metric: u32,
    preferredSource: text(f),
    source: prefix(f),
    metrics: fc.dictionary(fc.constantFrom('1', '2', '3', '8', '10'), u32, { minKeys: 1 }),
    preference: fc.constantFrom(1, 3),
    expiresS: positive,
    nextHopId: positive,
    other: fc.dictionary(fc.constantFrom('11', '22', '26', '32789', '8.16'), hex, { minKeys: 1 }),
  };
  const way = fc.oneof(
    fc.record({ nic: fc.constantFrom('', ...nics) }),
    fc.record({ nic: fc.constantFrom(...nics), gateway: fc.oneof(text(f), text(4)) }),
    fc.array(leg(f), { minLength: 1, maxLength: 4 }).map((nextHops) => ({ nic: nextHops[0]?.nic, nextHops })),
  );
  const destination = fc.oneof(prefix(f), fc.constant(f === 4 ? '0.0.0.0/0' : '::/0'));
  return fc
    .tuple(fc.record({ family: fc.constant(f), destination, ...fixed }), fc.record(options, optional), way)
    .map((parts) => Object.assign({}, ...parts) as Route);
});

const neighbour: fc.Arbitrary<Neighbour> = family.chain((f) =>
  fc
    .tuple(
      fc.record({
        family: fc.constant(f),
        address: text(f),
        mac: fc.oneof(mac, fc.constant('')),
        state: fc.integer({ min: 0, max: 0xffff }),
        flags: u8,
      }),
      fc.record({ protocol: fc.integer({ min: 1, max: 255 }) }, optional),
    )
    .map(([fixed, options]) => ({ ...fixed, ...options })),
);

describe('what is encoded is decoded to the same', () => {
  it('addresses', () => {
    fc.assert(
      fc.property(address, positive, (given, ifindex) => {
        expect(decodeAddress(Buffer.concat(encodeAddress(ifindex, given)))).toEqual({ ifindex, address: given });
      }),
    );
  });
  it('routes', () => {
    fc.assert(
      fc.property(route, (given) => {
        expect(decodeRoute(Buffer.concat(encodeRoute(given, names)), names)).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });
  it('neighbours', () => {
    fc.assert(
      fc.property(neighbour, positive, (given, ifindex) => {
        expect(decodeNeighbour(Buffer.concat(encodeNeighbour(ifindex, given)))).toEqual({ ifindex, neighbour: given });
      }),
    );
  });
  it('messages, several in one datagram', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((part) => Buffer.from(part));
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (payloads) => {
        const padded = payloads.map((payload, i) => {
          const message = encodeMessage(16 + i, 5, i, [payload]);
          return Buffer.concat([message, Buffer.alloc(-message.length & 3)]);
        });
        const found = decodeMessages(Buffer.concat(padded));
        expect(found.map(({ payload }) => Buffer.from(payload))).toEqual(payloads);
        expect(found.map(({ type }) => type)).toEqual(payloads.map((_, i) => 16 + i));
      }),
    );
  });
});

describe('hostile bytes', () => {
  const garbage = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  it('never throw, whoever decodes them', () => {
    fc.assert(
      fc.property(garbage, fc.constantFrom(2, 10, 0), (bytes, family) => {
        if (bytes.length > 0) bytes[0] = family;
        for (const message of decodeMessages(bytes)) decodeOutcome(message);
        decodeLink(bytes);
        decodeAddress(bytes);
        decodeNeighbour(bytes);
        decodeRoute(bytes, names);
      }),
      { numRuns: 5000 },
    );
  });
  it('a cut message: whatever is left of it is well-formed or refused', () => {
    fc.assert(
      fc.property(route, fc.nat({ max: 120 }), (given, cut) => {
        decodeRoute(Buffer.concat(encodeRoute(given, names)).subarray(0, cut), names);
      }),
    );
  });
});

describe('address text', () => {
  const any = fc.oneof(text(4), text(6));
  it('is read back to the same bytes', () => {
    fc.assert(fc.property(any, (given) => addressText(addressBytes(given) ?? Buffer.alloc(0)) === given));
  });
  it('is what ip6addr writes (RFC 5952)', () => {
    const sparse = fc
      .array(fc.constantFrom(0, 0, 0, 1, 0xdb8, 0xffff), { minLength: 8, maxLength: 8 })
      .map((words) => Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255])))
      // ip6addr shortens a single zero group too, against section 4.2.2, and knows no mixed form in this mode.
      .filter((bytes) => /::/.test(addressText(bytes) ?? '') && !/\./.test(addressText(bytes) ?? ''));
    fc.assert(
      fc.property(sparse, (bytes) => {
        const ours = addressText(bytes) ?? '';
        expect(ip6addr.parse(ours).toString({ format: 'v6' })).toBe(ours);
      }),
    );
  });
  it.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::FFFF:c000:201', '::ffff:192.0.2.1'],
    ['FE80::AbCd', 'fe80::abcd'],
    ['10.0.0.1', '10.0.0.1'],
  ])('%s is written %s', (given, canonical) =>
    expect(addressText(addressBytes(given) ?? Buffer.alloc(0))).toBe(canonical),
  );
  it.each(['', '10.0.0', '10.0.0.256', 'fe80::1%eth0', '1::2::3', 'eth0'])('%j is no address', (given) =>
    expect(addressBytes(given)).toBeNull(),
  );
  it.each(['', '02:00', '2:0:0:0:0:1', '02:00:00:00:00:zz'])('MAC text %j', (given) =>
    expect(macBytes(given)?.length ?? null).toBe(given === '02:00' ? 2 : null),
  );
});

/** Requests of iproute2 6.1, as `strace -e trace=sendmsg -e write=3 ip ...` shows them; eth0 has ifindex 3, eth1 has 5. */
describe('what ip(8) asks is understood', () => {
  const there = {
    nameOf: (ifindex: number) => ({ 3: 'eth0', 5: 'eth1' })[ifindex],
    indexOf: (name: string) => ({ eth0: 3, eth1: 5 })[name],
  };
  const payload = (message: string) => {
    const [only, ...rest] = decodeMessages(Buffer.from(message, 'hex'));
    expect(rest).toEqual([]);
    return only?.payload ?? Buffer.alloc(0);
  };

  it('ip addr add 10.9.0.2 peer 10.9.0.7/24 broadcast 10.9.0.255 label eth0:x scope link valid_lft 600 preferred_lft 300 metric 77 dev eth0', () => {
    expect(decodeAddress(payload(VECTORS.address4))).toEqual({
      ifindex: 3,
      address: {
        family: 4,
        local: '10.9.0.2',
        prefixLength: 24,
        peer: '10.9.0.7',
        broadcast: '10.9.0.255',
        label: 'eth0:x',
        scope: 253,
        flags: 0,
        validS: 600,
        preferredS: 300,
        metric: 77,
      },
    });
  });
  it('ip -6 addr add fd09::2/64 dev eth0 nodad noprefixroute valid_lft 600 preferred_lft 0', () => {
    expect(decodeAddress(payload(VECTORS.address6))).toEqual({
      ifindex: 3,
      address: { family: 6, local: 'fd09::2', prefixLength: 64, scope: 0, flags: 0x202, validS: 600, preferredS: 0 },
    });
  });
  it.each<[string, keyof typeof VECTORS, Partial<Route>]>([
    [
      'ip route add 10.20.0.0/16 via 10.1.0.254 dev eth0 src 10.1.0.1 metric 50 table 1234 proto 99 tos 0x10 onlink mtu lock 1400 advmss 1300 realm 5 congctl cubic',
      'route4',
      {
        family: 4,
        destination: '10.20.0.0/16',
        gateway: '10.1.0.254',
        nic: 'eth0',
        preferredSource: '10.1.0.1',
        metric: 50,
        table: 1234,
        protocol: 99,
        tos: 16,
        flags: 4,
        metrics: { 1: 4, 2: 1400, 8: 1300 },
        other: { 11: '05000000', '8.16': '6375626963' },
      },
    ],
    [
      'ip route add 10.21.0.0/16 proto 99 nexthop via 10.1.0.254 dev eth0 weight 3 nexthop via inet6 fe80::9 dev eth1 onlink',
      'multipath',
      {
        nic: 'eth0',
        protocol: 99,
        nextHops: [
          { nic: 'eth0', gateway: '10.1.0.254', flags: 0, hops: 2 },
          { nic: 'eth1', gateway: 'fe80::9', flags: 4, hops: 0 },
        ],
      },
    ],
    ['ip route add 10.22.0.0/16 via inet6 fe80::1 dev eth0', 'via6', { family: 4, nic: 'eth0', gateway: 'fe80::1' }],
    [
      'ip -6 route add fd20::/32 from fd01::/64 via fe80::1 dev eth0 metric 7 pref high expires 900',
      'route6',
      {
        family: 6,
        destination: 'fd20::/32',
        source: 'fd01::/64',
        gateway: 'fe80::1',
        metric: 7,
        preference: 1,
        expiresS: 900,
      },
    ],
    ['ip route add blackhole 10.23.0.0/16', 'blackhole', { type: 6, nic: '', destination: '10.23.0.0/16' }],
  ])('%s', (_command, vector, expected) => {
    const decoded = decodeRoute(payload(VECTORS[vector]), there);
    expect(decoded).toMatchObject(expected);
    if (decoded) expect(decodeRoute(Buffer.concat(encodeRoute(decoded, there)), there)).toEqual(decoded);
  });
  it('ip neigh add 10.1.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent router proto 5', () => {
    const expected = {
      family: 4,
      address: '10.1.0.9',
      mac: '02:00:00:00:00:09',
      state: 0x80,
      flags: 0x80,
      protocol: 5,
    };
    expect(decodeNeighbour(payload(VECTORS.neighbour))).toEqual({ ifindex: 3, neighbour: expected });
  });
  it('ip neigh add proxy 10.1.0.10 dev eth0', () => {
    expect(decodeNeighbour(payload(VECTORS.proxy))?.neighbour).toMatchObject({
      address: '10.1.0.10',
      mac: '',
      flags: 8,
    });
  });
  it('the kernel tells of a veth whose peer is in this namespace', () => {
    expect(decodeLink(payload(VECTORS.link))).toEqual({
      ifindex: 3,
      name: 'eth0',
      mac: '02:00:00:00:00:77',
      mtu: 1500,
      linkType: 1,
      kind: 'veth',
      below: 2,
      admin: true,
      carrier: true,
    });
  });
});

describe('refusals', () => {
  it('the extended acknowledgement is the text', () => {
    const original = encodeMessage(24, 5, 7, []);
    const errno = Buffer.from('eaffffff', 'hex');
    const reason = Buffer.from('\x17\x00\x01\x00Invalid scope\0\0\0\0\0\0', 'latin1');
    const [message] = decodeMessages(encodeMessage(NLMSG_ERROR, 0x300, 7, [errno, original, reason]));
    expect(message && decodeOutcome(message)).toMatchObject({ code: 'EINVAL', text: 'Invalid scope' });
  });
  it('without one, what errno means', () => {
    const [message] = decodeMessages(encodeMessage(NLMSG_ERROR, 0, 7, [Buffer.from('efffffff', 'hex')]));
    expect(message && decodeOutcome(message)).toMatchObject({ code: 'EEXIST', text: 'file already exists' });
  });
  it('zero is no refusal', () => {
    const [message] = decodeMessages(encodeMessage(NLMSG_ERROR, 0, 7, [Buffer.alloc(4)]));
    expect(message && decodeOutcome(message)).toBeNull();
  });
  it('bad text is refused before it reaches the kernel', () => {
    const given: Route = {
      family: 4,
      destination: '10.0.0.0/33',
      table: 254,
      protocol: 4,
      scope: 0,
      type: 1,
      tos: 0,
      nic: 'eth0',
      flags: 0,
    };
    expect(() => encodeRoute(given, names)).toThrow(/10\.0\.0\.0\/33/);
    expect(() => encodeRoute({ ...given, destination: '10.0.0.0/8', nic: 'gone' }, names)).toThrow(/ENODEV.*gone/);
    expect(() => encodeRoute({ ...given, destination: 'fd00::/8' }, names)).toThrow(/EINVAL/);
  });
  it('attributes end where a length lies', () => {
    expect(decodeAttributes(Buffer.from('0500010001000000ff000200', 'hex'))).toHaveLength(1);
  });
});

const VECTORS = {
  address4:
    '58000000140005069426006b00000000021800fd03000000080002000a090002080001000a090007080004000a0900ff0b00' +
    '0300657468303a780000080009004d000000140006002c010000580200000000000000000000',
  address6:
    '5c000000140005069426006b000000000a4000000300000014000200fd090000000000000000000000000002080008000202' +
    '000014000100fd0900000000000000000000000000021400060000000000580200000000000000000000',
  route4:
    '7c000000180005069426006b00000000021000100063000104000000080001000a140000080005000a0100fe080007000a01' +
    '0001080006003200000008000f00d204000008000b0005000000080004000300000028000800080002007805000008000800' +
    '140500000900100063756269630000000800010004000000',
  multipath:
    '58000000180005069426006b0000000002100000fe63000100000000080001000a1500003400090010000002030000000800' +
    '05000a0100fe2000040005000000160012000a00fe8000000000000000000000000000090100',
  via6:
    '44000000180005069426006b0000000002100000fe03000100000000080001000a160000160012000a00fe80000000000000' +
    '000000000000000100000800040003000000',
  route6:
    '78000000180005069426006b000000000a204000fe0300010000000014000100fd2000000000000000000000000000001400' +
    '0200fd01000000000000000000000000000014000500fe800000000000000000000000000001080006000700000005001400' +
    '0100000008001700840300000800040003000000',
  blackhole: '24000000180005069426006b0000000002100000fe03000600000000080001000a170000',
  neighbour:
    '380000001c0005069526006b0000000002000000030000008000800005000c0005000000080001000a0100090a0002000200' +
    '000000090000',
  proxy: '240000001c0005069526006b00000000020000000300000080000800080001000a01000a',
  /** Counters and the parts of the address families are cut out. */
  link:
    '6c010000100000009426006b342b00000000010003000000431001000000000009000300657468300000000008000d00e803' +
    '000005001000060000000500110000000000050043000000000008000400dc050000080032004400000008003300ffff0000' +
    '08001b000000000008001e000000000008003d000000000008001f000200000008002800ffff000008002900000001000800' +
    '3a000000010008003f0000000100080040000000010008003b00f8ff070008003c00ffff0000080042000000000008002000' +
    '020000000500210001000000080023000200000008002f000100000008003000010000000600440000000000060045000000' +
    '000005002700000000000a00010002000000007700000a000200ffffffffffff000010001200090001007665746800000000' +
    '08000500020000000c0006006e6f71756575650024000e000000000000000000000000000000000000000000000000000000' +
    '00000000000004003e8004004180',
};
