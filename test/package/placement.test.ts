import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changes, decided, packageNamed, picture, shown, type Row, type Told } from './pictures.js';
import { decide } from '../../src/package/placement.js';

const lost = { health: 'lost' as const };
const netDown = { nets: { public: false } };
const manual = [packageNamed('web', { failover: 'manual' })];
const never = [packageNamed('web', { failover: 'never' })];
const smallest = [packageNamed('web', { failover: 'min-package-node' }), packageNamed('db'), packageNamed('mail')];
const automatic = [packageNamed('web', { failback: 'automatic' })];
const off = { packages: { web: { enabled: false } } };

describe('first placement', () => {
  test.each<Row>([
    { what: 'the first node of the list', change: ['web@alpha'] },
    { what: 'the next one, if the first is lost', nodes: { alpha: lost }, change: ['web@beta'] },
    { what: 'the next one, if the net is down at the first', nodes: { alpha: netDown }, change: ['web@beta'] },
    {
      what: 'a first node that was not heard yet has a moment to appear',
      nodes: { alpha: { health: 'unheard' } },
      young: /unknown/,
      change: [],
    },
    { what: 'and no longer', nodes: { alpha: { health: 'unheard' } }, change: ['web@beta'] },
    {
      what: 'a first node whose net is not known yet has a moment',
      nodes: { alpha: { nets: { public: null } } },
      young: /unknown/,
      change: [],
    },
    { what: 'nobody can', nodes: { alpha: lost, beta: netDown, gamma: { leaving: true } }, change: [] },
    { what: 'not where a fence agent is at work', nodes: { alpha: { isBeingShut: true } }, change: ['web@beta'] },
    { what: 'not if it is disabled', orders: off, change: [] },
    { what: 'not if the file disables it', packages: [packageNamed('web', { enabled: false })], change: [] },
    {
      what: 'if the file disables it, but an operator enabled it',
      packages: [packageNamed('web', { enabled: false })],
      orders: { packages: { web: { enabled: true } } },
      change: ['web@alpha'],
    },
    { what: 'not if an operator halted it', orders: { packages: { web: { halted: true } } }, change: [] },
    { what: 'not while the cluster is halted', orders: { clusterHalted: true }, change: [] },
    {
      what: 'not on a halted or removed node',
      orders: { haltedNodes: ['alpha'], removedNodes: ['beta'] },
      change: ['web@gamma'],
    },
    { what: 'manual: on its primary node', packages: manual, change: ['web@alpha'] },
    { what: 'manual: on no other', packages: manual, nodes: { alpha: lost }, change: [] },
    { what: 'never: on no other', packages: never, nodes: { alpha: lost }, change: [] },
    {
      what: 'min-package-node: where the fewest are',
      packages: smallest,
      placements: ['db@alpha', 'mail@beta'],
      change: ['web@gamma'],
    },
    {
      what: 'min-package-node: of equals the first of the list',
      packages: smallest,
      placements: ['db@gamma', 'mail@gamma'],
      change: ['web@alpha'],
    },
    {
      what: 'many in one change',
      packages: [packageNamed('web'), packageNamed('db', { nodes: ['beta', 'alpha'] })],
      change: ['web@alpha', 'db@beta'],
    },
  ])('$what', ({ change, ...told }) => expect(changes(told)).toEqual(change));
});

describe('a holder that is gone', () => {
  test.each<Row>([
    { what: 'nothing before its lease is over (C6)', placements: ['web@alpha'], nodes: { alpha: lost }, change: [] },
    {
      what: 'then the next of the list',
      placements: ['web@alpha'],
      nodes: { alpha: lost },
      released: ['web'],
      change: ['web@beta'],
    },
    {
      what: 'one that left is not waited for longer than its lease',
      placements: ['web@alpha'],
      nodes: { alpha: { health: 'left' } },
      released: ['web'],
      change: ['web@beta'],
    },
    {
      what: 'not from one that is only suspect, though it were released',
      placements: ['web@alpha'],
      nodes: { alpha: { health: 'suspect' } },
      released: ['web'],
      change: [],
    },
    {
      what: 'manual: stays',
      packages: manual,
      placements: ['web@alpha'],
      nodes: { alpha: lost },
      released: ['web'],
      change: [],
    },
    {
      what: 'never: stays',
      packages: never,
      placements: ['web@alpha'],
      nodes: { alpha: lost },
      released: ['web'],
      change: [],
    },
    {
      what: 'disabled: stays',
      orders: off,
      placements: ['web@alpha'],
      nodes: { alpha: lost },
      released: ['web'],
      change: [],
    },
    {
      what: 'nobody can receive: stays',
      placements: ['web@alpha'],
      nodes: { alpha: lost, beta: netDown, gamma: netDown },
      released: ['web'],
      change: [],
    },
    {
      what: 'a healthy holder keeps it, released or not',
      placements: ['web@beta'],
      released: ['web'],
      change: [],
    },
    {
      what: 'too many moves: stays',
      placements: ['web@alpha'],
      nodes: { alpha: lost },
      released: ['web'],
      moves: { web: [50_000, 60_000, 70_000] },
      change: [],
    },
    {
      what: 'old moves do not count',
      now: 700_000,
      placements: ['web@alpha'],
      nodes: { alpha: lost },
      released: ['web'],
      moves: { web: [50_000, 60_000, 700_000 - 600_000] },
      change: ['web@beta'],
    },
  ])('$what', ({ change, ...told }) => expect(changes(told)).toEqual(change));
});

describe('C7: a move is a halt first, then the new placement', () => {
  const wishes = { web: 'beta' };
  test.each<Row>([
    { what: 'halt', placements: ['web@alpha'], wishes, change: ['web@alpha halt'] },
    { what: 'wait for the release', placements: ['web@alpha halt'], wishes, change: [] },
    { what: 'place', placements: ['web@alpha halt'], released: ['web'], wishes, change: ['web@beta'] },
    { what: 'there', placements: ['web@beta'], wishes, change: [] },
    {
      what: 'the target died on the way: back to where it was',
      placements: ['web@alpha halt'],
      released: ['web'],
      nodes: { beta: lost },
      wishes,
      change: ['web@alpha'],
    },
    {
      what: 'target and holder died on the way: on to the third',
      placements: ['web@alpha halt'],
      released: ['web'],
      nodes: { beta: lost, alpha: lost },
      wishes,
      change: ['web@gamma'],
    },
    {
      what: 'another coordinator knows no wish: back to where it was',
      placements: ['web@alpha halt'],
      released: ['web'],
      change: ['web@alpha'],
    },
    {
      what: 'a disabled package that is halted stays so',
      orders: off,
      placements: ['web@alpha halt'],
      released: ['web'],
      change: [],
    },
    {
      what: 'a disabled package goes where an operator wants it',
      orders: off,
      placements: ['web@alpha'],
      wishes,
      change: ['web@alpha halt'],
    },
  ])('$what', ({ change, ...told }) => expect(changes(told)).toEqual(change));
});

describe('a net that is down', () => {
  test.each<Row & { alarm?: string }>([
    { what: 'a moment: stays', placements: ['web@alpha'], nodes: { alpha: netDown }, young: /net-down/, change: [] },
    {
      what: 'leaves for a node whose net is up',
      placements: ['web@alpha'],
      nodes: { alpha: netDown },
      change: ['web@alpha halt'],
    },
    {
      what: 'also not the next, if its net is down too',
      placements: ['web@alpha halt'],
      released: ['web'],
      nodes: { alpha: netDown, beta: netDown },
      change: ['web@gamma'],
    },
    {
      what: 'nowhere up: stays, with an alarm',
      placements: ['web@alpha'],
      nodes: { alpha: netDown, beta: netDown, gamma: netDown },
      change: [],
      alarm: 'net-down-nowhere-to-go',
    },
    {
      what: 'the net died everywhere while it was halted: back',
      placements: ['web@alpha halt'],
      released: ['web'],
      nodes: { alpha: netDown, beta: netDown, gamma: netDown },
      change: ['web@alpha'],
      alarm: 'net-down-nowhere-to-go',
    },
    {
      what: 'a node of which nothing is known is no better',
      placements: ['web@alpha'],
      nodes: { alpha: netDown, beta: { nets: { public: null } }, gamma: lost },
      change: [],
      alarm: 'net-down-nowhere-to-go',
    },
    {
      what: 'a net that is just up is no better: it may be coming back for all',
      placements: ['web@alpha'],
      nodes: { alpha: netDown, beta: { steady: [] }, gamma: netDown },
      change: [],
      alarm: 'net-down-nowhere-to-go',
    },
    {
      what: 'a net that is not the package’s does not matter',
      placements: ['web@alpha'],
      nodes: { alpha: { nets: { public: true, private1: false } } },
      change: [],
    },
    {
      what: 'too many moves: stays, with an alarm',
      placements: ['web@alpha'],
      nodes: { alpha: netDown },
      moves: { web: [50_000, 60_000, 70_000] },
      change: [],
      alarm: 'too-many-moves',
    },
  ])('$what', ({ change, alarm, ...told }) => {
    const found = decided(told);
    expect(shown(found)).toEqual(change);
    expect(found.verdicts['web']!.alarm).toBe(alarm);
  });
});

describe('what operators ordered', () => {
  test.each<Row>([
    {
      what: 'halted node: its packages leave',
      placements: ['web@alpha'],
      orders: { haltedNodes: ['alpha'] },
      change: ['web@alpha halt'],
    },
    {
      what: 'and arrive',
      placements: ['web@alpha halt'],
      released: ['web'],
      orders: { haltedNodes: ['alpha'] },
      change: ['web@beta'],
    },
    {
      what: 'halted node, nobody can receive: down',
      placements: ['web@alpha'],
      orders: { haltedNodes: ['alpha'] },
      nodes: { beta: lost, gamma: lost },
      change: ['web@alpha halt'],
    },
    {
      what: 'manual on a halted node: down',
      packages: manual,
      placements: ['web@alpha'],
      orders: { haltedNodes: ['alpha'] },
      change: ['web@alpha halt'],
    },
    { what: 'node run again: what was down starts again', placements: ['web@alpha halt'], change: ['web@alpha'] },
    { what: 'halted cluster', placements: ['web@alpha'], orders: { clusterHalted: true }, change: ['web@alpha halt'] },
    {
      what: 'halted package',
      placements: ['web@alpha'],
      orders: { packages: { web: { halted: true } } },
      change: ['web@alpha halt'],
    },
    {
      what: 'halted package, done',
      placements: ['web@alpha halt'],
      orders: { packages: { web: { halted: true } } },
      change: [],
    },
    {
      what: 'a halt is stronger than a wish',
      placements: ['web@alpha'],
      orders: { packages: { web: { halted: true } } },
      wishes: { web: 'beta' },
      change: ['web@alpha halt'],
    },
    { what: 'disabled: what runs goes on', placements: ['web@alpha'], orders: off, change: [] },
    {
      what: 'removed node, lost: its package goes when released',
      placements: ['web@alpha'],
      nodes: { alpha: lost },
      released: ['web'],
      orders: { removedNodes: ['alpha'] },
      change: ['web@beta'],
    },
    {
      what: 'leaving node: emptied',
      placements: ['web@alpha'],
      nodes: { alpha: { leaving: true } },
      change: ['web@alpha halt'],
    },
    {
      what: 'leaving node, emptied',
      placements: ['web@alpha halt'],
      released: ['web'],
      nodes: { alpha: { leaving: true } },
      change: ['web@beta'],
    },
    {
      what: 'leaving node, nobody can receive: as it is',
      placements: ['web@alpha'],
      nodes: { alpha: { leaving: true }, beta: lost, gamma: lost },
      change: [],
    },
    {
      what: 'leaving node, target died on the way: not started again there',
      placements: ['web@alpha halt'],
      released: ['web'],
      nodes: { alpha: { leaving: true }, beta: lost, gamma: lost },
      change: [],
    },
  ])('$what', ({ change, ...told }) => expect(changes(told)).toEqual(change));
});

describe('failback', () => {
  test.each<Row>([
    { what: 'manual: stays', placements: ['web@beta'], change: [] },
    { what: 'automatic: home', packages: automatic, placements: ['web@beta'], change: ['web@beta halt'] },
    {
      what: 'automatic: not before home was fit for a while',
      packages: automatic,
      placements: ['web@beta'],
      young: /home-fit/,
      change: [],
    },
    {
      what: 'L6, automatic: each run of home has to be fit for as long, whatever a late beat told of the one before',
      packages: automatic,
      placements: ['web@beta'],
      nodes: { alpha: { incarnation: 'alpha 2' } },
      young: /home-fit web alpha 2/,
      change: [],
    },
    {
      what: 'automatic: not while home is unfit',
      packages: automatic,
      placements: ['web@beta'],
      nodes: { alpha: netDown },
      change: [],
    },
    {
      what: 'automatic: not from where an operator put it',
      packages: automatic,
      placements: ['web@beta'],
      orders: { packages: { web: { at: 'beta' } } },
      change: [],
    },
    { what: 'automatic: not if disabled', packages: automatic, placements: ['web@beta'], orders: off, change: [] },
    {
      what: 'automatic: too many moves',
      packages: automatic,
      placements: ['web@beta'],
      moves: { web: [99_000, 99_100, 99_200] },
      change: [],
    },
  ])('$what', ({ change, ...told }) => expect(changes(told)).toEqual(change));
});

describe('a package that does not start', () => {
  const nodes = { alpha: { jobs: { web: { state: 'starting' as const, epoch: null, held: true } } } };
  test.each<Row>([
    { what: 'has its time', placements: ['web@alpha'], nodes, young: /not-running/, change: [] },
    { what: 'then leaves', placements: ['web@alpha'], nodes, change: ['web@alpha halt'] },
    {
      what: 'and is not sent back',
      placements: ['web@alpha halt'],
      nodes,
      released: ['web'],
      failed: { 'web@alpha': 200_000 },
      change: ['web@beta'],
    },
    {
      what: 'tried on no node where it failed',
      placements: ['web@alpha halt'],
      nodes,
      released: ['web'],
      failed: { 'web@alpha': 200_000, 'web@beta': 200_000 },
      change: ['web@gamma'],
    },
    {
      what: 'but where it failed is better than a node that is lost (L1, seed 34541)',
      placements: ['web@beta'],
      nodes: { beta: lost, gamma: lost },
      released: ['web'],
      failed: { 'web@alpha': 200_000 },
      change: ['web@alpha'],
    },
    {
      what: 'and it does not go to and fro between nodes where it fails',
      placements: ['web@alpha'],
      nodes: { ...nodes, gamma: lost },
      failed: { 'web@beta': 200_000 },
      change: [],
    },
    { what: 'until that is long ago', failed: { 'web@alpha': 99_999 }, change: ['web@alpha'] },
  ])('$what', ({ change, ...told }) => expect(changes(told)).toEqual(change));
});

describe('whatever is so', () => {
  const health = fc.constantFrom('alive', 'suspect', 'lost', 'left', 'unheard');
  const node = fc.record({
    health,
    leaving: fc.boolean(),
    nets: fc.record({ public: fc.constantFrom(true, false, null) }),
  });
  const where = fc.constantFrom('', 'alpha', 'beta', 'gamma');
  const NAMES = ['web', 'db', 'wiki'];
  const told = fc.record({
    packages: fc
      .record({
        failover: fc.constantFrom('configured-node', 'min-package-node', 'manual', 'never'),
        failback: fc.constantFrom('manual', 'automatic'),
        bound: fc.boolean(),
        excludes: fc.subarray(['web', 'db']),
      })
      .map(({ failover, failback, bound, excludes }) => [
        packageNamed('web', { failover, failback, dependsOn: bound ? ['db'] : [] }),
        packageNamed('db', { failover, failback }),
        packageNamed('wiki', { excludes, nodes: ['beta', 'alpha'] }),
      ]),
    placements: fc
      .tuple(...NAMES.map((name) => fc.record({ at: where, halts: fc.boolean() }).map((one) => ({ name, ...one }))))
      .map((all) => all.map(({ name, at, halts }) => `${name}@${at}${halts ? ' halt' : ''}`)),
    nodes: fc.record({ alpha: node, beta: node, gamma: node }),
    released: fc.subarray(NAMES),
    wishes: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('alpha', 'beta', 'gamma')),
    orders: fc.record({ clusterHalted: fc.boolean(), haltedNodes: fc.subarray(['alpha', 'beta', 'gamma']) }),
  });

  test('C6, C7: nothing goes to another node that was not released, and only to one that can receive it', () => {
    fc.assert(
      fc.property(told, (all) => {
        const seen = picture(all);
        const { change } = decide(seen, seen.document.orders);
        for (const [name, next] of Object.entries(change)) {
          const before = seen.document.placements[name]!;
          expect(next).not.toEqual({ node: before.node, state: before.state });
          if (before.node !== null && next.node !== before.node) expect(all.released).toContain(name);
          if (next.node === before.node) continue;
          const there = seen.nodes[next.node!]!;
          expect(there).toMatchObject({ health: 'alive', leaving: false, nets: { public: true } });
          expect(all.orders.haltedNodes).not.toContain(next.node);
          for (const [other, { node, state }] of Object.entries({ ...seen.document.placements, ...change })) {
            const excludes = all.packages.some((one) => one.name === name && one.excludes.includes(other));
            if (excludes && state === 'run') expect(node).not.toBe(next.node);
          }
        }
        if (all.orders.clusterHalted) for (const next of Object.values(change)) expect(next.state).toBe('halt');
      }),
      { numRuns: 3000 },
    );
  });

  test('it comes to rest: followed step by step, with nothing else changing, no document is written twice', () => {
    fc.assert(
      fc.property(told, (all) => {
        const seen = picture({ ...(all as Told), wishes: {} });
        for (let round = 0; ; round++) {
          const { change } = decide(seen, seen.document.orders);
          if (Object.keys(change).length === 0) return;
          expect(round).toBeLessThan(12);
          for (const [name, next] of Object.entries(change)) {
            const before = seen.document.placements[name]!.node;
            seen.document.placements[name] = { ...next, epoch: { term: 4, revision: round } };
            for (const { jobs } of Object.values(seen.nodes)) delete jobs[name];
            if (next.state === 'run')
              seen.nodes[next.node!]!.jobs[name] = { state: 'running', epoch: null, held: true };
            else seen.released[name] = before !== null;
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
