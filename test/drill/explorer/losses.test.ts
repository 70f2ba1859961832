/** What may be lost so that by the rules the others need nobody. */
import { describe, expect, it } from 'vitest';
import { outvotes } from '../../../src/drill/explorer/losses.js';

const FOUR = ['alpha', 'beta', 'delta', 'gamma'];
const THREE = ['alpha', 'beta', 'gamma'];

describe('V1: a coordinator makes voters of those that die, and leaves out who is on his way back', () => {
  it.each<[string, string[], string[], string[], 'none' | 'dead' | 'there', boolean]>([
    ['two that die against it (seed 400770)', ['beta', 'alpha', 'delta'], ['beta', 'gamma'], FOUR, 'there', true],
    ['two of three that it hears live on', ['beta', 'gamma', 'delta'], ['beta', 'gamma'], FOUR, 'there', false],
    ['one that dies, and the arbiter', ['beta', 'alpha'], ['beta', 'gamma'], THREE, 'there', false],
    ['one that dies, and the arbiter is dead', ['beta', 'alpha'], ['beta', 'gamma'], THREE, 'dead', true],
    ['one that dies, and who comes back is the third', ['beta', 'alpha'], ['beta', 'gamma'], THREE, 'none', false],
    ['half of four', FOUR, ['beta', 'gamma'], FOUR, 'none', true],
    ['it is alone', ['beta'], ['beta', 'gamma'], THREE, 'none', false],
  ])('%s', (_, heard, core, present, arbiter, is) => {
    expect(outvotes(heard, core, present, arbiter)).toBe(is);
  });
});
