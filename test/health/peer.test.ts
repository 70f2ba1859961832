import { describe, expect, test } from 'vitest';
import { PART } from '../../src/frame/part.js';
import * as health from '../../src/health/monitor.js';
import { Wire } from './wire.js';

describe('beats between two nodes', () => {
  test('both are alive, and all paths up both ways, within three intervals of the start', () => {
    const wire = new Wire();
    wire.run(601);
    for (const [own, other] of [
      ['alpha', 'beta'],
      ['beta', 'alpha'],
    ] as const) {
      const node = wire.peers[own]!;
      expect(node.peer(other).health).toBe('alive');
      expect(node.peer(other).incarnation).toBe(wire.peers[other]!.incarnation);
      expect([node.path(other, 'private'), node.path(other, 'public')]).toEqual(['up', 'up']);
    }
  });

  test('standing words and spoken parts arrive once each, whatever paths they took', () => {
    const wire = new Wire({ nets: { hb0: 'private', hb1: 'private', public: 'public' } });
    wire.run(1050);
    const { alpha, beta } = wire.peers as Record<'alpha' | 'beta', (typeof wire.peers)[string]>;
    health.setWords(alpha.state, [{ kind: PART.standing, bytes: Uint8Array.of(0, 255, 3) }]);
    beta.heard.length = 0;
    alpha.speak('beta', [{ kind: PART.append, bytes: Uint8Array.of(9) }]);
    wire.run(1);
    expect(beta.heard.map(({ node, parts }) => [node, parts.map(({ kind, bytes }) => [kind, ...bytes])])).toEqual([
      [
        'alpha',
        [
          [PART.standing, 0, 255, 3],
          [PART.append, 9],
        ],
      ],
    ]);
    expect(beta.heard[0]!.incarnation).toBe(alpha.incarnation);
    expect(beta.state.dropped['heartbeat-duplicate']).toBeGreaterThan(0);
  });
});
