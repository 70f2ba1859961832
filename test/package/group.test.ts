/** Packages that are where others are, or are not: `dependsOn`, `excludes`, `capacity`. */
import { describe, expect, test } from 'vitest';
import { inOrder } from '../../src/package/group.js';
import { changes, decided, packageNamed, type Row, type Told } from './pictures.js';

const lost = { health: 'lost' as const };

describe('excludes, dependsOn, capacity, priority', () => {
  const rivals = [packageNamed('web', { excludes: ['db'] }), packageNamed('db')];
  const follower = [packageNamed('web', { dependsOn: ['db'] }), packageNamed('db', { nodes: ['beta', 'gamma'] })];
  const heavy = [packageNamed('web', { weight: 3 }), packageNamed('db', { weight: 2, priority: 5 })];
  test.each<Row>([
    { what: 'two that exclude each other are placed apart', packages: rivals, change: ['web@alpha', 'db@beta'] },
    { what: 'also if only the other says so', packages: rivals, placements: ['web@alpha'], change: ['db@beta'] },
    {
      what: 'also while the other is still halting',
      packages: rivals,
      placements: ['web@alpha halt'],
      orders: { packages: { web: { halted: true } } },
      nodes: { alpha: { jobs: { web: { state: 'halting', epoch: null, held: true } } } },
      change: ['db@beta'],
    },
    { what: 'what it depends on comes first', packages: follower, change: ['db@beta'] },
    {
      what: 'not before that runs',
      packages: follower,
      placements: ['db@beta'],
      nodes: { beta: { jobs: { db: { state: 'starting', epoch: null, held: true } } } },
      young: /not-running/,
      change: [],
    },
    { what: 'then on the same node', packages: follower, placements: ['db@beta'], change: ['web@beta'] },
    {
      what: 'the dependent is halted first',
      packages: follower,
      placements: ['db@beta', 'web@beta'],
      orders: { haltedNodes: ['beta'] },
      change: ['web@beta halt'],
    },
    {
      what: 'then the other',
      packages: follower,
      placements: ['db@beta', 'web@beta halt'],
      released: ['web'],
      orders: { haltedNodes: ['beta'] },
      change: ['db@beta halt'],
    },
    {
      what: 'then it follows',
      packages: follower,
      placements: ['db@gamma', 'web@beta halt'],
      released: ['web'],
      orders: { haltedNodes: ['beta'] },
      change: ['web@gamma'],
    },
    {
      what: 'both at once from a dead node, one after the other',
      packages: follower,
      placements: ['db@beta', 'web@beta'],
      nodes: { beta: lost },
      released: ['db', 'web'],
      change: ['db@gamma', 'web@beta halt'],
    },
    {
      what: 'capacity: the more important one first',
      packages: heavy,
      capacities: { alpha: 4, beta: 9, gamma: 9 },
      change: ['db@alpha', 'web@beta'],
    },
    {
      what: 'capacity: what fits exactly fits',
      packages: heavy,
      capacities: { alpha: 5 },
      change: ['db@alpha', 'web@alpha'],
    },
    { what: 'capacity: nowhere', packages: heavy, capacities: { alpha: 4, beta: 2, gamma: 2 }, change: ['db@alpha'] },
  ])('$what', ({ change, ...told }) => expect(changes(told)).toEqual(change));

  test('order: dependencies, then priority, then the file', () => {
    const all = [packageNamed('a', { dependsOn: ['c'] }), packageNamed('b', { priority: 1 }), packageNamed('c')];
    expect(inOrder(all).map(({ name }) => name)).toEqual(['b', 'c', 'a']);
  });
});

describe('packages that are tied to one node, and packages in the way of others', () => {
  const web = packageNamed('web', { nodes: ['gamma', 'alpha'] });
  const mail = packageNamed('mail', { nodes: ['gamma', 'alpha'], dependsOn: ['web'] });
  const wiki = packageNamed('wiki', { nodes: ['beta', 'alpha'], excludes: ['mail'] });
  const packages = [web, mail, wiki];
  const stuck = ['web@alpha', 'mail@gamma halt', 'wiki@alpha'];
  const stay = [web, mail, packageNamed('wiki', { ...wiki, failover: 'manual' })];
  const placed = (at: string) => ({ packages: { web: { at } } });
  const returning = [packageNamed('web', { ...web, failback: 'automatic' }), mail, { ...wiki, nodes: ['gamma'] }];
  const two = [
    packageNamed('web', { nodes: ['alpha', 'beta'] }),
    packageNamed('db', { nodes: ['beta', 'alpha'] }),
    packageNamed('mail', { dependsOn: ['web', 'db'] }),
  ];
  test.each<Row>([
    { what: 'what is in the way gives way', packages, placements: stuck, change: ['wiki@alpha halt'] },
    { what: 'not at once', packages, placements: stuck, young: /in the way of mail/, change: [] },
    {
      what: 'also to one that never ran',
      packages,
      placements: ['web@alpha', 'mail@', 'wiki@alpha'],
      change: ['wiki@alpha halt'],
    },
    {
      what: 'also to one that is started by itself on its first node only',
      packages: [
        web,
        packageNamed('shop', { failover: 'manual', nodes: ['alpha', 'beta'] }),
        { ...wiki, excludes: ['shop'] },
      ],
      placements: ['web@gamma', 'shop@', 'wiki@alpha'],
      change: ['wiki@alpha halt'],
    },
    {
      what: 'not to one that an operator alone starts again',
      packages: [
        web,
        packageNamed('shop', { failover: 'manual', nodes: ['alpha', 'beta'] }),
        { ...wiki, excludes: ['shop'] },
      ],
      placements: ['web@gamma', 'shop@beta halt', 'wiki@alpha'],
      nodes: { beta: lost },
      change: [],
    },
    {
      what: 'and both have a place then',
      packages,
      placements: ['web@alpha', 'mail@gamma halt', 'wiki@alpha halt'],
      released: ['mail', 'wiki'],
      change: ['mail@alpha', 'wiki@beta'],
    },
    {
      what: 'it goes on its way when the other is there already',
      packages,
      placements: ['web@alpha', 'mail@alpha', 'wiki@alpha halt'],
      released: ['wiki'],
      change: ['wiki@beta'],
    },
    {
      what: 'nothing returns to a node on which by now something runs that excludes it',
      packages,
      placements: ['web@alpha', 'mail@alpha', 'wiki@alpha halt'],
      nodes: { beta: lost, gamma: lost },
      released: ['wiki'],
      change: [],
    },
    {
      what: 'it stays if it has nowhere to go; then the other group goes where all of it can run',
      packages,
      placements: stuck,
      nodes: { beta: lost },
      change: ['web@alpha halt'],
    },
    {
      what: 'if nobody can go nobody goes',
      packages,
      placements: stuck,
      nodes: { beta: lost, gamma: lost },
      change: [],
    },
    { what: 'manual: it stays, and the group goes', packages: stay, placements: stuck, change: ['web@alpha halt'] },
    { what: 'not at once', packages: stay, placements: stuck, young: /apart web/, change: [] },
    {
      what: 'not from where an operator put it',
      packages: stay,
      placements: stuck,
      orders: placed('alpha'),
      change: [],
    },
    {
      what: 'and the others follow',
      packages: stay,
      placements: ['web@gamma', 'mail@gamma halt', 'wiki@alpha'],
      released: ['mail'],
      change: ['mail@gamma'],
    },
    {
      what: 'a package is placed where what depends on it can run, too',
      packages: [packageNamed('web'), packageNamed('mail', { dependsOn: ['web'] }), wiki],
      placements: ['wiki@alpha'],
      change: ['web@beta'],
    },
    {
      what: 'and elsewhere if there is no such node',
      packages,
      placements: ['web@gamma', 'mail@gamma', 'wiki@alpha'],
      nodes: { gamma: lost, beta: lost },
      released: ['web', 'mail'],
      change: ['web@alpha', 'mail@gamma halt'],
    },
    {
      what: 'failback: not to where something that runs could not run on',
      packages: returning,
      placements: ['web@alpha', 'mail@alpha', 'wiki@gamma'],
      change: [],
    },
    {
      what: 'failback: not to where what depends on it could not run, though it is down yet',
      packages: [
        packageNamed('web', { failback: 'automatic' }),
        packageNamed('mail', { dependsOn: ['web'] }),
        packageNamed('wiki', { excludes: ['mail'], nodes: ['alpha'] }),
      ],
      placements: ['web@gamma', 'wiki@alpha'],
      nodes: { gamma: { jobs: { web: { state: 'starting', epoch: null, held: true } } } },
      young: /not-running|apart/,
      change: [],
    },
    {
      what: 'failback: not to where one that is down may be about to run',
      packages: [
        packageNamed('web', { failback: 'automatic' }),
        packageNamed('wiki', { excludes: ['web'], nodes: ['alpha', 'beta'] }),
      ],
      placements: ['web@gamma', 'wiki@beta'],
      nodes: { beta: lost },
      change: [],
    },
    {
      what: 'failback: else all of it',
      packages: returning,
      placements: ['web@alpha', 'mail@alpha', 'wiki@'],
      nodes: { gamma: { jobs: {} } },
      orders: { packages: { wiki: { halted: true } } },
      change: ['mail@alpha halt'],
    },
    { what: 'two that one depends on are placed together', packages: two, change: ['web@alpha', 'db@alpha'] },
    {
      what: 'and brought together',
      packages: two,
      placements: ['web@alpha', 'db@beta'],
      change: ['db@beta halt'],
    },
    {
      what: 'not if that one is halted',
      packages: two,
      placements: ['web@alpha', 'db@beta'],
      orders: { packages: { mail: { halted: true } } },
      change: [],
    },
  ])('$what', ({ change, ...told }) => expect(changes(told)).toEqual(change));

  test.each<Told & { what: string; why: string }>([
    {
      what: 'what it depends on runs where only an operator starts it',
      packages: [web, packageNamed('mail', { ...mail, failover: 'manual' })],
      placements: ['web@alpha'],
      why: 'web runs on alpha; its failover is manual: it starts on gamma by itself, and on no other node',
    },
    {
      what: 'what it depends on runs on none of its nodes',
      packages: [web, packageNamed('mail', { ...mail, nodes: ['gamma'] })],
      placements: ['web@alpha'],
      orders: placed('alpha'),
      why: 'web runs on alpha, where mail may not run',
    },
  ])('why it is down: $what', ({ why, ...told }) => expect(decided(told).verdicts['mail']!.why).toEqual([why]));
});
