/** Where an aim plays: a cluster as small as it can be, every detail of it chosen by the aim. */
import type { Ms } from '../../../input.js';
import { scenarioSchema } from '../../scenario.js';
import type { Blow, Schedule } from '../schedule.js';
import type { Drawn } from '../topology.js';

const NODES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'];
export const ROUTER = '10.77.0.254';
/** So much is allowed that no alarm for too much of it outlives a run. */
const MANY = 1000;

export interface Ground {
  nodes: number;
  /** Each node has a second NIC in the public net, on a switch of its own. */
  standby?: boolean;
  /** Private nets. */
  privates?: number;
  arbiter?: 'etcd' | 'disk';
  /** Of `quorum`, with an arbiter. */
  quorum?: Record<string, unknown>;
  /** Is the router a target of the public net? */
  target?: boolean;
  /** More of the public net. */
  net?: Record<string, unknown>;
  timing?: unknown;
  /** Name → what is more in it, `addresses` aside. */
  packages?: Record<string, { addresses: unknown[] } & Record<string, unknown>>;
  /** Of the topology. */
  topology?: Record<string, unknown>;
  /** Of the cluster file. */
  file?: Record<string, unknown>;
  /** Of the scenario: `differs`, `later`. */
  story?: Record<string, unknown>;
}

export interface Aimed {
  drawn: Drawn;
  schedule: Schedule;
}

/** Elections are short against leases: what goes wrong between the two has room to show. */
export const QUICK = { poll: '600ms', heartbeat: '50ms', nodeTimeout: '1s', margin: '30ms' };
export const LEASE_MS: Ms = 970;
/** By then a cluster with this timing has a coordinator, and its packages run. */
export const FORMED_MS: Ms = 700;
/** The first blow falls: what was moved before is where it was to go. */
export const BLOW_MS: Ms = 1400;
/** Only peace heals it. */
export const LONG: Ms = Infinity;

export const TWO = { web: { addresses: ['10.77.0.100', 'fd77::100'] }, mail: { addresses: ['10.77.0.110'] } };
export const WEB = { web: { addresses: ['10.77.0.100'] } };

export function drawGround(name: string, ground: Ground): Drawn {
  const nodes = NODES.slice(0, ground.nodes);
  const privates = ground.privates ?? 0;
  const colours = ['blue', 'green', 'red'].slice(0, privates);
  const switches = ['left', ...(ground.standby ? ['right'] : []), ...colours];
  const nicsOf = (): Record<string, string> => ({
    eth0: 'left',
    ...(ground.standby && { eth1: 'right' }),
    ...Object.fromEntries(colours.map((to, i) => [`hb${i}`, to])),
  });
  const packages = ground.packages ?? WEB;
  const scenario = scenarioSchema.parse({
    title: `aimed, ${name}`,
    topology: {
      switches,
      trunks: ground.standby ? ['left-right'] : [],
      nodes: Object.fromEntries(nodes.map((node) => [node, nicsOf()])),
      clients: {
        router: { switch: 'left', addresses: [`${ROUTER}/24`] },
        ...(ground.arbiter && { etcd: { switch: 'left', addresses: ['10.77.0.9/24'] } }),
      },
      ...(ground.arbiter === 'etcd' && { arbiter: 'etcd' }),
      ...ground.topology,
    },
    cluster: {
      timing: ground.timing ?? QUICK,
      nets: netsOf(ground, privates),
      nodes: Object.fromEntries(nodes.map((node, n) => [node, entryOf(n + 1, ground, privates)])),
      ...(ground.arbiter && { quorum: quorumOf(ground) }),
      packages: packagesOf(packages, nodes),
      ...ground.file,
    },
    ...ground.story,
    steps: [{ at: '0s', say: 'begin' }],
    until: '1m',
  });
  return {
    scenario: { ...scenario, name: `aim-${name}` },
    nodes,
    nics: nodes.flatMap((node) => Object.keys(nicsOf()).map((nic) => `${node}.${nic}`)),
    switches,
    packages: Object.keys(packages),
    addresses: Object.values(packages).flatMap(({ addresses }) => addresses.map(textOf)),
    hasArbiter: ground.arbiter !== undefined,
    hasLine: false,
    hasDisk: ground.arbiter === 'disk',
    mayLose: Math.ceil((nodes.length + (ground.arbiter ? 1 : 0)) / 2) - 1,
  };
}

function textOf(address: unknown): string {
  return typeof address === 'string' ? address : (address as { address: string }).address;
}

function netsOf({ target, net }: Ground, privates: number): Record<string, unknown> {
  const limits = { upDelay: '500ms', flapMax: MANY };
  return {
    public: { heartbeat: 'public', ...limits, ...(target && { targets: [ROUTER] }), ...net },
    ...Object.fromEntries(
      Array.from({ length: privates }, (_, i) => [`private${i}`, { heartbeat: 'private', ...limits }]),
    ),
  };
}

function entryOf(n: number, { standby }: Ground, privates: number): Record<string, unknown> {
  const entry: Record<string, unknown> = {
    public: {
      primary: 'eth0',
      ...(standby && { standby: ['eth1'] }),
      address: [`10.77.0.${n}/24`, `fd77::${n}/64`],
    },
  };
  for (let i = 0; i < privates; i++) entry[`private${i}`] = { primary: `hb${i}`, address: `10.${78 + i}.0.${n}/24` };
  return entry;
}

function quorumOf({ arbiter, quorum }: Ground): Record<string, unknown> {
  const kind = arbiter === 'disk' ? { disk: '/dev/shared' } : { etcd: { endpoints: ['http://10.77.0.9:2379'] } };
  return { arbiter: kind, startWait: '200ms', ...quorum };
}

function packagesOf(packages: NonNullable<Ground['packages']>, nodes: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(packages).map(([name, { addresses, ...more }]) => {
      const resources = addresses.map((address) =>
        typeof address === 'string' ? { address, net: 'public' } : { net: 'public', ...(address as object) },
      );
      return [name, { nodes, movesMax: MANY, resources, ...more }];
    }),
  );
}

export const NO_PAUSES = { chance: 0, maxMs: 0 };

/** A schedule of these blows, in their order. */
export function schedule(blows: Blow[], more: Partial<Schedule> = {}): Schedule {
  const sorted = [...blows].sort((a, b) => a.at - b.at);
  return {
    isMild: false,
    blows: sorted,
    endsAt: Math.max(BLOW_MS, ...sorted.map(({ at }) => at)) + 1700,
    pauses: { effect: NO_PAUSES, gate: NO_PAUSES },
    healsAll: true,
    startsTogether: true,
    driftPpm: {},
    ...more,
  };
}

/** Null: it ends by itself, or when all is healed. */
export function strike(at: Ms, fault: string, healAfterMs: Ms | null = null): Blow {
  return { at, do: 'inflict', fault, healAfterMs };
}
