import { describe, expect, it } from 'vitest';
import { countLoss, framesNeeded } from '../../src/health/window.js';
import { Fabric } from './fabric.js';

const { world } = new Fabric({ nodes: { alpha: { eth0: 'A' } } }).hosts['alpha']!;

describe('window', () => {
  it('is pollMisses full polls on a clean net', () => {
    expect(framesNeeded(world, 0)).toBe(3);
  });

  it.each([0.01, 0.05, 0.1, 0.3, 0.51, 0.66, 0.9])(
    'at a loss of %f chance empties it less than once in 1e9',
    (loss) => {
      const frames = framesNeeded(world, loss);
      expect(loss ** frames).toBeLessThanOrEqual(1.000001e-9);
      expect(loss ** (frames - 1)).toBeGreaterThan(1e-9);
    },
  );

  it('follows the loss of a pair within a few frames and forgets it slowly', () => {
    const pair = { lossNow: 0, lossHeld: 0 };
    for (let i = 0; i < 20; i++) countLoss(pair, 1, 6);
    expect(pair.lossHeld).toBeGreaterThan(0.3);
    for (let i = 0; i < 500; i++) countLoss(pair, 0, 6);
    expect(pair.lossHeld).toBeGreaterThan(0.1);
    for (let i = 0; i < 5000; i++) countLoss(pair, 0, 6);
    expect(framesNeeded(world, pair.lossHeld)).toBe(3);
  });

  it('does not take an outage for loss', () => {
    const pair = { lossNow: 0, lossHeld: 0 };
    countLoss(pair, 7, 6);
    expect(pair.lossHeld).toBe(0);
  });
});
