/** Whether a look at floating addresses is due at all: does the membership say anything else than at the last one? */
import { expect, it } from 'vitest';
import type { Document } from '../../src/membership/document.js';
import type { Mandate } from '../../src/takeover/floating-state.js';
import { isSameStand, standOf, stands } from '../../src/takeover/stand.js';

const EPOCH = { term: 3, revision: 2 };

function mandate(change: Partial<Mandate> = {}): Mandate {
  const document = { version: EPOCH } as Document;
  return { may: { web: EPOCH }, leaseEnd: 1000, document, departed: false, ...change };
}

const idle: Partial<Mandate> = { may: {} };

it.each<[string, Partial<Mandate>, Partial<Mandate>, boolean]>([
  ['nothing changed', {}, {}, true],
  ['a longer lease under which something is served: the gate is to know it', {}, { leaseEnd: 1100 }, false],
  ['a longer lease under which nothing may be served', idle, { ...idle, leaseEnd: 1100 }, true],
  ['no lease any more', idle, { ...idle, leaseEnd: null }, false],
  ['a first lease', { ...idle, leaseEnd: null }, idle, false],
  ['one more package', {}, { may: { web: EPOCH, mail: EPOCH } }, false],
  ['the first package', idle, {}, false],
  ['one less', {}, idle, false],
  ['placed anew', {}, { may: { web: { term: 3, revision: 3 } } }, false],
  ['another document', idle, { ...idle, document: { version: { term: 4, revision: 0 } } as Document }, false],
  ['no document', idle, { ...idle, document: null }, false],
])('%s', (_, before, after, same) => {
  expect(isSameStand(standOf(mandate(before)), mandate(after))).toBe(same);
});

it('N6: stands until the lease ends, and without one for good', () => {
  expect(stands(standOf(mandate()), 999)).toBe(true);
  expect(stands(standOf(mandate()), 1000)).toBe(false);
  expect(stands(standOf(mandate({ leaseEnd: null })), 1e9)).toBe(true);
});
