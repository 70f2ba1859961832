import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSamePortfolio, type Portfolio } from '../../src/takeover/portfolio.js';

const empty: Portfolio = { at: 5, addresses: [], routes: [], neighbours: [], groups: [] };
const address = { family: 4, local: '10.77.0.1', prefixLength: 24, scope: 0, flags: 0 } as const;
const whole: Portfolio = {
  ...empty,
  addresses: [{ ...address, validS: 60 }],
  neighbours: [{ family: 4, address: '10.77.0.9', mac: '02:00:00:00:00:09', state: 128, flags: 0 }],
  groups: ['239.1.2.3'],
};

it('the same at another time', () => {
  fc.assert(fc.property(fc.nat(), (at) => isSamePortfolio(whole, { ...structuredClone(whole), at })));
});

it.each<[string, Portfolio]>([
  ['a lifetime that ran on', { ...whole, addresses: [{ ...address, validS: 59 }] }],
  ['an address less', { ...whole, addresses: [] }],
  ['a neighbour less', { ...whole, neighbours: [] }],
  ['a group less', { ...whole, groups: [] }],
])('%s is another one', (_, other) => {
  expect(isSamePortfolio(whole, other)).toBe(false);
});
