import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clusterTag,
  decodePoll,
  encodePoll,
  NOT_HEARD,
  POLL_GROUP,
  POLL_LENGTH_MAX,
  type Poll,
} from '../../src/frame/poll.js';
import { KEY_ID } from '../no-cipher.js';

const seal = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac('sha256', 'test key').update(bytes).digest()).subarray(0, 16);
const MAC = '02:00:00:00:00:01';
const encode = (poll: Poll): Uint8Array => encodePoll(poll, 'shop', POLL_GROUP, MAC, seal, KEY_ID);
const decode = (bytes: Uint8Array): Poll | string => decodePoll(bytes, clusterTag('shop'), seal, [KEY_ID]);

const plain: Poll = {
  kind: 'full',
  asks: true,
  poller: true,
  node: 'alpha',
  nic: 'eth1',
  net: 'public',
  incarnation: '0123456789abcdef',
  sequence: 0x0102030405,
  round: 7,
  keys: { sealedWith: KEY_ID, known: [KEY_ID, 'c0ffee11'], settled: true },
  sessions: [{ node: 'beta', incarnation: 'fedcba9876543210', heard: 0x060504030201 }],
  rows: [
    {
      nic: 'eth1',
      target: 'answers',
      lossPermille: 300,
      heard: [
        { node: 'beta', nic: 'eth0', agoMs: 12 },
        { node: 'alpha', nic: 'eth0', agoMs: NOT_HEARD },
      ],
    },
    { nic: 'eth0', target: 'silent', lossPermille: 0, heard: [] },
  ],
};

describe('poll frame', () => {
  it('goes to a group address that is locally administered and not link-local', () => {
    const first = parseInt(POLL_GROUP.slice(0, 2), 16);
    expect(first & 1).toBe(1);
    expect(first & 2).toBe(2);
    expect(POLL_GROUP.startsWith('01:80:c2')).toBe(false);
  });

  it('is these bytes', () => {
    const body = [
      '036261746f6e 020000000001 88b5',
      '01 02 07 00 0079',
      '54f26d3e',
      '0123456789abcdef',
      '000102030405 00000007',
      '05616c706861 0465746831 067075626c6963',
      '02 00000000 c0ffee11',
      '01 0462657461 fedcba9876543210 060504030201',
      '02 0465746831 01 012c 02  01 0465746830 000c  00 0465746830 ffff',
      '   0465746830 02 0000 00',
    ]
      .join('')
      .replaceAll(' ', '');
    const tag = clusterTag('shop').toString(16).padStart(8, '0');
    const bytes = Uint8Array.from(Buffer.from(body.replace('54f26d3e', tag), 'hex'));
    bytes.set([0, bytes.length - 14 + 16], 18);
    expect(Buffer.from(encode(plain)).toString('hex')).toBe(Buffer.concat([bytes, seal(bytes)]).toString('hex'));
  });

  it("has the cluster tag of FNV-1a's own test vectors", () => {
    expect(clusterTag('')).toBe(0x811c9dc5);
    expect(clusterTag('a')).toBe(0xe40c292c);
    expect(clusterTag('foobar')).toBe(0xbf9cf968);
  });

  it('is read in spite of Ethernet padding', () => {
    const bytes = encode(plain);
    const padded = new Uint8Array(bytes.length + 20).fill(0xaa);
    padded.set(bytes);
    expect(decode(padded)).toEqual(plain);
  });

  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,14}$/);
  const hex = fc.stringMatching(/^[0-9a-f]{16}$/);
  const frames = fc
    .record({
      kind: fc.constantFrom('poll' as const, 'answer' as const, 'full' as const),
      asks: fc.boolean(),
      poller: fc.boolean(),
      node: word,
      nic: word,
      net: word,
      incarnation: hex,
      sequence: fc.nat({ max: 2 ** 48 - 1 }),
      round: fc.nat(2 ** 31),
      keys: fc.record({
        sealedWith: fc.constant(KEY_ID),
        known: fc.constantFrom<string[]>([KEY_ID], [KEY_ID, 'c0ffee11'], ['c0ffee11', KEY_ID]),
        settled: fc.boolean(),
      }),
      sessions: fc.uniqueArray(fc.record({ node: word, incarnation: hex, heard: fc.nat({ max: 2 ** 48 - 1 }) }), {
        maxLength: 6,
        selector: (s) => s.node,
      }),
    })
    .chain((head) => {
      const nodes = [head.node, ...head.sessions.map((s) => s.node)];
      const entry = fc.record({ node: fc.constantFrom(...nodes), nic: word, agoMs: fc.nat(NOT_HEARD) });
      const row = fc.record({
        nic: word,
        target: fc.constantFrom('not-asked' as const, 'answers' as const, 'silent' as const),
        lossPermille: fc.nat(1000),
        heard: fc.array(entry, { maxLength: 8 }),
      });
      return fc.record({ rows: fc.array(row, { maxLength: 4 }) }).map((rest) => ({ ...head, ...rest }));
    });

  it('comes out as it went in', () => {
    fc.assert(
      fc.property(frames, (poll) => {
        const back = decode(encode(poll));
        expect(typeof back).toBe('object');
        const read = back as Poll;
        // Sessions take turns, so their order is that of the sequence.
        expect(new Set(read.sessions.map((s) => s.node))).toEqual(new Set(poll.sessions.map((s) => s.node)));
        expect({ ...read, sessions: [] }).toEqual({ ...poll, sessions: [] });
      }),
    );
  });

  it('stays below its limit and keeps the own row when there is too much to say', () => {
    const nodes = Array.from({ length: 64 }, (_, i) => `node-${i}`);
    const heard = nodes.map((node) => ({ node, nic: 'eth0', agoMs: 5 }));
    const big: Poll = {
      ...plain,
      sessions: nodes.map((node) => ({ node, incarnation: '00'.repeat(8), heard: 1 })),
      rows: ['eth1', 'eth0', 'eth2', 'eth3'].map((nic) => ({ nic, target: 'answers', lossPermille: 0, heard })),
    };
    const seen = new Set<string>();
    for (let sequence = 0; sequence < 64; sequence++) {
      const bytes = encode({ ...big, sequence });
      expect(bytes.length).toBeLessThanOrEqual(POLL_LENGTH_MAX);
      const back = decode(bytes) as Poll;
      expect(back.rows[0]?.nic).toBe('eth1');
      expect(back.rows[0]?.heard.length).toBe(back.sessions.length);
      for (const session of back.sessions) seen.add(session.node);
    }
    expect(seen.size).toBe(64);
  });

  it.each([
    ['poll-short', (b: Uint8Array) => b.subarray(0, 50)],
    ['poll-short', (b: Uint8Array) => new Uint8Array([...b, ...new Uint8Array(POLL_LENGTH_MAX)])],
    ['poll-type', (b: Uint8Array) => b.with(12, 0x08)],
    ['poll-version', (b: Uint8Array) => b.with(14, 2)],
    ['poll-length', (b: Uint8Array) => b.with(18, 1)],
    ['poll-length', (b: Uint8Array) => b.with(19, 1)],
    ['poll-cluster', (b: Uint8Array) => b.with(20, b[20]! ^ 0x80)],
    ['poll-seal', (b: Uint8Array) => b.with(0, b[0]! ^ 4)],
    ['poll-seal', (b: Uint8Array) => b.with(30, b[30]! ^ 1)],
    ['poll-seal', (b: Uint8Array) => b.with(b.length - 1, b[b.length - 1]! ^ 1)],
    ['poll-malformed', (b: Uint8Array) => resealed(b.with(15, 9))],
    ['poll-malformed', (b: Uint8Array) => resealed(b.with(42, 255))],
  ])('is dropped as %s', (reason, spoil) => {
    expect(decode(spoil(encode(plain)))).toBe(reason);
  });

  function resealed(bytes: Uint8Array): Uint8Array {
    bytes.set(seal(bytes.subarray(0, -16)), bytes.length - 16);
    return bytes;
  }

  it('of another key is dropped as poll-seal', () => {
    const other = encodePoll(plain, 'shop', POLL_GROUP, MAC, (b) => seal(b).map((x) => x ^ 1), KEY_ID);
    expect(decode(other)).toBe('poll-seal');
  });

  it('of a key that is not known is dropped as poll-key, before its seal is looked at', () => {
    const other = encodePoll(plain, 'shop', POLL_GROUP, MAC, seal, '01abcdef');
    const never = (): Uint8Array => expect.fail('the seal was looked at');
    expect(decodePoll(other, clusterTag('shop'), never, [KEY_ID])).toBe('poll-key');
    const both = decodePoll(other, clusterTag('shop'), seal, [KEY_ID, '01abcdef']) as Poll;
    expect(both.keys.sealedWith).toBe('01abcdef');
  });

  it('never throws and is never accepted when any byte before the padding was changed', () => {
    const good = encode(plain);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = good.slice();
          for (const [at, by] of changes) bytes[at] = bytes[at]! ^ by;
          if (bytes.every((byte, i) => byte === good[i])) return;
          expect(typeof decode(bytes)).toBe('string');
        },
      ),
      { numRuns: 20_000 },
    );
  });

  it('never throws over sealed nonsense', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 45, maxLength: 200 }), (noise) => {
        const bytes = new Uint8Array(14 + 10 + noise.length + 16);
        bytes.set(encode(plain).subarray(0, 24));
        bytes.set(noise, 24);
        const length = bytes.length - 14;
        bytes.set([length >> 8, length & 0xff], 18);
        const back = decode(resealed(bytes));
        if (typeof back !== 'string') expect(decode(encode(back))).toBeTypeOf('object');
      }),
      { numRuns: 20_000 },
    );
  });
});
