import type { ArbiterRecord } from '../../../src/membership/arbiter-record.js';

/** A whole record, as of beat `beat`. */
export const sample = (beat: number): ArbiterRecord => ({
  storageId: '0123456789abcdef0123456789abcdef',
  term: 3,
  votedFor: { name: 'alpha', storageId: 'a'.repeat(32) },
  document: {
    version: { term: 3, revision: 7 },
    voters: {
      next: [
        { name: 'alpha', storageId: 'a'.repeat(32) },
        { name: '@arbiter', storageId: '0123456789abcdef0123456789abcdef' },
      ],
    },
    placements: { web: { node: 'alpha', epoch: { term: 3, revision: 7 }, state: 'run' } },
    orders: { clusterHalted: false, haltedNodes: [], removedNodes: [], packages: {} },
    digest: 'd'.repeat(64),
  },
  beat,
});
