import { describe, expect, it } from 'vitest';
import { keysText, rotationOf, type Rotation } from '../../src/cli/output/keys-text.js';
import { paintFor } from '../../src/cli/output/paint.js';
import type { KeysStatus } from '../../src/status.js';

const A = 'aaaa0000';
const B = 'bbbb1111';
const BETA = { node: 'beta', takes: [A], sends: A, spokenTo: A };
const ONE: KeysStatus = { file: [A], taken: [A], speaks: A, lacking: [], unheard: [], leaving: [], peers: [BETA] };
const plain = paintFor({ isTTY: false });

describe('a rotation of the key', () => {
  it.each<[Rotation, Partial<KeysStatus>, string | null]>([
    ['none', {}, null],
    ['spreading', { file: [A, B], taken: [A, B], lacking: ['beta'] }, 'beta does not know it'],
    ['spreading', { file: [A, B], taken: [A, B], unheard: ['beta'] }, 'beta was not heard'],
    ['settling', { file: [A, B], taken: [A, B] }, `${A} is being given up`],
    ['given-up', { file: [A, B], taken: [B] }, '--rotate --finish'],
    ['leaving', { file: [B], taken: [B], leaving: [A] }, `${B} has replaced ${A}`],
  ])('%s', (stage, change, said) => {
    const keys = { ...ONE, ...change };
    expect(rotationOf(keys)).toBe(stage);
    const lines = keysText(keys, 'alpha', plain);
    if (said === null) return expect(lines).toEqual([]);
    expect(lines[1]).toContain(said);
    expect(lines.slice(3).map((line) => line.trim().split(/\s+/)[0])).toEqual(['alpha', 'beta']);
  });

  it('a peer with another key shows, though this node has but one', () => {
    const lines = keysText({ ...ONE, peers: [{ ...BETA, takes: [A, B], sends: B }] }, 'alpha', plain);
    expect(lines.at(-1)).toMatch(new RegExp(`beta +${A} ${B} +${B} +${A}`));
  });
});
