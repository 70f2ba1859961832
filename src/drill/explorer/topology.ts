/** Draws a cluster and its wiring for the explorer: everything that a seed decides but the blows. */
import { stringify } from 'yaml';
import { Random } from '../../../drivers/simulator/random.js';
import { parseCluster } from '../../config/parse.js';
import { scenarioSchema, type Scenario } from '../scenario.js';
import { drawFile } from './cluster-file.js';
import { chance, weighted } from './dice.js';
import { drawWiring, ETCD, ROUTER, SECOND_TARGET, type Wiring } from './wiring.js';

export { chance, pick, shuffled } from './dice.js';

const NODES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'];
/** Small clusters cost little and meet most of what can go wrong. */
const SIZES = [
  [2, 1],
  [34, 2],
  [36, 3],
  [13, 4],
  [11, 5],
  [2, 6],
  [1, 7],
  [1, 8],
] as const;
/** A drawn file that the parser refuses is drawn again. */
const TRIES = 50;

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
  /** The arbiter is on a shared disk. */
  hasDisk: boolean;
  /** Voters whose storage may be lost one after the other, with the others still a majority. */
  mayLose: number;
}

/** Each detail has dice of its own, so that a new one leaves the others of a seed as they are. */
export function drawTopology(seed: number): Drawn {
  for (let n = 0; n < TRIES; n++) {
    const drawn = draw(seed, new Random(seed).stream(`topology ${n}`));
    if (isLegal(drawn.scenario)) return drawn;
  }
  throw new Error(`seed ${seed} draws no cluster file that the parser takes`);
}

function isLegal({ cluster, later }: Scenario): boolean {
  const file = { cluster: 'drill', key: '/k', ...cluster };
  try {
    for (const one of [file, { ...file, ...later }]) parseCluster(stringify(one), 'drawn');
    return true;
  } catch {
    return false;
  }
}

function draw(seed: number, random: Random): Drawn {
  const nodes = NODES.slice(0, weighted(random.stream('size'), SIZES));
  const wiring = drawWiring(random.stream('wiring'), nodes);
  const { file, later, fences, arbiter, hasLine, addresses } = drawFile(random.stream('file'), nodes, wiring);
  const scenario = scenarioSchema.parse({
    title: `explored, seed ${seed}`,
    topology: {
      switches: wiring.switches,
      trunks: wiring.trunks,
      nodes: wiring.nics,
      clients: clientsOf(wiring, arbiter !== null),
      fences,
      ...(arbiter === 'etcd' && { arbiter: 'etcd' }),
      ...(chance(random.stream('cards'), 0.15) && { cards: 'physical' }),
      addressesAtBoot: chance(random.stream('boot'), 0.8),
    },
    cluster: file,
    later,
    steps: [{ at: '0s', say: 'begin' }],
    until: '1m',
  });
  return {
    scenario: { ...scenario, name: `seed-${seed}` },
    nodes,
    nics: nodes.flatMap((name) => Object.keys(wiring.nics[name]!).map((nic) => `${name}.${nic}`)),
    switches: wiring.switches,
    packages: Object.keys(file['packages'] as object),
    addresses,
    hasArbiter: arbiter !== null,
    hasLine,
    hasDisk: arbiter === 'disk',
    mayLose: Math.ceil((nodes.length + (arbiter === null ? 0 : 1)) / 2) - 1,
  };
}

function clientsOf({ switches }: Wiring, hasArbiter: boolean): Record<string, unknown> {
  const [at] = switches;
  const client = ({ four, six }: { four: string; six: string }) => ({
    switch: at,
    addresses: [`${four}/24`, `${six}/64`],
  });
  return {
    router: client(ROUTER),
    printer: client(SECOND_TARGET),
    ...(hasArbiter && { etcd: client(ETCD) }),
  };
}
