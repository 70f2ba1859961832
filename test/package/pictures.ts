/** Pictures of a cluster for tables: all is well unless said otherwise. */
import { BARE_PACKAGE } from '../bare-cluster.js';
import type { Package } from '../../src/config/cluster.js';
import type { Orders, Placement } from '../../src/membership/document.js';
import { decide, type Decided } from '../../src/package/placement.js';
import type { NodePicture, Picture } from '../../src/package/state.js';

export function packageNamed(name: string, more: Partial<Package> = {}): Package {
  return {
    name,
    nodes: ['alpha', 'beta', 'gamma'],
    ...BARE_PACKAGE,
    resources: [
      {
        kind: 'address',
        address: { family: 4, address: '10.77.0.100', prefixLength: 32 },
        net: 'public',
        source: false,
      },
    ],
    ...more,
  };
}

export const ORDERS: Orders = { clusterHalted: false, haltedNodes: [], removedNodes: [], packages: {} };
export const EPOCH = { term: 3, revision: 2 };

/** `web@alpha`, `web@alpha halt`, `web@`. */
export function placed(text: string): [string, Placement] {
  const [, name, node, halt] = /^(\w+)@(\w*)( halt)?$/.exec(text)!;
  return [name!, { node: node === '' ? null : node!, epoch: EPOCH, state: halt === undefined ? 'run' : 'halt' }];
}

export interface Told {
  now?: number;
  packages?: Package[];
  /** As `placed`. A package that is placed to run does so, unless `jobs` says otherwise. */
  placements?: string[];
  orders?: Partial<Orders>;
  nodes?: Record<string, Partial<NodePicture>>;
  released?: string[];
  wishes?: Record<string, string>;
  moves?: Record<string, number[]>;
  failed?: Record<string, number>;
  capacities?: Record<string, number>;
  /** Conditions that have not lasted yet. */
  young?: RegExp;
}

/** A line of a table. */
export interface Row extends Told {
  what: string;
  change: string[];
}

export function picture(told: Told = {}): Picture {
  const placements = Object.fromEntries((told.placements ?? []).map(placed));
  const names = ['alpha', 'beta', 'gamma'];
  const jobsOf = (node: string): NodePicture['jobs'] =>
    Object.fromEntries(
      Object.entries(placements)
        .filter(([, placement]) => placement.node === node && placement.state === 'run')
        .map(([name, { epoch }]) => [name, { state: 'running' as const, epoch, held: true }]),
    );
  return {
    now: told.now ?? 100_000,
    nodeTimeoutMs: 1000,
    netDownMs: 600,
    packages: told.packages ?? [packageNamed('web')],
    nodes: Object.fromEntries(
      names.map((name) => [
        name,
        {
          health: 'alive',
          incarnation: `${name} 1`,
          leaving: false,
          isBeingShut: false,
          jobs: jobsOf(name),
          nets: { public: true },
          steady: told.nodes?.[name]?.nets?.['public'] === false ? [] : ['public'],
          ...told.nodes?.[name],
        },
      ]),
    ),
    capacities: told.capacities ?? {},
    document: {
      version: EPOCH,
      voters: { next: [] },
      placements,
      orders: { ...ORDERS, ...told.orders },
      digest: '00',
    },
    released: Object.fromEntries((told.released ?? []).map((name) => [name, true])),
    memory: { wishes: told.wishes ?? {}, moves: told.moves ?? {}, failed: told.failed ?? {} },
    lasts: (condition) => told.young?.test(condition) !== true,
  };
}

/** The change in the form of `placed`. */
export function changes(told: Told): string[] {
  return shown(decided(told));
}

export function decided(told: Told): Decided {
  const seen = picture(told);
  return decide(seen, seen.document.orders);
}

export function shown({ change }: Decided): string[] {
  return Object.entries(change).map(
    ([name, { node, state }]) => `${name}@${node ?? ''}${state === 'halt' ? ' halt' : ''}`,
  );
}
