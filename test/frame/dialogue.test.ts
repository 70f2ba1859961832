import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeMessage,
  documentText,
  encodeMessage,
  ENCLOSED_MAX,
  piecesOf,
  type Enclosure,
  type Message,
  type WireVersion,
} from '../../src/frame/dialogue.js';
import { PART_MAX } from '../../src/frame/part.js';
import { decodeStanding, encodeStanding, type Standing } from '../../src/frame/standing.js';

const PACKAGES = ['web', 'db', 'nfs', 'mail', 'dns', 'ldap', 'ntp', 'git', 'wiki'];

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc
    .array(fc.integer({ min: 0, max: 255 }), { minLength: bytes, maxLength: bytes })
    .map((them) => them.map((byte) => byte.toString(16).padStart(2, '0')).join(''));
const number = fc.integer({ min: 0, max: 2 ** 48 - 2 });
const version: fc.Arbitrary<WireVersion> = fc.record({
  term: fc.integer({ min: -1, max: 2 ** 48 - 2 }),
  revision: number,
});
/** Whole microseconds that are still whole when they are multiplied out again. */
const micros = fc
  .integer({ min: 0, max: 1e12 })
  .map((us) => us / 1000)
  .filter((ms) => Math.floor(ms * 1000) / 1000 === ms);
const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: ENCLOSED_MAX });
const enclosure: fc.Arbitrary<Enclosure> = fc.oneof(
  fc.constant<Enclosure>({ how: 'none' }),
  fc.constant<Enclosure>({ how: 'pieces' }),
  ascii.map((text): Enclosure => ({ how: 'whole', text })),
);
const echo = fc.record({ incarnation: hex(8), sequence: number });
const held = fc.subarray(PACKAGES);
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant('append' as const),
    term: number,
    sequence: number,
    committed: version,
    document: enclosure,
  }),
  fc.record({
    kind: fc.constant('answer' as const),
    term: number,
    echo,
    sequence: number,
    storageId: hex(16),
    version,
    held,
  }),
  fc.record({
    kind: fc.constant('grant' as const),
    term: number,
    echo,
    durationMs: micros,
    need: version,
    committed: version,
    document: enclosure,
  }),
  fc.record({
    kind: fc.constant('ask' as const),
    pre: fc.boolean(),
    term: number,
    version,
    storageId: hex(16),
    round: number,
  }),
  fc.record({
    kind: fc.constant('reply' as const),
    pre: fc.boolean(),
    yes: fc.boolean(),
    term: number,
    storageId: hex(16),
    round: number,
    ageMs: micros,
  }),
  fc
    .record({ founds: fc.boolean(), term: number, version, text: ascii, count: fc.integer({ min: 1, max: 900 }) })
    .map(({ count, ...rest }): Message => ({ kind: 'piece', ...rest, index: count - 1, count })),
);

describe('the parts of the dialogue', () => {
  test('the bytes of a reply', () => {
    const part = encodeMessage(
      {
        kind: 'reply',
        pre: false,
        yes: true,
        term: 7,
        storageId: '000102030405060708090a0b0c0d0e0f',
        round: 258,
        ageMs: 1.5,
      },
      PACKAGES,
    );
    expect(part.kind).toBe(21);
    expect(Buffer.from(part.bytes).toString('hex')).toBe(
      ['00', '01', '000000000007', '000102030405060708090a0b0c0d0e0f', '000000000102', '0000000005dc'].join(''),
    );
  });

  test('the bytes of an answer: the blank version is 0, one bit a package from the left', () => {
    const part = encodeMessage(
      {
        kind: 'answer',
        term: 1,
        echo: { incarnation: '00000000000000aa', sequence: 2 },
        sequence: 3,
        storageId: 'ff'.repeat(16),
        version: { term: -1, revision: 0 },
        held: ['web', 'wiki'],
      },
      PACKAGES,
    );
    expect(Buffer.from(part.bytes).toString('hex')).toBe(
      [
        '000000000001',
        '00000000000000aa',
        '000000000002',
        '000000000003',
        'ff'.repeat(16),
        '00'.repeat(12),
        '0009',
        '8080',
      ].join(''),
    );
  });

  test('what is encoded is decoded to the same, and fits in a part', () => {
    fc.assert(
      fc.property(message, (said) => {
        const part = encodeMessage(said, PACKAGES);
        expect(part.bytes.length).toBeLessThanOrEqual(PART_MAX);
        expect(decodeMessage(part, PACKAGES)).toEqual(said);
      }),
    );
  });

  test('a lease is rounded down, never up', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (durationMs) => {
        const blank = { term: 0, revision: 0 };
        const grant: Message = {
          kind: 'grant',
          term: 1,
          echo: { incarnation: '0'.repeat(16), sequence: 1 },
          durationMs,
          need: blank,
          committed: blank,
          document: { how: 'none' },
        };
        const read = decodeMessage(encodeMessage(grant, []), []);
        expect(read?.kind === 'grant' && read.durationMs).toBeLessThanOrEqual(durationMs);
      }),
    );
  });

  test('no bytes make it throw, and what it accepts it writes again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 23 }), fc.uint8Array({ maxLength: 200 }), (kind, bytes) => {
        const read = decodeMessage({ kind, bytes }, PACKAGES);
        if (read !== null) expect(decodeMessage(encodeMessage(read, PACKAGES), PACKAGES)).toEqual(read);
      }),
      { numRuns: 2000 },
    );
  });

  test('one byte less or more is damaged', () => {
    fc.assert(
      fc.property(message, (said) => {
        const { kind, bytes } = encodeMessage(said, PACKAGES);
        const takesText = said.kind === 'piece' || ('document' in said && said.document.how === 'whole');
        if (takesText) return;
        expect(decodeMessage({ kind, bytes: bytes.slice(0, -1) }, PACKAGES)).toBeNull();
        expect(decodeMessage({ kind, bytes: Uint8Array.from([...bytes, 0]) }, PACKAGES)).toBeNull();
      }),
    );
  });

  test('a long document comes together again from its pieces, whatever characters it has', () => {
    const document = {
      placements: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`pàckage-${i}`, 'élan'])),
    };
    const text = documentText(document);
    const pieces = piecesOf(text, { founds: false, term: 3, version: { term: 3, revision: 9 } });
    expect(pieces.length).toBeGreaterThan(5);
    const read = pieces.map((piece) => decodeMessage(encodeMessage(piece, []), []));
    expect(JSON.parse(read.map((piece) => (piece?.kind === 'piece' ? piece.text : '')).join(''))).toEqual(document);
  });
});

describe('standing words', () => {
  const job = fc.record({
    state: fc.constantFrom('starting', 'running', 'halting', 'suspended'),
    epoch: fc.option(fc.record({ term: number, revision: number })),
    held: fc.boolean(),
  });
  const standing: fc.Arbitrary<Standing> = fc.record({
    storageId: hex(16),
    term: number,
    role: fc.constantFrom('follower', 'pre-candidate', 'candidate', 'coordinator'),
    version,
    leaving: fc.boolean(),
    jobs: fc
      .tuple(...PACKAGES.map(() => job))
      .map((jobs) => Object.fromEntries(jobs.map((each, i) => [PACKAGES[i]!, each]))),
  });

  test('what is encoded is decoded to the same', () => {
    fc.assert(
      fc.property(standing, (said) => {
        expect(decodeStanding(encodeStanding(said, PACKAGES), PACKAGES)).toEqual(said);
      }),
    );
  });

  test('a package without a job is held', () => {
    const said: Standing = {
      storageId: '0'.repeat(32),
      term: 0,
      role: 'follower',
      version: { term: -1, revision: 0 },
      leaving: false,
      jobs: {},
    };
    expect(decodeStanding(encodeStanding(said, ['web']), ['web'])?.jobs).toEqual({
      web: { state: 'halted', epoch: null, held: true },
    });
  });

  test('800 packages fit, some without their epoch', () => {
    const names = Array.from({ length: 800 }, (_, i) => `p${i}`);
    const jobs = Object.fromEntries(
      names.map((name) => [name, { state: 'running' as const, epoch: { term: 1, revision: 1 }, held: true }]),
    );
    const said: Standing = {
      storageId: '0'.repeat(32),
      term: 1,
      role: 'follower',
      version: { term: 1, revision: 1 },
      leaving: false,
      jobs,
    };
    const part = encodeStanding(said, names);
    expect(part.bytes.length).toBeLessThanOrEqual(PART_MAX);
    const read = decodeStanding(part, names);
    expect(Object.keys(read!.jobs)).toHaveLength(800);
    expect(read!.jobs['p799']).toEqual({ state: 'running', epoch: null, held: true });
  });

  test('no bytes make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        decodeStanding({ kind: 16, bytes }, PACKAGES);
      }),
      { numRuns: 2000 },
    );
  });
});
