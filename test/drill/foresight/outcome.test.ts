import { expect, it } from 'vitest';
import type { DrillReport } from '../../../src/drill/report.js';
import { outcomeOf } from '../../../src/drill/foresight/outcome.js';
import { situation, TWO_NODES } from './sample.js';

const asked = situation(TWO_NODES);
const address = '10.77.0.100';

it.each([
  ['answers until the fault', [['alpha', 0, 1000]], 'alpha'],
  ['its last answer a little before it, as the kernel is asked every 20 ms', [['alpha', 0, 981]], 'alpha'],
  ['went before, and another came', [['alpha', 0, 960], ['beta', 970, 2000]], 'beta'], // prettier-ignore
  ['went long before', [['alpha', 0, 900]], null],
  ['comes after it only', [['beta', 1400, 2000]], null],
] as const)('who held the address when the fault fell: %s', (_, holds, before) => {
  const report = {
    outages: [],
    holds: holds.map(([node, fromMs, toMs]) => ({ address, node, fromMs, toMs })),
    holders: {},
    timeline: [],
    endedAt: 5000,
  } as unknown as DrillReport;
  expect(outcomeOf(asked, { report, fromMs: 1000, differs: [] }).packages).toMatchObject([{ package: 'web', before }]);
});
