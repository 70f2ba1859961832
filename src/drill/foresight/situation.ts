/** A cluster as it is now, or as its file promises it: plain data, for it goes to other processes. */
import { parse } from 'yaml';
import type { Cluster } from '../../config/cluster.js';
import { parseClusterFile } from '../../config/parse.js';
import { ClusterFileError } from '../../config/problem.js';
import type { NodeStatus } from '../../status.js';
import { wiringOf, type Wiring } from './wiring.js';

/** What differs from a cluster in which all is well and nothing was steered. */
export interface Standing {
  /** Null: whoever is elected. */
  coordinator: string | null;
  /** Silent nodes, and those that said that they stop. */
  lost: string[];
  left: string[];
  /** By an operator. */
  halted: string[];
  /** `alpha.eth0` → `carrier`, `silent`: why it is down. */
  nics: Record<string, string>;
  locked: { node: string; nic: string }[];
  /** Nets carried by a standby: `nic`. */
  carried: { node: string; net: string; nic: string }[];
  /** Package → its holder. */
  holders: Record<string, string>;
  /** Packages that do not run, for an operator wanted it so; those that may not start by themselves. */
  stopped: string[];
  disabled: string[];
  arbiterDead: boolean;
}

export interface Situation {
  /** `live`: as that node's daemon tells. */
  from: 'live' | 'file';
  node: string | null;
  /** The cluster file's own content. */
  file: Record<string, unknown>;
  cluster: Cluster;
  wiring: Wiring;
  standing: Standing;
}

const ALL_WELL: Standing = {
  coordinator: null,
  lost: [],
  left: [],
  halted: [],
  nics: {},
  locked: [],
  carried: [],
  holders: {},
  stopped: [],
  disabled: [],
  arbiterDead: false,
};

/** Throws ClusterFileError, also for what this version does not do. */
export function situationOfFile(text: string, path: string): Situation {
  const { cluster, unserved } = parseClusterFile(text, path);
  if (unserved.length > 0) throw new ClusterFileError(path, unserved);
  return {
    from: 'file',
    node: null,
    file: parse(text) as Record<string, unknown>,
    cluster,
    wiring: wiringOf(cluster),
    standing: ALL_WELL,
  };
}

/** `text`: the cluster file under which that daemon runs. Throws ClusterFileError. */
export function situationOfNode(text: string, path: string, status: NodeStatus): Situation {
  const promised = situationOfFile(text, path);
  const hearing = status.nets.flatMap((net) => net.hearing);
  return {
    ...promised,
    from: 'live',
    node: status.node,
    wiring: wiringOf(promised.cluster, hearing),
    standing: standingOf(promised.cluster, status),
  };
}

function standingOf(cluster: Cluster, status: NodeStatus): Standing {
  const { node, peers, packages, membership, halted } = status;
  const having = (health: (typeof peers)[number]['health'][]): string[] =>
    peers.filter((peer) => health.includes(peer.health)).map((peer) => peer.node);
  const lost = having(['lost', 'unheard']);
  const left = having(['left']);
  const mute = [...lost, ...left];
  return {
    coordinator: membership?.coordinator ?? null,
    lost,
    left,
    halted: halted.filter((name) => !mute.includes(name)),
    nics: {
      ...deadNics(node, Object.fromEntries(status.nics.map((nic) => [nic.name, `${nic.health} ${nic.reason ?? ''}`]))),
      ...Object.assign(
        {},
        ...peers.filter((peer) => !mute.includes(peer.node)).map((peer) => deadNics(peer.node, peer.nics ?? {})),
      ),
    } as Record<string, string>,
    locked: status.nics.filter(({ locked }) => locked !== undefined).map(({ name }) => ({ node, nic: name })),
    carried: status.nets.flatMap(({ name, carrier }) => {
      const own = cluster.nodes.find((one) => one.name === node)?.nets.find(({ net }) => net === name);
      return carrier === undefined || own === undefined || carrier === own.primary
        ? []
        : [{ node, net: name, nic: carrier }];
    }),
    holders: Object.fromEntries(
      packages.flatMap((one) => (one.node !== null && one.state !== 'halted' ? [[one.name, one.node]] : [])),
    ),
    stopped: packages
      .filter(({ state, node: holder }) => state === 'halted' && holder !== null && !mute.includes(holder))
      .map(({ name }) => name),
    disabled: packages
      .filter(({ name, enabled }) => !enabled && cluster.packages.find((one) => one.name === name)?.enabled === true)
      .map(({ name }) => name),
    arbiterDead: status.alarms.some(({ what }) => what === 'arbiter-unreachable'),
  };
}

/** `nics`: NIC → `down carrier`, as nodes say. */
function deadNics(node: string, nics: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(nics).flatMap(([nic, said]) => {
      const [health, reason] = said.trim().split(' ');
      return health === 'down' ? [[`${node}.${nic}`, reason ?? 'silent']] : [];
    }),
  );
}
