/** Recordings that were replayed, for the tests of pictures: those of the drill that is made up. */
import type { ReplayReport } from '../../../src/drill/replay/replay.js';
import { drawnDrill, HOSTILE } from './drawn-drill.js';

/** A drill's first moment is not its daemons' first. */
const BEGAN_MS = 100;

export function drawnReplay(): ReplayReport {
  const { timeline, setting, holds, endedAt } = drawnDrill();
  const after = <T extends { fromMs: number; toMs: number }>(span: T): T => ({
    ...span,
    fromMs: span.fromMs + BEGAN_MS,
    toMs: span.toMs + BEGAN_MS,
  });
  return {
    cluster: HOSTILE,
    recordings: ['alpha', 'beta'].map((node) => ({
      path: `${node}-000001.jsonl`,
      node,
      version: '0.1.0',
      inputs: 1000,
      cutShort: node === 'alpha',
      ...(node === 'alpha' && { differs: { input: 17, recorded: '[]', replayed: '[1]' } }),
    })),
    clock: { kind: 'estimated', uncertaintyMs: 0.7 },
    invariants: ['S3', 'S4'],
    timeline: timeline.flatMap(({ entry }) => {
      if (entry === undefined) return [];
      const { node, ...rest } = entry;
      return [{ at: entry.at + BEGAN_MS, node, entry: rest }];
    }),
    runs: [
      { node: 'alpha', fromMs: 0, toMs: 8100 },
      { node: 'beta', fromMs: 0, toMs: endedAt },
    ],
    asked: [
      { at: 9000, node: 'beta', request: { ask: 'package-move', package: 'web', to: 'beta' } },
      { at: 9001, node: 'beta', request: { ask: 'package-move', package: 'web', to: 'alpha', dryRun: true } },
    ],
    holds: [...holds.map(after), { address: '10.77.0.100', node: 'beta', fromMs: 500, toMs: 900 }],
    setting,
    endedAt,
    violation: { invariant: 'S3', at: 11_000, text: HOSTILE },
  };
}
