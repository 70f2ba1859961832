/** A situation as a scenario: the topology of its wiring, with what stands around a cluster made up where nobody knows it. */
import { contains, parseAddress, unfitForHost } from '../../config/address.js';
import type { Cluster, Prefix } from '../../config/cluster.js';
import type { Ms } from '../../input.js';
import { floatingAddresses } from '../../takeover/floating-address.js';
import type { Scenario } from '../scenario.js';
import type { Situation } from './situation.js';
import type { Segment } from './wiring.js';

type Topology = Scenario['topology'];
type FileOfFence = Record<string, unknown>;

export interface Model {
  topology: Topology;
  /** The cluster file as the lab gets it. */
  cluster: Record<string, unknown>;
  /** Target's address → client that answers for it. */
  targets: Record<string, string>;
  assumed: string[];
}

/** How long a fence agent is taken to need. */
const FENCE_TAKES_MS: Ms = 1000;
const ARBITER = 'arbiter';

export function modelOf(situation: Situation): Model {
  const { cluster, wiring, file } = situation;
  const assumed = [...wiring.assumed];
  const used = usedAddresses(cluster);
  const targets: Record<string, string> = {};
  const clients: Topology['clients'] = {};
  const add = (name: string, segment: Segment, addresses: string[], probes: string[] = []): void => {
    clients[name] = { switch: segment.hub, addresses, probes, tcp: [], stuck: false };
  };
  for (const [i, segment] of wiring.segments.entries()) {
    for (const target of targetsOf(cluster, segment)) {
      const name = `target${Object.keys(targets).length + 1}`;
      add(name, segment, [withLength(cluster, segment, target)]);
      targets[target] = name;
    }
    const probes = probesOf(cluster, segment, assumed);
    if (probes.length === 0) continue;
    const own = ([4, 6] as const).flatMap((family) => freeAddress(cluster, segment, family, used) ?? []);
    add(i === 0 ? 'client' : `client${i + 1}`, segment, own, probes);
  }
  const { quorum, arbiter } = withArbiter(situation, used, targets, add, assumed);
  const { fenceAgents, fences } = withFences(situation, assumed);
  return {
    topology: {
      switches: wiring.segments.flatMap(({ bridges, hub }) => [...new Set([...bridges.map((one) => one.bridge), hub])]),
      trunks: Object.values(wiring.trunks).flat(),
      nodes: Object.fromEntries(orderOf(situation).map((node) => [node, nicsOf(situation, node)])),
      lags: {},
      clients,
      fences,
      ...(arbiter === undefined ? {} : { arbiter }),
      members: [],
      cards: 'plain',
      routes: {},
      neighbours: {},
      firewall: {},
      asking: {},
      addressesAtBoot: true,
    },
    cluster: {
      ...withoutKey(file),
      switches: {},
      ...(quorum !== undefined && { quorum }),
      ...(fenceAgents && { fenceAgents }),
    },
    targets,
    assumed,
  };
}

/** Each lab has a key of its own. */
function withoutKey({ key: _, ...file }: Record<string, unknown>): Record<string, unknown> {
  return file;
}

/** Who starts first is mostly elected. */
function orderOf({ cluster, standing }: Situation): string[] {
  const names = cluster.nodes.map(({ name }) => name);
  const first = names.filter((name) => name === standing.coordinator);
  return [...first, ...names.filter((name) => !first.includes(name))];
}

function nicsOf({ wiring }: Situation, node: string): Record<string, string> {
  const bridges = wiring.segments.flatMap((segment) => segment.bridges);
  return Object.fromEntries(
    bridges.flatMap(({ bridge, nics }) =>
      nics.filter((nic) => nic.startsWith(`${node}.`)).map((nic) => [nic.slice(node.length + 1), bridge]),
    ),
  );
}

function prefixesOf(cluster: Cluster, { nets }: Segment): Prefix[] {
  return cluster.nodes.flatMap((node) =>
    node.nets.filter(({ net }) => nets.includes(net)).flatMap((net) => net.addresses),
  );
}

function targetsOf(cluster: Cluster, { nets }: Segment): string[] {
  const named = cluster.nets.filter(({ name }) => nets.includes(name)).flatMap(({ targets }) => targets);
  return [...new Set(named.map(({ address }) => address))];
}

function withLength(cluster: Cluster, segment: Segment, address: string): string {
  const around = prefixesOf(cluster, segment).find((prefix) => contains(prefix, address));
  return `${address}/${around?.prefixLength ?? (address.includes(':') ? 64 : 24)}`;
}

/** What clients of that bridged net ask for: floating addresses, and stationary ones where it does not serve heartbeats alone. */
function probesOf(cluster: Cluster, segment: Segment, assumed: string[]): string[] {
  const { nets } = segment;
  const prefixes = prefixesOf(cluster, segment);
  const floating = floatingAddresses(cluster)
    .filter(({ net }) => nets.includes(net))
    .map(({ prefix }) => prefix.address);
  const onLink = floating.filter((address) => prefixes.some((prefix) => contains(prefix, address)));
  for (const address of floating)
    if (!onLink.includes(address))
      assumed.push(`${address} is in no prefix of its net: what clients feel of it is not told`);
  const serves = cluster.nets.some(({ name, heartbeat }) => nets.includes(name) && heartbeat !== 'private');
  return [...onLink, ...(serves ? prefixes.map(({ address }) => address) : [])];
}

function usedAddresses(cluster: Cluster): Set<string> {
  const stationary = cluster.nodes.flatMap(({ nets }) => nets.flatMap(({ addresses }) => addresses));
  return new Set([
    ...stationary.map(({ address }) => address),
    ...floatingAddresses(cluster).map(({ prefix }) => prefix.address),
    ...cluster.nets.flatMap(({ targets }) => targets.map(({ address }) => address)),
  ]);
}

/** One on the link of that bridged net that the file leaves free, with prefix length; null: there is none. */
function freeAddress(cluster: Cluster, segment: Segment, family: 4 | 6, used: Set<string>): string | null {
  const prefix = prefixesOf(cluster, segment).find((one) => one.family === family);
  if (!prefix) return null;
  const stem = prefix.address.replace(/[^.:]*$/, '');
  for (let last = 250; last > 0; last--) {
    const address = parseAddress(`${stem}${family === 4 ? last : last.toString(16)}`)?.address;
    if (address === undefined || used.has(address) || !contains(prefix, address)) continue;
    if (unfitForHost({ ...prefix, address }) !== null) continue;
    used.add(address);
    return `${address}/${prefix.prefixLength}`;
  }
  return null;
}

/** The arbiter's etcd as a client at the hub of its net; disks need none. */
function withArbiter(
  { cluster, wiring, file }: Situation,
  used: Set<string>,
  targets: Record<string, string>,
  add: (name: string, segment: Segment, addresses: string[]) => void,
  assumed: string[],
): { quorum?: unknown; arbiter?: string } {
  const arbiter = typeof cluster.quorum === 'object' ? cluster.quorum.arbiter : undefined;
  if (arbiter?.kind !== 'etcd') return {};
  const [first] = arbiter.endpoints;
  const told = new URL(first!).hostname.replace(/^\[|\]$/g, '');
  const address = parseAddress(told)?.address ?? told;
  if (targets[address] !== undefined) return { arbiter: targets[address] };
  const onLink = wiring.segments.find((segment) => prefixesOf(cluster, segment).some((one) => isOnLink(one, address)));
  if (onLink) {
    add(ARBITER, onLink, [withLength(cluster, onLink, address)]);
    return { arbiter: ARBITER };
  }
  const public_ = wiring.segments.find(({ nets }) =>
    cluster.nets.some(({ name, heartbeat }) => nets.includes(name) && heartbeat !== 'private'),
  );
  const way = public_ ?? wiring.segments[0]!;
  const free = freeAddress(cluster, way, 4, used) ?? freeAddress(cluster, way, 6, used);
  if (free === null) return {};
  add(ARBITER, way, [free]);
  assumed.push(`the way to the arbiter (${told}) is net ${way.nets[0]!}, beyond its switches`);
  const host = free.split('/')[0]!;
  const endpoint = `http://${host.includes(':') ? `[${host}]` : host}:2379`;
  const written = file['quorum'] as Record<string, unknown>;
  return { quorum: { ...written, arbiter: { etcd: { endpoints: [endpoint] } } }, arbiter: ARBITER };
}

function isOnLink(prefix: Prefix, address: string): boolean {
  const plain = parseAddress(address);
  return plain?.family === prefix.family && contains(prefix, plain.address);
}

/** Every fence agent as a device that cuts the power. */
function withFences(
  { cluster, file }: Situation,
  assumed: string[],
): { fenceAgents?: FileOfFence[]; fences: Topology['fences'] } {
  if (cluster.fenceAgents.length === 0) return { fences: {} };
  const written = file['fenceAgents'] as FileOfFence[];
  const names = cluster.fenceAgents.map((_, i) => fenceName(i));
  assumed.push(`fence agents (${names.join(', ')}) work, cut the power and take ${FENCE_TAKES_MS / 1000} s`);
  return {
    fenceAgents: cluster.fenceAgents.map(({ nodes }, i) => {
      const { action, unfence, timeout } = written[i] ?? {};
      const kept = Object.fromEntries(
        Object.entries({ action, unfence, timeout }).filter(([, value]) => value !== undefined),
      );
      return { ...kept, nodes, command: [`/lab/${names[i]!}`] };
    }),
    fences: Object.fromEntries(names.map((name) => [name, { shuts: 'power', switches: [], takes: FENCE_TAKES_MS }])),
  };
}

export function fenceName(i: number): string {
  return `fence${i + 1}`;
}
