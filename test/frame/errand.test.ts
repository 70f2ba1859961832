import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeErrand, decodeOutcome, encodeErrand, encodeOutcome, requestOf } from '../../src/frame/errand.js';
import { PART_MAX } from '../../src/frame/part.js';
import type { ClusterRequest, OperatorAnswer } from '../../src/status.js';

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const bytes = (written: string): Uint8Array => Uint8Array.from(written, (it) => it.charCodeAt(0));

const REQUESTS: ClusterRequest[] = [
  { ask: 'cluster-run' },
  { ask: 'cluster-halt', dryRun: true },
  { ask: 'node-run', node: 'alpha' },
  { ask: 'node-halt', node: 'alpha', dryRun: false },
  { ask: 'node-remove', node: 'alpha' },
  { ask: 'package-halt', package: 'web' },
  { ask: 'package-enable', package: 'web' },
  { ask: 'package-disable', package: 'web' },
  { ask: 'package-start', package: 'web', to: 'beta' },
  { ask: 'package-move', package: 'web' },
  { ask: 'takeover', node: 'beta' },
  { ask: 'surrender', to: 'beta', dryRun: true },
];

describe('errand', () => {
  test('vector', () => {
    const errand = { id: 7, request: { ask: 'package-move', package: 'wéb' } as const, at: { wéb: 'alpha' } };
    const encoded = encodeErrand(errand)!;
    expect(text(encoded)).toBe(
      '{"id":7,"request":{"ask":"package-move","package":"w\\u00e9b"},"at":{"w\\u00e9b":"alpha"}}',
    );
    expect(decodeErrand(encoded)).toEqual(errand);
  });

  test.each(REQUESTS.map((request) => [request.ask, request] as const))('%s there and back', (_ask, request) => {
    expect(requestOf(request)).toEqual(request);
    expect(decodeErrand(encodeErrand({ id: 1, request, at: {} })!)).toEqual({ id: 1, request, at: {} });
  });

  test('force is not for others to ask', () => {
    expect(requestOf({ ask: 'cluster-run', force: true })).toEqual({ ask: 'cluster-run' });
  });

  test('too long for a part: not sent', () => {
    const request: ClusterRequest = { ask: 'package-move', package: 'w'.repeat(PART_MAX) };
    expect(encodeErrand({ id: 1, request, at: {} })).toBeNull();
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{"id":1'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no id', '{"request":{"ask":"cluster-run"},"at":{}}'],
    ['a fraction as id', '{"id":1.5,"request":{"ask":"cluster-run"},"at":{}}'],
    ['unknown ask', '{"id":1,"request":{"ask":"format-disk"},"at":{}}'],
    ['an ask of another stage', '{"id":1,"request":{"ask":"link-lock","nic":"eth0"},"at":{}}'],
    ['no node', '{"id":1,"request":{"ask":"takeover"},"at":{}}'],
    ['a number as package', '{"id":1,"request":{"ask":"package-halt","package":3},"at":{}}'],
    ['a number as to', '{"id":1,"request":{"ask":"surrender","to":3},"at":{}}'],
    ['a word as dryRun', '{"id":1,"request":{"ask":"surrender","dryRun":"no"},"at":{}}'],
    ['no places', '{"id":1,"request":{"ask":"surrender"}}'],
    ['numbers as places', '{"id":1,"request":{"ask":"surrender"},"at":{"web":3}}'],
    ['bytes above 0x7e', '{"id":1,"request":{"ask":"takeover","node":"\xe9"},"at":{}}'],
  ])('damaged: %s', (_what, written) => expect(decodeErrand(bytes(written))).toBeNull());
});

describe('outcome', () => {
  const incarnation = '00112233aabbccdd';

  test.each<[string, OperatorAnswer]>([
    ['done', { ok: true, text: 'web runs on beta' }],
    ['done with data', { ok: true, text: 'web runs on beta', data: { targets: { web: { to: 'beta', from: null } } } }],
    ['refused', { ok: false, text: 'beta is lost' }],
    ['without quorum', { ok: false, text: 'no quorum', why: 'no-quorum' }],
  ])('%s there and back', (_what, answer) => {
    expect(decodeOutcome(encodeOutcome({ id: 3, incarnation, answer }))).toEqual({ id: 3, incarnation, answer });
  });

  test('whatever the text, it fits into a part, and is understood', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), fc.boolean(), (said, ok) => {
        const answer: OperatorAnswer = ok ? { ok, text: said, data: said } : { ok, text: said, why: 'no-quorum' };
        const encoded = encodeOutcome({ id: 3, incarnation, answer });
        expect(encoded.length).toBeLessThanOrEqual(PART_MAX);
        const back = decodeOutcome(encoded)!.answer;
        expect(back.ok).toBe(ok);
        expect(said.startsWith(back.text.replace(/…$/, '')) || back.text === said).toBe(true);
      }),
    );
  });

  test.each([
    ['no text', '{"id":1,"incarnation":"aa","answer":{"ok":true}}'],
    ['ok is a word', '{"id":1,"incarnation":"aa","answer":{"ok":"yes","text":""}}'],
    ['another reason', '{"id":1,"incarnation":"aa","answer":{"ok":false,"text":"","why":"mood"}}'],
    ['no incarnation', '{"id":1,"answer":{"ok":true,"text":""}}'],
  ])('damaged: %s', (_what, written) => expect(decodeOutcome(bytes(written))).toBeNull());

  test('any bytes: null or an errand, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1200 }), (any) => {
        decodeErrand(any);
        decodeOutcome(any);
      }),
      { numRuns: 2000 },
    );
  });
});
