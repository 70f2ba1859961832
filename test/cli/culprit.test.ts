/**
 * A table of what is broken and whom the hearing accuses. Two nodes a, b; eth0 of both on one switch, eth1 of both on
 * another, a trunk between.
 */
import { describe, expect, test } from 'vitest';
import { culprits, type Heard, type Suspicion } from '../../src/cli/output/culprit.js';

const NICS = ['a/eth0', 'a/eth1', 'b/eth0', 'b/eth1'];
const LEFT = ['a/eth0', 'b/eth0'];
const HINTS = { left: LEFT, right: ['a/eth1', 'b/eth1'] };

/** Everybody hears everybody, but for the pairs that fail. */
function heard(fails: (from: string, to: string) => boolean, nics = NICS): Heard[] {
  return nics.flatMap((from) => nics.filter((to) => to !== from && !fails(from, to)).map((to) => ({ from, to })));
}

const short = (found: Suspicion[]): [string, string[]][] => found.map(({ what, nics }) => [what, nics]);
const crosses = (from: string, to: string): boolean => LEFT.includes(from) !== LEFT.includes(to);

describe('whom the hearing accuses', () => {
  test.each<[string, (from: string, to: string) => boolean, [string, string[]][]]>([
    ['nothing is broken', () => false, []],
    ['a NIC is dead', (from, to) => from === 'a/eth0' || to === 'a/eth0', [['silent', ['a/eth0']]]],
    ['a NIC receives nothing', (_from, to) => to === 'a/eth0', [['deaf', ['a/eth0']]]],
    ['a NIC sends nothing', (from) => from === 'b/eth1', [['mute', ['b/eth1']]]],
    [
      'one deaf, another mute',
      (from, to) => to === 'a/eth0' || from === 'b/eth1',
      [
        ['deaf', ['a/eth0']],
        ['mute', ['b/eth1']],
      ],
    ],
    ['the trunk is cut', crosses, [['trunk', NICS]]],
    ['the trunk is cut one way', (from, to) => crosses(from, to) && LEFT.includes(from), [['trunk-one-way', NICS]]],
    ['a switch is dead', (from, to) => LEFT.includes(from) || LEFT.includes(to), [['switch', LEFT]]],
    ['one pair fails one way', (from, to) => from === 'a/eth0' && to === 'b/eth1', [['one-way', ['a/eth0', 'b/eth1']]]],
    ['nobody hears anybody', () => true, [['nothing-heard', NICS]]],
  ])('%s', (_what, fails, expected) => {
    expect(short(culprits(NICS, heard(fails), HINTS))).toEqual(expected);
  });

  test('without a hint a dead switch shows as its NICs', () => {
    const dead = heard((from, to) => LEFT.includes(from) || LEFT.includes(to));
    expect(short(culprits(NICS, dead))).toEqual([
      ['silent', ['a/eth0']],
      ['silent', ['b/eth0']],
    ]);
  });

  test('of two NICs neither is accused', () => {
    const two = ['a/eth0', 'b/eth0'];
    expect(short(culprits(two, [{ from: 'a/eth0', to: 'b/eth0' }]))).toEqual([['one-way', ['b/eth0', 'a/eth0']]]);
    expect(short(culprits(two, []))).toEqual([['nothing-heard', two]]);
  });

  test('one NIC alone has nobody to compare with', () => {
    expect(culprits(['a/eth0'], [])).toEqual([]);
  });

  test('the sentence names the NIC and the direction', () => {
    const [deaf] = culprits(
      NICS,
      heard((_from, to) => to === 'a/eth0'),
    );
    expect(deaf?.text).toBe('a/eth0 is heard but hears nobody: its inbound direction (NIC, cable or switch port)');
  });
});
