import { expect, it } from 'vitest';
import { NamespacesLab, refusal } from '../../../drivers/namespaces/lab.js';
import { outcomeOf } from '../../../src/drill/foresight/outcome.js';
import { rehearse } from '../../../src/drill/foresight/rehearsal.js';
import { situation, TWO_NODES } from './sample.js';

it.skipIf(refusal() !== null)('what-if foretells the holder that this kernel then has (root)', async () => {
  // etcd is not on every machine, and is not what is asked here.
  const without = situation(TWO_NODES, [/^quorum: .*$/m, 'quorum: none']);
  const blows = [{ at: 0, fault: 'power-off alpha' }];
  const [foretold, found] = [
    outcomeOf(without, await rehearse(without, blows, { brief: true })),
    outcomeOf(without, await rehearse(without, blows, { brief: true, lab: new NamespacesLab() })),
  ];
  expect(found.packages).toMatchObject([{ package: 'web', before: 'alpha', after: 'beta', forGood: false }]);
  expect(foretold.packages).toMatchObject([{ package: 'web', before: 'alpha', after: 'beta', forGood: false }]);
});
