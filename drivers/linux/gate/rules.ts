/**
 * The gate as nf_tables has it (DESIGN 8, MEMBERSHIP G1): for every floating address that is not in `held`, or while the
 * lease has no element of its protocol, these are dropped:
 *
 *   arp baton    output           sender
 *   inet baton   prerouting -400  destination, where it is an address of this host
 *                output     -400  source, and target of a neighbour advertisement; without lease all that leaves by a macvlan
 *                                 of baton's: what the kernel tells routers of groups would move its MAC back to this port
 *                postrouting 400  source, as address translation left it: what a service behind DNAT goes on sending has
 *                                 another one in the output hook, and none of a host behind this one goes through there
 *
 * Never the destination of what is sent, nor the source of what comes in: a node may be a client of the holder.
 */
import { MACVLAN_PREFIX } from '../../../src/frame/macvlan.js';
import { addressBytes } from '../netlink/address-text.js';
import {
  addElements,
  newChain,
  newRule,
  newSet,
  newTable,
  NFT_SET_TIMEOUT,
  type Chain,
  type Draft,
  type Set,
  type Table,
} from '../netlink/nftables.js';
import { BASE, META, type Expression } from '../netlink/nftables-expression.js';

export interface GateTable extends Table {
  sets: readonly Set[];
  chains: readonly Chain[];
}

/** EtherTypes, in network byte order: elements of the sets `lease`. */
export const PROTOCOL = {
  arp: Buffer.from('0806', 'hex'),
  ip: Buffer.from('0800', 'hex'),
  ip6: Buffer.from('86dd', 'hex'),
};

/** Numbers of nft(8)'s data types, which it needs to list a set. */
const TYPE = { ipv4: 7, ipv6: 8, mac: 9, etherType: 10 } as const;
const HOOK = { arpOutput: 1, inetPrerouting: 0, inetOutput: 3, inetPostrouting: 4 } as const;
/** The key of a token looks like a MAC, for nft(8) can read back a list only with types that it knows. */
export const TOKEN_BYTES = 6;

/** Offsets into the headers: RFC 791, RFC 8200, RFC 826 (Ethernet and IPv4), RFC 4861 section 4.4. */
const field = {
  senderOfArp: payload(BASE.network, 14, 4),
  source4: payload(BASE.network, 12, 4),
  destination4: payload(BASE.network, 16, 4),
  source6: payload(BASE.network, 8, 16),
  destination6: payload(BASE.network, 24, 16),
  icmpType: payload(BASE.transport, 0, 1),
  target: payload(BASE.transport, 8, 16),
};
const NFPROTO = { ip: '02', ip6: '0a' } as const;
const IPPROTO_ICMPV6 = '3a';
const NEIGHBOUR_ADVERTISEMENT = '88';
/** RTN_LOCAL as a number of this machine: it is compared with what the kernel puts into a register. */
const RTN_LOCAL = Buffer.from(Uint32Array.of(2).buffer).toString('hex');

function payload(base: number, offset: number, length: number): Expression {
  return { do: 'payload', base, offset, length };
}

const meta = (key: number): Expression => ({ do: 'meta', key });
const equal = (bytes: string): Expression => ({ do: 'equal', bytes });
const isIn = (set: string): Expression => ({ do: 'lookup', set, not: false });
const isNotIn = (set: string): Expression => ({ do: 'lookup', set, not: true });
const drop: Expression[] = [{ do: 'count' }, { do: 'drop' }];

/** The two rules about one field: not held, and no lease. */
function shut(before: Expression[], address: Expression, family: 4 | 6, after: Expression[] = []): Expression[][] {
  const concerned = [...before, address, isIn(`floating${family}`), ...after];
  return [
    [...concerned, address, isNotIn(`held${family}`), ...drop],
    [...concerned, meta(META.protocol), isNotIn('lease'), ...drop],
  ];
}

const ofIp = [meta(META.nfproto), equal(NFPROTO.ip)];
const ofIp6 = [meta(META.nfproto), equal(NFPROTO.ip6)];
const ofAdvertisement = [
  ...ofIp6,
  meta(META.l4proto),
  equal(IPPROTO_ICMPV6),
  field.icmpType,
  equal(NEIGHBOUR_ADVERTISEMENT),
];
const byMacvlan = [meta(META.outNic), equal(Buffer.from(MACVLAN_PREFIX).toString('hex'))];
const toThisHost: Expression[] = [{ do: 'type-of-destination' }, equal(RTN_LOCAL)];

const plain = (name: string, keyType: number, keyLength: number): Set => ({ name, flags: 0, keyType, keyLength });
const timed = (name: string, keyType: number, keyLength: number): Set => ({
  ...plain(name, keyType, keyLength),
  flags: NFT_SET_TIMEOUT,
});
const sets4 = [plain('floating4', TYPE.ipv4, 4), plain('held4', TYPE.ipv4, 4), timed('lease', TYPE.etherType, 2)];
const sets6 = [plain('floating6', TYPE.ipv6, 16), plain('held6', TYPE.ipv6, 16)];

export const ARP: GateTable = {
  family: 'arp',
  name: 'baton',
  sets: sets4,
  chains: [{ name: 'out', hook: HOOK.arpOutput, priority: 0, rules: shut([], field.senderOfArp, 4) }],
};

export const INET: GateTable = {
  family: 'inet',
  name: 'baton',
  sets: [...sets4, ...sets6, timed('token', TYPE.mac, TOKEN_BYTES)],
  chains: [
    {
      name: 'in',
      hook: HOOK.inetPrerouting,
      priority: -400,
      rules: [...shut(ofIp, field.destination4, 4, toThisHost), ...shut(ofIp6, field.destination6, 6, toThisHost)],
    },
    {
      name: 'out',
      hook: HOOK.inetOutput,
      priority: -400,
      rules: [
        ...shut(ofIp, field.source4, 4),
        ...shut(ofIp6, field.source6, 6),
        ...shut(ofAdvertisement, field.target, 6),
        [...byMacvlan, meta(META.protocol), isNotIn('lease'), ...drop],
      ],
    },
    {
      name: 'post',
      hook: HOOK.inetPostrouting,
      // After NF_IP_PRI_NAT_SRC (100).
      priority: 400,
      rules: [...shut(ofIp, field.source4, 4), ...shut(ofIp6, field.source6, 6)],
    },
  ],
};

export const TABLES = [ARP, INET] as const;

/** Addresses as keys, by the family that they are of; what is no address is left out. */
export function keysOf(addresses: readonly string[]): { ip: Buffer[]; ip6: Buffer[] } {
  const keys = addresses.flatMap((address) => addressBytes(address) ?? []);
  return { ip: keys.filter(({ length }) => length === 4), ip6: keys.filter(({ length }) => length === 16) };
}

/** Fills `floating` or `held` of both tables. */
export function addAddresses(set: 'floating' | 'held', addresses: readonly string[]): Draft[] {
  const { ip, ip6 } = keysOf(addresses);
  const elements = (keys: Buffer[]): { key: Buffer }[] => keys.map((key) => ({ key }));
  return [
    ...addElements(ARP, `${set}4`, elements(ip)),
    ...addElements(INET, `${set}4`, elements(ip)),
    ...addElements(INET, `${set}6`, elements(ip6)),
  ];
}

/** Makes both tables where there are none, closed. */
export function createTables(floating: readonly string[], tableFlags: number): Draft[] {
  return [
    ...TABLES.flatMap((table) => [
      newTable(table, tableFlags),
      ...table.sets.map((set, i) => newSet(table, set, i + 1)),
    ]),
    ...addAddresses('floating', floating),
    ...TABLES.flatMap((table) =>
      table.chains.flatMap((chain) => [
        newChain(table, chain),
        ...chain.rules.map((rule) => newRule(table, chain.name, rule)),
      ]),
    ),
  ];
}
