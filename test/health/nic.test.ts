import { describe, expect, it } from 'vitest';
import type { Hearing, Relation } from '../../src/health/hearing.js';
import { judge, look, type Evidence, type Finding } from '../../src/health/nic.js';

/** `x>y`: x hears y. Known is who reports; x is the NIC in question, and its own row is always known. */
function evidence(pairs: string, rest: Partial<Evidence> & { known?: string; undecided?: string } = {}): Evidence {
  const known = `x ${rest.known ?? 'y z w'}`.split(' ');
  const split = (text: string): string[][] =>
    text
      .split(' ')
      .filter(Boolean)
      .map((pair) => pair.split('>'));
  const heard = split(pairs);
  const open = split(rest.undecided ?? '');
  const has = (list: string[][], by: string, of: string): boolean => list.some(([a, b]) => a === by && b === of);
  const relation = (by: string, of: string): Relation => {
    if (!known.includes(by)) return 'unknown';
    if (has(heard, by, of)) return 'hears';
    return has(open, by, of) ? 'undecided' : 'not';
  };
  const hearing: Hearing = {
    known,
    relation,
    heardOf: (by) => (known.includes(by) ? heard.filter(([a]) => a === by).map(([, b]) => b!) : []),
  };
  return { nic: 'x', hearing, target: 'none', proven: true, wholeWindow: true, ...rest };
}

const rows: [string, Finding, Evidence][] = [
  ['up: hears and is heard', 'up', evidence('x>y y>x')],
  [
    'up: a target answers, though nobody hears it and others hear each other',
    'up',
    evidence('y>z z>y', { target: 'answers' }),
  ],
  ['silent: no word either way while others hear each other', 'silent', evidence('y>z')],
  ['not silent when it never heard anybody since carrier-up', 'unproven', evidence('y>z z>y', { proven: false })],
  ['not silent when the others do not hear each other either', 'isolated', evidence('')],
  ['not silent with two NICs in the whole net', 'isolated', evidence('', { known: 'y' })],
  ['not silent before the window is over', 'undecided', evidence('y>z', { wholeWindow: false })],
  ['not silent while one may still have heard it', 'undecided', evidence('y>z', { undecided: 'y>x' })],
  ['deaf: hears nobody, is heard, and a third hears whom it does not', 'deaf', evidence('y>x y>z')],
  ['deaf even if the one who hears it is the one that is heard', 'deaf', evidence('y>x z>y')],
  ['not deaf when nobody hears any third', 'one-way', evidence('y>x', { known: 'y' })],
  ['not deaf when those whom others hear owe it no frames yet', 'one-way', evidence('y>x y>z', { undecided: 'x>z' })],
  ['not deaf before the window is over', 'undecided', evidence('y>x y>z', { wholeWindow: false })],
  ['mute: hears others, none heard it, one of them hears a third', 'mute', evidence('x>y x>z y>z')],
  ['not mute when one of those that it hears has heard it', 'one-way', evidence('x>y x>z y>z z>x')],
  ['not mute when those it hears hear no third', 'one-way', evidence('x>y', { known: 'y' })],
  ['not mute when one of those that it hears says nothing', 'one-way', evidence('x>y x>z y>z', { known: 'y' })],
  ['not mute before the window is over', 'undecided', evidence('x>y x>z y>z', { undecided: 'y>x' })],
  ['unreachable: no target through it, one elsewhere', 'unreachable', evidence('x>y y>x', { target: 'unreachable' })],
  ['unreachable when isolated but a target answers elsewhere', 'unreachable', evidence('', { target: 'unreachable' })],
  ['not unreachable while probes may still be answered', 'undecided', evidence('x>y y>x', { target: 'undecided' })],
  ['silent goes before unreachable', 'silent', evidence('y>z', { target: 'unreachable' })],
  ['split: a part of the net only, and the rest hear each other', 'split', evidence('x>y y>x z>w w>z')],
  ['not split when those beyond hear nobody: they are broken', 'up', evidence('x>y y>x')],
  ['not split while those beyond may still be heard', 'up', evidence('x>y y>x z>w w>z', { undecided: 'x>z x>w' })],
  ['one-way: the other direction works with a third at both ends', 'one-way', evidence('x>y x>z y>z z>x z>y')],
  ['not one-way when a third says that the other is mute', 'up', evidence('x>z z>x y>x y>z')],
  ['not one-way when the other hears nobody: it is deaf', 'up', evidence('x>y x>z z>x z>y')],
  ['isolated: hears nobody, nobody else has evidence', 'isolated', evidence('', { known: '' })],
  ['unproven: nobody to hear since carrier-up', 'unproven', evidence('', { proven: false })],
];

describe('verdict table (DESIGN 4)', () => {
  it.each(rows)('%s → %s', (_, finding, given) => {
    expect(judge(given, look(given))).toBe(finding);
  });
});
