import { expect, test, vi } from 'vitest';
import { Arena, type Mode } from './world.js';

vi.mock('../../src/health/monitor.js', () => import('./fake-health.js'));

test.each<Mode>(['n1', 'n2', 'n3', 'n5', 'a2', 'a4'])('%s', (mode) => {
  const arena = new Arena(1, { mode, calm: true, packages: ['web'], verbose: !!process.env['V'] });
  arena.runUntil(15000);
  expect(arena.runsAll()).toBe(true);
});
