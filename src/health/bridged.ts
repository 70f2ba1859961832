/**
 * Bridged nets. NICs that reach each other at layer 2 are one bridged net, whatever nets of the cluster file they carry: a
 * standby that stands by for two nets, on whichever node, joins these two. Polls, hearing and verdicts are of bridged nets;
 * addresses, paths and packages of the nets in the file.
 */
import type { Cluster, ClusterNode, Net } from '../config/cluster.js';
import type { World } from '../world.js';

interface Bridged {
  /** Net of the file → the bridged net that it lies on, which has the name of its first in the file. */
  nameOf: ReadonlyMap<string, string>;
  /** Names of bridged nets on which several nets of the file lie. */
  shared: ReadonlySet<string>;
  /** What the file says of a bridged net: as of its first, with the targets of all. */
  nets: ReadonlyMap<string, Net>;
}

/** Reckoned from the file alone, so it is no state: kept because every frame asks. */
const bridgedByCluster = new WeakMap<Cluster, Bridged>();

function reckoned(cluster: Cluster): Bridged {
  const nameOf = new Map(cluster.nets.map(({ name }) => [name, name]));
  const order = cluster.nets.map(({ name }) => name);
  const join = (one: string, other: string): void => {
    const [a, b] = [nameOf.get(one) ?? one, nameOf.get(other) ?? other];
    const [first, last] = order.indexOf(a) <= order.indexOf(b) ? [a, b] : [b, a];
    for (const [net, name] of nameOf) if (name === last) nameOf.set(net, first);
  };
  for (const { nets } of cluster.nodes) {
    const netOfNic = new Map<string, string>();
    for (const { net, primary, standby } of nets) {
      for (const nic of [primary, ...standby]) {
        const other = netOfNic.get(nic);
        if (other === undefined) netOfNic.set(nic, net);
        else join(other, net);
      }
    }
  }
  const nets = new Map<string, Net>();
  for (const net of cluster.nets) {
    const name = nameOf.get(net.name)!;
    const known = nets.get(name);
    if (known === undefined) nets.set(name, net);
    else {
      const strange = net.targets.filter((target) => !known.targets.some(({ address }) => address === target.address));
      nets.set(name, { ...known, targets: [...known.targets, ...strange] });
    }
  }
  const shared = new Set([...nameOf].flatMap(([net, name]) => (net === name ? [] : [name])));
  return { nameOf, shared, nets };
}

function bridged({ cluster }: Pick<World, 'cluster'>): Bridged {
  let found = bridgedByCluster.get(cluster);
  if (found === undefined) {
    found = reckoned(cluster);
    bridgedByCluster.set(cluster, found);
  }
  return found;
}

/** Name of the bridged net on which a net of the file lies; a name that is not in the file is its own. */
export function bridgedNet(world: Pick<World, 'cluster'>, net: string): string {
  return bridged(world).nameOf.get(net) ?? net;
}

/** By the name of a bridged net. */
export function netOf(world: Pick<World, 'cluster'>, name: string): Net {
  return bridged(world).nets.get(name)!;
}

/** Do several nets of the file lie on it? Then an address on a NIC need not be of the net of a target. */
export function isShared(world: Pick<World, 'cluster'>, name: string): boolean {
  return bridged(world).shared.has(name);
}

/** What that node has of a bridged net: NICs in file order, each once, with the primaries first. */
export function nicsOn(world: Pick<World, 'cluster'>, { nets }: ClusterNode, name: string): string[] {
  const parts = nets.filter(({ net }) => bridgedNet(world, net) === name);
  return [...new Set([...parts.map(({ primary }) => primary), ...parts.flatMap(({ standby }) => standby)])];
}
