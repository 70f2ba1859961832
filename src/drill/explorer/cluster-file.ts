/** Draws the cluster file of an explored cluster. What is legal the parser says: what it refuses is drawn again. */
import type { Random } from '../../../drivers/simulator/random.js';
import { chance, pick, weighted } from './dice.js';
import { drawPackages, type Families } from './packages.js';
import { ETCD, ROUTER, SECOND_TARGET, type Wired, type Wiring } from './wiring.js';

/** Fast enough for every timing that is drawn. */
const LINE = { device: '/dev/ttyS0', baud: 230_400 };
/** So much is allowed that no alarm for too much of it outlives a run. */
const MANY = 1000;

export interface DrawnFile {
  /** All but `cluster` and `key`. */
  file: Record<string, unknown>;
  /** What a later file replaces. */
  later: Record<string, unknown>;
  /** Fence devices of the topology. */
  fences: Record<string, unknown>;
  arbiter: 'etcd' | 'disk' | null;
  hasLine: boolean;
  addresses: string[];
}

type Written = Record<string, unknown>;

export function drawFile(random: Random, nodes: readonly string[], wiring: Wiring): DrawnFile {
  const families = pick<Families>(random.stream('families'), [['four'], ['four', 'six'], ['four', 'six'], ['six']]);
  const quorum = drawQuorum(random.stream('quorum'), nodes.length, families);
  const hasLine = nodes.length === 2 && chance(random.stream('serial line'), 0.35);
  const { packages, addresses } = drawPackages(random.stream('packages'), nodes, wiring.nets, families);
  const fencing = drawFencing(random.stream('fencing'), wiring, nodes.length > 1);
  const fence = weighted(random.stream('gate'), [
    [92, 'gate'],
    [4, 'lifetime'],
    [4, 'none'],
  ]);
  const nets = drawNets(random.stream('nets'), wiring.nets, families);
  const timing = fence === 'lifetime' ? LIFETIME : drawTiming(random.stream('timing'), nodes.length);
  const file: Written = {
    timing,
    nets,
    nodes: Object.fromEntries(nodes.map((name, n) => [name, nodeEntry(n + 1, wiring.nets, families, hasLine)])),
    ...(quorum !== null && { quorum: quorum.written }),
    ...(fence !== 'gate' && { fence }),
    ...fencing.written,
    packages,
  };
  return {
    file,
    later: drawLater(random.stream('later'), nets, nodes.length),
    fences: fencing.devices,
    arbiter: quorum?.arbiter ?? null,
    hasLine,
    addresses,
  };
}

const LIFETIME = { poll: '600ms', margin: '1100ms', nodeTimeout: '3s' };

/** Mostly with slow polling, which costs most of the time and matters least here. */
function drawTiming(random: Random, nodes: number): unknown {
  const slow = { poll: '600ms' };
  if (nodes > 5) return slow;
  return weighted<unknown>(random, [
    [16, 'default'],
    [40, slow],
    [24, { ...slow, heartbeat: '100ms', nodeTimeout: '600ms', margin: '30ms' }],
    [14, nodes < 4 ? { ...slow, heartbeat: '50ms', nodeTimeout: '300ms', margin: '20ms' } : slow],
    [4, 'calm'],
    [2, nodes < 3 ? 'fast' : 'default'],
  ]);
}

function drawNets(random: Random, nets: readonly Wired[], families: Families): Written {
  const failureDetection = chance(random, 0.15) ? { failureDetection: 'inout' } : {};
  const shared = nets.some(({ net }) => net === 'lan');
  const mayFollow = !shared && nets[0]!.standby.length > 0;
  const follows = mayFollow && chance(random.stream('follow'), 0.2);
  const targets = drawTargets(random.stream('targets'), families);
  return Object.fromEntries(
    nets.map(({ net, kind }) => [
      net,
      {
        ...(net !== 'lan' && { heartbeat: kind }),
        ...(net === 'public' && targets.length > 0 && { targets }),
        ...(net === 'public' && follows && { mac: 'follow' }),
        ...(net === 'public' && chance(random.stream('back'), 0.1) && { autoSwitchBack: false }),
        ...(kind === 'public' && failureDetection),
        upDelay: '500ms',
        flapMax: MANY,
      },
    ]),
  );
}

function drawTargets(random: Random, families: Families): string[] {
  if (chance(random, 0.5)) return [];
  const family = pick(random, families);
  return chance(random, 0.3) ? [ROUTER[family], SECOND_TARGET[family]] : [ROUTER[family]];
}

function nodeEntry(n: number, nets: readonly Wired[], families: Families, hasLine: boolean): Written {
  const entry: Written = {};
  for (const [i, { net, primary, standby, kind }] of nets.entries()) {
    const four =
      net === 'public' ? `10.77.0.${n}/24` : kind === 'public' ? `10.88.0.${n}/24` : `10.${90 + i}.0.${n}/24`;
    const six = net === 'public' ? `fd77::${n}/64` : kind === 'public' ? `fd88::${n}/64` : `fd9${i}::${n}/64`;
    const both = { four, six };
    entry[net] = { primary, ...(standby.length > 0 && { standby }), address: families.map((family) => both[family]) };
  }
  return { ...entry, ...(hasLine && { serial: LINE }) };
}

function drawQuorum(
  random: Random,
  nodes: number,
  families: Families,
): { written: unknown; arbiter: 'etcd' | 'disk' | null } | null {
  if (nodes === 2 && chance(random.stream('none'), 0.15)) return { written: 'none', arbiter: null };
  const hasArbiter = nodes === 2 || chance(random, nodes === 4 ? 0.6 : nodes === 1 ? 0 : 0.1);
  if (!hasArbiter) return null;
  const isDisk = chance(random.stream('kind'), 0.35);
  const at = families.includes('four') ? ETCD.four : `[${ETCD.six}]`;
  const disk = chance(random.stream('disks'), 0.3) ? ['/dev/shared0', '/dev/shared1'] : '/dev/shared';
  return {
    arbiter: isDisk ? 'disk' : 'etcd',
    written: {
      arbiter: isDisk ? { disk } : { etcd: { endpoints: [`http://${at}:2379`] } },
      onArbiterLoss: pick(random, ['keep', 'surrender']),
      startWait: pick(random, ['1s', '10s']),
    },
  };
}

/** A device that shuts any node: its power, or its ports at the public switches, so that it can still be heard. */
function drawFencing(
  random: Random,
  { nets, switches }: Wiring,
  isUseful: boolean,
): { written: Written; devices: Written } {
  if (!isUseful || !chance(random, 0.12)) return { written: {}, devices: {} };
  const open = switches.filter((name) => ['left', 'right', 'top'].includes(name));
  const hasPrivate = nets.some(({ kind }) => kind === 'private');
  const shuts = hasPrivate && chance(random, 0.5) ? 'ports' : 'power';
  const takes = pick(random, ['50ms', '50ms', '800ms', '4s']);
  return {
    written: {
      fenceAgents: [
        {
          command: ['/lab/pdu'],
          timeout: pick(random, ['2s', '6s']),
          ...(shuts === 'power' && chance(random, 0.5) && { action: 'reboot' }),
        },
      ],
    },
    devices: { pdu: { shuts, takes, ...(shuts === 'ports' && { switches: open }) } },
  };
}

/** A file that differs in little, but differs: its digest is another. */
function drawLater(random: Random, nets: Written, nodes: number): Written {
  if (!chance(random, 0.25)) return {};
  const later = Object.fromEntries(
    Object.entries(nets).map(([name, net]) => [name, { ...(net as Written), announceEvery: '20s' }]),
  );
  return { nets: later, ...(chance(random, 0.4) && { timing: drawTiming(random.stream('timing'), nodes) }) };
}
