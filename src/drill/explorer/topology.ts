/** Draws a cluster and its wiring for the explorer: everything that a seed decides but the blows. */
import type { Random } from '../../../drivers/simulator/random.js';
import { scenarioSchema, type Scenario } from '../scenario.js';

const NODES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];
/** Fast enough for every timing that is drawn. */
const LINE = { device: '/dev/ttyS0', baud: 230_400 };
const PACKAGES = ['web', 'mail', 'files'];
/** So much is allowed that no alarm for too much of it outlives a run. */
const MANY = 1000;

export interface Drawn {
  scenario: Scenario;
  nodes: string[];
  /** Name of each NIC that a heartbeat may use, `alpha.eth0`. */
  nics: string[];
  switches: string[];
  packages: string[];
  addresses: string[];
  hasArbiter: boolean;
  /** A serial line between the two. */
  hasLine: boolean;
  /** It is on a shared disk. */
  hasDisk: boolean;
  /** Voters whose storage may be lost one after the other, with the others still a majority. */
  mayLose: number;
}

export function chance(random: Random, probability: number): boolean {
  return random.unit() < probability;
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random.unit() * from.length)]!;
}

export function shuffled<T>(random: Random, from: readonly T[]): T[] {
  const left = [...from];
  const drawn: T[] = [];
  while (left.length > 0) drawn.push(...left.splice(Math.floor(random.unit() * left.length), 1));
  return drawn;
}

export function drawTopology(seed: number, random: Random): Drawn {
  const nodes = NODES.slice(0, pick(random, [2, 2, 3, 3, 3, 4, 5]));
  const hasArbiter = nodes.length === 2 || (nodes.length === 4 && chance(random, 0.6)) || chance(random, 0.1);
  // By the seed alone, so that the other draws of a seed stay what they were.
  const hasDisk = hasArbiter && seed % 3 === 0;
  // Of its own dice, so that seeds without a line stay what they are.
  const hasLine = nodes.length === 2 && chance(random.stream('serial line'), 0.4);
  const privates = pick(random, [0, 1, 1, 2]);
  const hasStandby = chance(random, 0.3);
  const switches = ['left', ...(hasStandby ? ['right'] : []), ...['blue', 'green'].slice(0, privates)];
  const nicsOf = (): Record<string, string> => ({
    eth0: 'left',
    ...(hasStandby ? { eth1: 'right' } : {}),
    ...Object.fromEntries(['blue', 'green'].slice(0, privates).map((to, i) => [`hb${i}`, to])),
  });
  const { packages, addresses } = drawPackages(random, nodes);
  const scenario = scenarioSchema.parse({
    title: `explored, seed ${seed}`,
    topology: {
      switches,
      trunks: hasStandby ? ['left-right'] : [],
      nodes: Object.fromEntries(nodes.map((name) => [name, nicsOf()])),
      clients: {
        router: { switch: 'left', addresses: ['10.77.0.254/24'] },
        ...(hasArbiter ? { etcd: { switch: 'left', addresses: ['10.77.0.9/24'] } } : {}),
      },
      ...(hasArbiter && !hasDisk ? { arbiter: 'etcd' } : {}),
      addressesAtBoot: chance(random, 0.8),
    },
    cluster: {
      timing: drawTiming(random, nodes.length),
      nets: {
        public: {
          heartbeat: 'public',
          ...(chance(random, 0.5) ? { targets: ['10.77.0.254'] } : {}),
          upDelay: '500ms',
          flapMax: MANY,
        },
        ...Object.fromEntries(
          Array.from({ length: privates }, (_, i) => [
            `private${i}`,
            { heartbeat: 'private', upDelay: '500ms', flapMax: MANY },
          ]),
        ),
      },
      nodes: Object.fromEntries(
        nodes.map((name, n) => [name, { ...nodeEntry(n + 1, hasStandby, privates), ...(hasLine && { serial: LINE }) }]),
      ),
      ...(hasArbiter
        ? {
            quorum: {
              arbiter: hasDisk ? { disk: '/dev/shared' } : { etcd: { endpoints: ['http://10.77.0.9:2379'] } },
              onArbiterLoss: pick(random, ['keep', 'surrender']),
              startWait: pick(random, ['1s', '10s']),
            },
          }
        : {}),
      packages,
    },
    steps: [{ at: '0s', say: 'begin' }],
    until: '1m',
  });
  return {
    scenario: { ...scenario, name: `seed-${seed}` },
    nodes,
    nics: nodes.flatMap((name) => Object.keys(nicsOf()).map((nic) => `${name}.${nic}`)),
    switches,
    packages: Object.keys(packages),
    addresses,
    hasArbiter,
    hasLine,
    hasDisk,
    mayLose: Math.ceil((nodes.length + (hasArbiter ? 1 : 0)) / 2) - 1,
  };
}

/** Mostly with slow polling, which costs most of the time and matters least here. */
function drawTiming(random: Random, nodes: number): unknown {
  const slowPolls = { poll: '600ms' };
  return pick<unknown>(random, [
    'default',
    slowPolls,
    slowPolls,
    { ...slowPolls, heartbeat: '100ms', nodeTimeout: '600ms', margin: '30ms' },
    nodes < 4 ? { ...slowPolls, heartbeat: '50ms', nodeTimeout: '300ms', margin: '20ms' } : slowPolls,
  ]);
}

function nodeEntry(n: number, hasStandby: boolean, privates: number): Record<string, unknown> {
  const entry: Record<string, unknown> = {
    public: {
      primary: 'eth0',
      ...(hasStandby ? { standby: ['eth1'] } : {}),
      address: [`10.77.0.${n}/24`, `fd77::${n}/64`],
    },
  };
  for (let i = 0; i < privates; i++) entry[`private${i}`] = { primary: `hb${i}`, address: `10.${78 + i}.0.${n}/24` };
  return entry;
}

function drawPackages(
  random: Random,
  nodes: readonly string[],
): { packages: Record<string, unknown>; addresses: string[] } {
  const packages: Record<string, unknown> = {};
  const addresses: string[] = [];
  for (const [i, name] of PACKAGES.slice(0, pick(random, [1, 1, 2, 3])).entries()) {
    const four = [`10.77.0.${100 + 10 * i}`, `10.77.0.${101 + 10 * i}`];
    const six = [`fd77::${100 + 10 * i}`];
    const mine = pick(random, [four.slice(0, 1), four, six, [four[0]!, six[0]!]]);
    addresses.push(...mine);
    const eligible = shuffled(random, nodes).slice(0, Math.max(2, Math.ceil(random.unit() * nodes.length)));
    packages[name] = {
      nodes: eligible,
      failback: chance(random, 0.2) ? 'automatic' : 'manual',
      movesMax: MANY,
      resources: mine.map((address) => ({ address, net: 'public' })),
    };
  }
  return { packages, addresses };
}
