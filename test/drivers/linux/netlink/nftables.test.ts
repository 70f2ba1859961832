/** Bytes of nf_tables messages; those of expressions and elements are what nft(8) 1.0.6 sends for the same rule (strace -xx). */
import fc from 'fast-check';
import { endianness } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ARP, createTables, INET, PROTOCOL, TABLES } from '../../../../drivers/linux/gate/rules.js';
import { Renewal } from '../../../../drivers/linux/gate/renewal.js';
import { encodeBatch, Refused } from '../../../../drivers/linux/netlink/batch.js';
import {
  decodeAttributes,
  decodeMessages,
  NetlinkError,
  type Attribute,
} from '../../../../drivers/linux/netlink/message.js';
import {
  addElements,
  decodeChain,
  decodeElements,
  decodeRule,
  decodeSet,
  decodeTable,
  deleteElements,
  newRule,
  newTable,
  NFT_TABLE_F_OWNER,
  NFT_TABLE_F_PERSIST,
} from '../../../../drivers/linux/netlink/nftables.js';
import {
  decodeExpressions,
  encodeExpressions,
  type Expression,
  META,
} from '../../../../drivers/linux/netlink/nftables-expression.js';

const littleEndian = endianness() === 'LE';
const hexOf = (expression: Expression): string => Buffer.concat(encodeExpressions([expression])).toString('hex');
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

describe.skipIf(!littleEndian)('bytes as nft(8) sends them (on a little-endian machine)', () => {
  it.each<[string, Expression, string]>([
    [
      'payload load 4b @ network header + 14',
      { do: 'payload', base: 1, offset: 14, length: 4 },
      '34000180 0c000100 7061796c6f616400 24000280 0800010000000001 0800020000000001 080003000000000e 0800040000000004',
    ],
    ['counter', { do: 'count' }, '14000180 0c000100 636f756e74657200 04000280'],
    [
      'immediate reg 0 drop',
      { do: 'drop' },
      '30000180 0e000100 696d6d656469617465000000 1c000280 0800010000000000 10000280 0c000280 0800010000000000',
    ],
  ])('%s', (_, expression, text) => {
    expect(hexOf(expression)).toBe(bytes(text).toString('hex'));
  });

  it('a lookup is told by the name of its set', () => {
    // nft names the set by its number within the transaction, too: 08000400 0000000b.
    const sent = bytes(
      '38000180 0b000100 6c6f6f6b75700000 28000280 0800020000000001 0a000100 68656c6434000000 080004000000000b 0800050000000001',
    );
    expect(decodeExpressions(sent)).toEqual([{ do: 'other', name: 'lookup', bytes: sent.toString('hex', 20) }]);
    const shown = bytes(
      '30000180 0b000100 6c6f6f6b75700000 20000280 0a000100 68656c6434000000 0800020000000001 0800050000000001',
    );
    expect(decodeExpressions(shown)).toEqual([{ do: 'lookup', set: 'held4', not: true }]);
    expect(hexOf({ do: 'lookup', set: 'held4', not: true })).toBe(shown.toString('hex'));
  });

  it('an element, and one with a time-out', () => {
    const [plain] = addElements(ARP, 'floating4', [{ key: bytes('0a4d09c8') }]);
    const table = '0a000100 6261746f6e000000';
    expect(Buffer.concat(plain!.parts)).toEqual(
      bytes(`03000000 ${table} 0e000200 666c6f6174696e6734000000 14000380 10000180 0c000180 080001000a4d09c8`),
    );
    const [timed] = addElements(ARP, 'lease', [{ key: PROTOCOL.arp, timeoutMs: 0x0102 }]);
    expect(Buffer.concat(timed!.parts)).toEqual(
      bytes(
        `03000000 ${table} 0a000200 6c65617365000000 20000380 1c000180 0c000180 0600010008060000 0c000400 0000000000000102`,
      ),
    );
  });

  it('a table with owner that persists', () => {
    const { type, parts } = newTable(INET, NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST);
    expect(type).toBe(0x0a00);
    expect(Buffer.concat(parts)).toEqual(bytes('01000000 0a000100 6261746f6e000000 0800020000000006'));
  });
});

describe('transactions', () => {
  it('stand between begin and end, and only the last message is to be answered when it is done', () => {
    const { bytes: batch, starts } = encodeBatch(createTables(['10.0.0.1', 'fd00::1'], 0));
    const messages = decodeMessages(batch);
    expect(messages).toHaveLength(starts.length + 2);
    expect([messages[0]?.type, messages.at(-1)?.type]).toEqual([0x10, 0x11]);
    expect(messages[0]?.payload).toEqual(bytes('0000000a'));
    const ack = messages.map(({ flags }) => (flags & 4) !== 0);
    expect(ack.indexOf(true)).toBe(starts.length);
    expect(ack.filter(Boolean)).toHaveLength(1);
  });

  it('G1: every chain drops what is not held, and what has no lease; of macvlans all without lease; nothing else', () => {
    const all = TABLES.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules));
    const isOfMacvlans = (rule: readonly Expression[]): boolean =>
      rule.some((each) => each.do === 'meta' && each.key === META.outNic);
    const [ofMacvlans, ...others] = all.filter(isOfMacvlans);
    expect(others).toEqual([]);
    expect(ofMacvlans?.filter(({ do: what }) => what === 'lookup')).toEqual([
      { do: 'lookup', set: 'lease', not: true },
    ]);
    const rules = all.filter((rule) => !isOfMacvlans(rule));
    const lookups = rules.map((rule) => rule.flatMap((each) => (each.do === 'lookup' ? [[each.set, each.not]] : [])));
    for (const [i, rule] of rules.entries()) {
      expect(rule.at(-1)).toEqual({ do: 'drop' });
      const family = JSON.stringify(lookups[i]![0]).includes('6') ? 6 : 4;
      expect(lookups[i]).toEqual([
        [`floating${family}`, false],
        i % 2 === 0 ? [`held${family}`, true] : ['lease', true],
      ]);
    }
  });

  it('a renewal has the same size for any number of addresses, a fresh token each time, and the time that is left', () => {
    const renewal = new Renewal(20);
    const keys = new Set<string>();
    const sizes = new Set<number>();
    for (let i = 1; i <= 100; i++) {
      const armed = Buffer.from(renewal.arm().bytes);
      const key = decodeElements(decodeMessages(armed)[1]!.payload)[0]!.key.toString('hex');
      keys.add(key);
      const acting = renewal.act(i, null).bytes;
      sizes.add(acting.length);
      const messages = decodeMessages(acting);
      expect(decodeElements(messages[1]!.payload)[0]!.key.toString('hex')).toBe(key);
      expect(messages.map(({ type }) => type & 0xff)).toEqual([0x10, 14, 14, 14, 12, 12, 0x11]);
      const times = [...acting.toString('hex').matchAll(/0c000400([0-9a-f]{16})/g)].map((match) =>
        parseInt(match[1]!, 16),
      );
      if (littleEndian) expect(times).toEqual([i, i, i]);
    }
    expect([keys.size, sizes.size]).toEqual([100, 1]);
    // With other addresses it grows by them alone, and is one transaction all the same.
    const many = decodeMessages(renewal.act(5, ['10.0.0.1', 'fd00::1']).bytes);
    expect(many.map(({ type }) => type & 0xff)).toEqual([0x10, 14, 14, 14, 14, 14, 14, 12, 12, 12, 12, 12, 0x11]);
  });

  it('elements beyond a thousand go into messages of their own', () => {
    const keys = Array.from({ length: 2001 }, (_, i) => ({ key: Buffer.from([10, 0, i >> 8, i & 255]) }));
    const drafts = addElements(INET, 'held4', keys);
    expect(drafts.map(({ parts }) => decodeElements(Buffer.concat(parts)).length)).toEqual([1000, 1000, 1]);
    expect(addElements(INET, 'held4', [])).toEqual([]);
  });

  it('G4: refused for its token alone is another thing than refused', () => {
    const error = new NetlinkError('ENOENT', 'no such file or directory');
    expect(new Refused([{ at: 0, error }]).isOnly(0, 'ENOENT')).toBe(true);
    expect(
      new Refused([
        { at: 0, error },
        { at: 1, error },
      ]).isOnly(0, 'ENOENT'),
    ).toBe(false);
    expect(new Refused([{ at: 0, error: new NetlinkError('EPERM', '') }]).isOnly(0, 'ENOENT')).toBe(false);
  });
});

describe('what a dump shows', () => {
  const rules = TABLES.flatMap((table) =>
    table.chains.flatMap((chain) => chain.rules.map((rule) => ({ table, chain, rule }))),
  );

  it('every rule of ours is read as it was written', () => {
    for (const { table, chain, rule } of rules) {
      const payload = Buffer.concat(newRule(table, chain.name, rule).parts);
      expect(decodeRule(payload, table)).toEqual({ chain: chain.name, expressions: rule });
      expect(decodeRule(payload, table === ARP ? INET : ARP)).toBeNull();
    }
  });

  /** The bytes that say something: names and values, but no lengths, types and padding. */
  function leavesOf(list: Buffer): Buffer[] {
    return decodeAttributes(list).flatMap(({ value }) => {
      const [name, data] = decodeAttributes(value) as [Attribute, Attribute];
      const inner = name.value.toString().startsWith('cmp') ? 3 : name.value.toString().startsWith('immediate') ? 2 : 0;
      const deep = (bytes: Buffer): Buffer[] =>
        decodeAttributes(bytes).flatMap((each) => (each.rawType & 0x8000 ? deep(each.value) : [each.value]));
      const values = decodeAttributes(data.value);
      return [name.value, ...values.flatMap((each) => (each.type === inner ? deep(each.value) : [each.value]))];
    });
  }

  it('one changed bit of a name or value is another rule', () => {
    for (const { rule } of rules) {
      const wanted = JSON.stringify(rule);
      const list = Buffer.concat(encodeExpressions(rule));
      for (const leaf of leavesOf(list))
        for (let bit = 0; bit < 8 * leaf.length; bit++) {
          leaf[bit >> 3]! ^= 1 << (bit & 7);
          // What follows the end of a text says nothing, and there is nothing: its end is its last byte.
          expect(JSON.stringify(decodeExpressions(list)) === wanted).toBe(false);
          leaf[bit >> 3]! ^= 1 << (bit & 7);
        }
    }
  });

  it('any bytes are read without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (given) => {
        const payload = Buffer.from(given);
        decodeExpressions(payload);
        decodeElements(payload);
        for (const table of TABLES)
          for (const decode of [decodeTable, decodeChain, decodeRule, decodeSet]) decode(payload, table);
      }),
    );
  });

  it('damaged messages of ours are read without an exception', () => {
    const whole = encodeBatch(createTables(['10.0.0.1', 'fd00::1'], 6)).bytes;
    const drafts = [deleteElements(INET, 'token', [Buffer.alloc(6)])];
    expect(decodeMessages(encodeBatch(drafts).bytes)).toHaveLength(3);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }), (damage) => {
        const copy = Buffer.from(whole);
        for (const [at, value] of damage) copy[at] = value;
        for (const { payload } of decodeMessages(copy))
          for (const table of TABLES) {
            for (const decode of [decodeTable, decodeChain, decodeRule, decodeSet]) decode(payload, table);
            decodeElements(payload);
          }
      }),
    );
  });
});
