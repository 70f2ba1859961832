import { describe, expect, it } from 'vitest';
import { Watch } from '../../../drivers/namespaces/watcher.js';

const ADDRESS = '10.77.0.100';
const nodes: Record<string, string> = { '02:00:00:00:00:01': 'alpha', '02:00:00:00:00:02': 'beta' };

function macOf(node: string): string {
  return Object.keys(nodes).find((mac) => nodes[mac] === node) ?? '02:00:00:00:00:ff';
}

/** Rounds come every 20 ms: round 1 at 20. */
function watch(...answers: [node: string, round: number, at: number, watcher?: string][]): Watch {
  const watch = new Watch((mac) => nodes[mac] ?? null);
  const asked = new Map<string, number>();
  for (const [node, round, at, watcher = 'w'] of answers) {
    for (let r = (asked.get(watcher) ?? 0) + 1; r <= round; r++) watch.take(watcher, { round: r, asked: r * 20 });
    asked.set(watcher, Math.max(round, asked.get(watcher) ?? 0));
    watch.take(watcher, { who: ADDRESS, round, at, mac: macOf(node) });
  }
  return watch;
}

describe('S1: two holders', () => {
  it('two nodes that answer the same question', () => {
    expect(watch(['alpha', 5, 100.2], ['beta', 5, 100.4]).overlaps(0)).toEqual([
      { address: ADDRESS, nodes: ['alpha', 'beta'], fromMs: 100, toMs: 100.4 },
    ]);
  });

  it('also when the second answer comes after the next question', () => {
    expect(watch(['alpha', 5, 100.2], ['alpha', 6, 120.2], ['beta', 5, 121]).overlaps(0)).toHaveLength(1);
  });

  it('a takeover between two questions is none', () => {
    const seen = watch(['alpha', 5, 100.2], ['beta', 6, 120.2], ['beta', 7, 140.2]);
    expect(seen.overlaps(0)).toEqual([]);
    expect(seen.holder(ADDRESS)).toBe('beta');
    expect(seen.holders(ADDRESS)).toEqual(['alpha', 'beta']);
  });

  it('one that answers before and after another has held all the while, on two switches too', () => {
    const seen = watch(['alpha', 5, 101, 'left'], ['beta', 5, 110, 'right'], ['alpha', 6, 121, 'left']);
    expect(seen.overlaps(100)).toEqual([{ address: ADDRESS, nodes: ['alpha', 'beta'], fromMs: 1, toMs: 21 }]);
  });

  it('there and back in more than three questions is a move', () => {
    expect(watch(['alpha', 5, 100], ['beta', 7, 140], ['alpha', 9, 180]).overlaps(0)).toEqual([]);
  });

  it('both NICs of one node, or a stranger, are no second holder', () => {
    expect(watch(['alpha', 5, 100], ['alpha', 5, 100.1], ['stranger', 5, 100.2]).overlaps(0)).toEqual([]);
  });

  it('an overlap that goes on is one', () => {
    const seen = watch(['alpha', 5, 100.2], ['beta', 5, 100.4], ['alpha', 6, 120.2], ['beta', 6, 120.4]);
    expect(seen.overlaps(0)).toEqual([{ address: ADDRESS, nodes: ['alpha', 'beta'], fromMs: 100, toMs: 120.4 }]);
  });
});

describe('holder', () => {
  it('is nobody before an answer, and after three questions without one', () => {
    const seen = watch(['alpha', 5, 100]);
    expect(seen.holder('10.77.0.101')).toBeNull();
    seen.take('w', { round: 7, asked: 140 });
    expect(seen.holder(ADDRESS)).toBe('alpha');
    seen.take('w', { round: 8, asked: 160 });
    expect(seen.holder(ADDRESS)).toBeNull();
  });
});
