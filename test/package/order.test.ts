import { describe, expect, test } from 'vitest';
import type { ClusterRequest } from '../../src/status.js';
import { missing } from '../../src/package/missing.js';
import { planOf } from '../../src/package/order.js';
import { EPOCH, packageNamed, picture, type Told } from './pictures.js';

const lost = { health: 'lost' as const };
const netDown = { nets: { public: false } };
const halted = { packages: { web: { halted: true } } };

interface Row {
  what: string;
  request: ClusterRequest;
  told?: Told;
  /** Node that was asked. */
  node?: string;
  at?: Record<string, string>;
  /** `refused: ...`, `done: ...`, or the text of the plan. */
  says: string;
}

const move = (to?: string): ClusterRequest => ({ ask: 'package-move', package: 'web', ...(to ? { to } : {}) });
const start = (to?: string): ClusterRequest => ({ ask: 'package-start', package: 'web', ...(to ? { to } : {}) });
const placements = ['web@alpha'];

function said({ request, told, node = 'alpha', at = {} }: Row): string {
  const planned = planOf(picture(told), { node, request, at });
  if ('refused' in planned) return `refused: ${planned.refused}`;
  return 'done' in planned ? `done: ${planned.done}` : planned.plan.text;
}

describe('what comes of a request', () => {
  test.each<Row>([
    { what: 'move', request: move(), told: { placements }, says: 'web goes from alpha to beta' },
    { what: 'move to a node', request: move('gamma'), told: { placements }, says: 'web goes from alpha to gamma' },
    {
      what: 'move to where it runs',
      request: move('alpha'),
      told: { placements },
      says: 'done: web runs on alpha already',
    },
    {
      what: 'move, nobody can receive',
      request: move(),
      told: { placements, nodes: { beta: lost, gamma: netDown } },
      says: 'refused: no other node can receive web: beta is lost, gamma has its net public down',
    },
    {
      what: 'move to a node that cannot receive',
      request: move('beta'),
      told: { placements, orders: { haltedNodes: ['beta'] } },
      says: 'refused: no other node can receive web: beta is halted',
    },
    {
      what: 'move to a node that is none of its own',
      request: move('gamma'),
      told: { placements, packages: [packageNamed('web', { nodes: ['alpha', 'beta'] })] },
      says: 'refused: no other node can receive web: gamma is not a node of web',
    },
    {
      what: 'move, asked again after another coordinator has done it',
      request: move(),
      at: { web: 'alpha' },
      told: { placements: ['web@beta'] },
      says: 'done: web runs on beta now',
    },
    {
      what: 'move of a halted package',
      request: move(),
      told: { placements: ['web@alpha halt'], orders: halted },
      says: 'refused: web is halted; do: baton package start web',
    },
    {
      what: 'move in a halted cluster',
      request: move(),
      told: { placements, orders: { clusterHalted: true } },
      says: 'refused: the cluster is halted; do: baton cluster run',
    },
    {
      what: 'move of one that never moves',
      request: move('beta'),
      told: { placements, packages: [packageNamed('web', { failover: 'never' })] },
      says: 'refused: the failover of web is never: it runs on alpha only',
    },
    {
      what: 'move of one that is moved by hand only',
      request: move(),
      told: { placements, packages: [packageNamed('web', { failover: 'manual' })] },
      says: 'web goes from alpha to beta',
    },
    {
      what: 'start of what was halted: where it was',
      request: start(),
      told: { placements: ['web@beta halt'], orders: halted },
      says: 'web starts on beta',
    },
    {
      what: 'start of what was never placed',
      request: start(),
      told: { orders: { packages: { web: { enabled: false } } } },
      says: 'web starts on alpha',
    },
    {
      what: 'start of what ran on a node that is lost, as it said last',
      request: start(),
      told: { placements, packages: [packageNamed('web', { failover: 'manual' })], nodes: { alpha: lost } },
      says: 'web starts on beta',
    },
    {
      what: 'move to a node that is lost, where it ran, as it said last',
      request: move('alpha'),
      told: { placements, nodes: { alpha: lost } },
      says: 'refused: no other node can receive web: no other node may run it',
    },
    {
      what: 'move to a node that is heard while it is being shut (seed 204080)',
      request: move('beta'),
      told: { placements, nodes: { beta: { isBeingShut: true } } },
      says: 'refused: no other node can receive web: beta is being shut by a fence agent',
    },
    { what: 'start of what runs', request: start(), told: { placements }, says: 'done: web runs on alpha already' },
    {
      what: 'start elsewhere of what runs',
      request: start('beta'),
      told: { placements },
      says: 'refused: web runs on alpha; do: baton package move web --to beta',
    },
    {
      what: 'start, nobody can',
      request: start(),
      told: { nodes: { alpha: lost, beta: lost, gamma: { leaving: true } } },
      says: 'refused: no node can start web: alpha is lost, beta is lost, gamma is about to stop',
    },
    {
      what: 'takeover',
      request: { ask: 'takeover', node: 'alpha' },
      node: 'gamma',
      told: { placements },
      says: 'web goes from alpha to gamma',
    },
    {
      what: 'takeover of nothing',
      request: { ask: 'takeover', node: 'beta' },
      node: 'gamma',
      told: { placements },
      says: 'done: beta runs nothing',
    },
    {
      what: 'takeover of itself',
      request: { ask: 'takeover', node: 'alpha' },
      told: { placements },
      says: 'refused: alpha is this node; to empty it, do: baton surrender',
    },
    {
      what: 'takeover that cannot be',
      request: { ask: 'takeover', node: 'alpha' },
      node: 'gamma',
      told: { placements, nodes: { gamma: netDown } },
      says: 'refused: gamma cannot receive web: gamma has its net public down',
    },
    { what: 'surrender', request: { ask: 'surrender' }, told: { placements }, says: 'web goes from alpha to beta' },
    {
      what: 'surrender to a node',
      request: { ask: 'surrender', to: 'gamma' },
      told: { placements },
      says: 'web goes from alpha to gamma',
    },
    {
      what: 'surrender: all or nothing',
      request: { ask: 'surrender' },
      told: {
        placements: ['web@alpha', 'db@alpha'],
        packages: [packageNamed('web'), packageNamed('db', { nodes: ['alpha', 'gamma'] })],
        nodes: { gamma: lost },
      },
      says: 'refused: no other node can receive db: gamma is lost',
    },
    {
      what: 'surrender: what it gives counts where it gives it',
      request: { ask: 'surrender' },
      told: {
        placements: ['web@alpha', 'db@alpha'],
        packages: [packageNamed('web', { weight: 1 }), packageNamed('db', { weight: 1 })],
        capacities: { beta: 1 },
      },
      says: 'web goes from alpha to beta, db goes from alpha to gamma',
    },
    {
      what: 'node halt',
      request: { ask: 'node-halt', node: 'alpha' },
      told: { placements },
      says: 'alpha is halted: web goes to beta',
    },
    {
      what: 'node halt with nobody to receive',
      request: { ask: 'node-halt', node: 'alpha' },
      told: { placements, nodes: { beta: lost, gamma: lost } },
      says: 'alpha is halted: web is down (alpha is halted; beta is lost; gamma is lost)',
    },
    {
      what: 'removal of a node that lives',
      request: { ask: 'node-remove', node: 'beta' },
      says: 'refused: beta is alive: stop batond there first, or halt it with: baton node halt beta',
    },
    {
      what: 'removal of a lost node',
      request: { ask: 'node-remove', node: 'beta' },
      told: { nodes: { beta: lost } },
      says: 'beta is removed: it runs nothing',
    },
    { what: 'cluster halt', request: { ask: 'cluster-halt' }, told: { placements }, says: 'halted: web' },
  ])('$what', (row) => expect(said(row)).toBe(row.says));

  test.each<[string, ClusterRequest, Told, object]>([
    ['disable', { ask: 'package-disable', package: 'web' }, {}, { packages: { web: { enabled: false } } }],
    [
      'enable keeps the rest',
      { ask: 'package-enable', package: 'web' },
      { orders: halted },
      { packages: { web: { halted: true, enabled: true } } },
    ],
    ['start', start(), { orders: halted }, { packages: { web: { halted: false } } }],
    ['a move is remembered against failback', move('gamma'), { placements }, { packages: { web: { at: 'gamma' } } }],
    [
      'node run takes back halt and removal',
      { ask: 'node-run', node: 'beta' },
      { orders: { haltedNodes: ['beta', 'gamma'], removedNodes: ['beta'] } },
      { haltedNodes: ['gamma'], removedNodes: [] },
    ],
    [
      'node halt, twice is once',
      { ask: 'node-halt', node: 'beta' },
      { orders: { haltedNodes: ['beta'] } },
      { haltedNodes: ['beta'] },
    ],
  ])('orders: %s', (_what, request, told, orders) => {
    const planned = planOf(picture(told), { node: 'alpha', request, at: {} });
    expect('plan' in planned && planned.plan.orders).toMatchObject(orders);
  });
});

describe('packages that others depend on, or exclude', () => {
  const web = packageNamed('web', { nodes: ['gamma', 'alpha'] });
  const mail = packageNamed('mail', { nodes: ['alpha', 'gamma'], dependsOn: ['web'] });
  const wiki = packageNamed('wiki', { nodes: ['beta', 'alpha'], excludes: ['mail'] });
  const packages = [web, mail, wiki];
  const startMail = (to?: string): ClusterRequest => ({ ask: 'package-start', package: 'mail', ...(to ? { to } : {}) });
  const byHand = [web, packageNamed('mail', { ...mail, failover: 'manual' })];
  test.each<Row>([
    {
      what: 'start: where what it depends on runs',
      request: startMail(),
      told: { packages: byHand, placements: ['web@gamma'] },
      says: 'mail starts on gamma',
    },
    {
      what: 'start: nowhere else',
      request: startMail('alpha'),
      told: { packages, placements: ['web@gamma'] },
      says: 'refused: no node can start mail: mail depends on web, which runs on gamma',
    },
    {
      what: 'start: before what it depends on',
      request: startMail(),
      told: { packages, placements: ['web@gamma halt'] },
      says: 'mail starts once it can: mail depends on web, which does not run',
    },
    {
      what: 'start, by hand only: not before what it depends on',
      request: startMail(),
      told: { packages: byHand },
      says: 'refused: no node can start mail: mail depends on web, which does not run',
    },
    {
      what: 'start: in place of one that can go elsewhere',
      request: startMail(),
      told: { packages, placements: ['web@alpha', 'wiki@alpha'] },
      says: 'mail starts once wiki has gone from alpha to beta',
    },
    {
      what: 'start, by hand only: nobody gives way to it',
      request: startMail(),
      told: { packages: [...byHand, wiki], placements: ['web@alpha', 'mail@gamma halt', 'wiki@alpha'] },
      says: 'refused: no node can start mail: alpha runs wiki, and the two exclude each other',
    },
    {
      what: 'start: not in place of one that cannot',
      request: startMail(),
      told: { packages, placements: ['web@alpha', 'wiki@alpha'], nodes: { beta: lost } },
      says: 'refused: no node can start mail: alpha runs wiki, and the two exclude each other',
    },
    {
      what: 'move: not away from what it depends on',
      request: { ask: 'package-move', package: 'mail' },
      told: { packages, placements: ['web@gamma', 'mail@gamma'] },
      says: 'refused: no other node can receive mail: mail depends on web, which runs on gamma',
    },
    {
      what: 'move: not to where something that runs could not follow',
      request: move('alpha'),
      told: { packages, placements: ['web@gamma', 'mail@gamma', 'wiki@alpha'] },
      says: 'refused: no other node can receive web: mail cannot run there: alpha runs wiki, and the two exclude each other',
    },
    {
      what: 'surrender: all of it to one node',
      request: { ask: 'surrender' },
      told: { packages: [mail, web], placements: ['web@alpha', 'mail@alpha'] },
      says: 'web goes from alpha to gamma, mail goes from alpha to gamma',
    },
  ])('$what', (row) => expect(said(row)).toBe(row.says));
});

describe('what is still missing', () => {
  test('V1: of a removal, as long as the node has a vote, be it in a joint document', () => {
    const [alpha, beta] = ['alpha', 'beta'].map((name) => ({ name, storageId: 'a'.repeat(32) }));
    const still = (voters: object): string[] => {
      const seen = picture({ placements: [] });
      const document = { ...seen.document, voters: voters as typeof seen.document.voters };
      const orders = { ...document.orders, clusterHalted: true };
      return missing(
        { ...seen, document: { ...document, orders } },
        { request: { ask: 'node-remove', node: 'beta' }, targets: {} },
      );
    };
    expect(still({ next: [alpha, beta] })).toEqual(['beta still has its vote']);
    expect(still({ next: [alpha], previous: [alpha, beta] })).toEqual(['beta still has its vote']);
    expect(still({ next: [alpha] })).toEqual([]);
  });

  const targets = { web: { to: 'beta', from: 'alpha' } };
  const old = { jobs: { web: { state: 'running' as const, epoch: { ...EPOCH, revision: 1 }, held: true } } };
  test.each<[string, ClusterRequest, Told, string[]]>([
    [
      'a move that was not placed',
      move('beta'),
      { placements: ['web@alpha halt'] },
      ['web is not placed on beta yet, it is being halted on alpha'],
    ],
    [
      'a move that was placed',
      move('beta'),
      { placements: ['web@beta'], nodes: { beta: { jobs: {} } } },
      ['web has not started on beta yet'],
    ],
    [
      'what runs by an older placement does not count',
      move('beta'),
      { placements: ['web@beta'], nodes: { beta: old } },
      ['web has not started on beta yet'],
    ],
    ['nothing', move('beta'), { placements: ['web@beta'] }, []],
    [
      'halt, but held',
      { ask: 'package-halt', package: 'web' },
      { placements: ['web@alpha halt'], orders: halted, nodes: { alpha: old } },
      ['web is not halted on alpha yet'],
    ],
    ['halt, done', { ask: 'package-halt', package: 'web' }, { placements: ['web@alpha halt'], orders: halted }, []],
    [
      'halt on a node that is lost: nothing can be known',
      { ask: 'package-halt', package: 'web' },
      { placements: ['web@alpha halt'], orders: halted, nodes: { alpha: { ...lost, ...old } } },
      [],
    ],
    [
      'cluster run',
      { ask: 'cluster-run' },
      { placements: ['web@alpha'], nodes: { alpha: { jobs: {} } }, young: /not-running/ },
      ['web has not started on alpha yet'],
    ],
    [
      'cluster run with nobody to run it',
      { ask: 'cluster-run' },
      { nodes: { alpha: lost, beta: lost, gamma: lost } },
      [],
    ],
  ])('%s', (_what, request, told, expected) => {
    expect(missing(picture(told), { request, targets })).toEqual(expected);
  });
});
