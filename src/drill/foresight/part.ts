/** What a cluster is made of that can fail, each with the ways in which it does. */
import type { Cluster } from '../../config/cluster.js';
import { arbiterKind } from './blow.js';
import type { Situation } from './situation.js';

export interface Part {
  kind: 'NIC' | 'switch' | 'trunk' | 'net' | 'node' | 'daemon' | 'arbiter' | 'target' | 'serial line';
  /** `alpha.eth0`, `left`, `alpha`. */
  name: string;
  /** Node of which it is a part. */
  node?: string;
  /** Faults that fall at the same moment; the first way is the one that doubles are made of. */
  ways: string[][];
}

/** What is dead already cannot fail. */
export function partsOf(situation: Situation): Part[] {
  const { cluster, wiring, standing } = situation;
  const silent = [...standing.lost, ...standing.left];
  const living = cluster.nodes.filter(({ name }) => !silent.includes(name));
  const ofNodes = living.flatMap(({ name: node }): Part[] => [
    { kind: 'node', name: node, ways: [[`power-off ${node}`]] },
    { kind: 'daemon', name: node, node, ways: [[`kill ${node}`], [`freeze ${node}`], [`stop ${node}`]] },
  ]);
  const trunks = Object.keys(wiring.trunks);
  const targets = [...new Set(cluster.nets.flatMap((net) => net.targets.map(({ address }) => address)))];
  const hasArbiter = arbiterKind(cluster) !== null && !standing.arbiterDead;
  const parts: Part[] = [
    ...Object.keys(wiring.switches).map((name): Part => ({
      kind: 'switch',
      name,
      ways: [[`switch-off ${name}`], [`switch-mute ${name}`]],
    })),
    ...trunks.map((name): Part => ({ kind: 'trunk', name, ways: [[`trunk ${name}`]] })),
    ...netsOf(situation),
    ...living.flatMap(({ name }) =>
      nicsOf(cluster, name)
        .filter((nic) => !(nic in standing.nics))
        .map((nic) => nicOf(name, nic)),
    ),
    ...ofNodes,
    ...targets.map((name): Part => ({ kind: 'target', name, ways: [[`client-off ${name}`]] })),
  ];
  if (hasArbiter)
    parts.push({ kind: 'arbiter', name: arbiterKind(cluster)!, ways: [['arbiter-off'], ['arbiter-freeze']] });
  if (cluster.nodes.some(({ serial }) => serial))
    parts.push({ kind: 'serial line', name: 'serial line', ways: [['serial-cut']] });
  return parts;
}

function nicOf(node: string, nic: string): Part {
  return {
    kind: 'NIC',
    name: nic,
    node,
    ways: [[`drop both ${nic}`], [`cut ${nic}`], [`drop in ${nic}`], [`drop out ${nic}`]],
  };
}

function nicsOf(cluster: Cluster, node: string): string[] {
  const nets = cluster.nodes.find(({ name }) => name === node)?.nets ?? [];
  return [...new Set(nets.flatMap(({ primary, standby }) => [primary, ...standby]))].map((nic) => `${node}.${nic}`);
}

/** Private nets as a whole, where that is more than one switch. */
function netsOf({ cluster, wiring }: Situation): Part[] {
  return cluster.nets.flatMap(({ name, heartbeat }): Part[] => {
    const segment = wiring.segments.find(({ nets }) => nets.includes(name));
    if (heartbeat !== 'private' || segment === undefined) return [];
    const [only] = segment.bridges;
    const isSwitch = segment.bridges.length === 1 && wiring.switches[only!.switch]!.bridges.length === 1;
    if (isSwitch) return [];
    return [
      { kind: 'net', name, ways: [segment.bridges.flatMap(({ nics }) => nics).map((nic) => `drop both ${nic}`)] },
    ];
  });
}
