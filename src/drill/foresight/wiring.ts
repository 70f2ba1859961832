/**
 * Which NIC hangs on which switch. The cluster file's `switches:` says it; where it is silent, NICs that do not hear each
 * other hang on switches of their own, and all others of a net on one. Where a net has several switches, each has an
 * uplink to a core beyond them, where clients, targets and the arbiter are.
 *
 *     clients, targets, arbiter            clients, targets, arbiter
 *              │                                     │
 *        ┌─────┴─────┐                         ┌─────┴─────┐
 *        │  public   │                   ┌─────┤   core    ├─────┐
 *        └─┬───────┬─┘                   │     └───────────┘     │
 *       all NICs of the net            left                    right
 *
 * A switch may carry several nets, each by itself (VLANs): in the simulator it is one bridge a net.
 */
import type { Cluster } from '../../config/cluster.js';
import type { NodeStatus } from '../../status.js';

/** `alpha/eth0` was heard by `beta/eth0`. */
export type Hearing = Pick<NodeStatus['nets'][number]['hearing'][number], 'from' | 'to'>;

/** A bridged net: NICs that reach each other. */
export interface Segment {
  /** Nets of the cluster file that lie on it: several, if they share a standby. */
  nets: string[];
  bridges: { bridge: string; switch: string; nics: string[] }[];
  /** Bridge at which clients, targets and the arbiter are. */
  hub: string;
}

export interface Wiring {
  segments: Segment[];
  /** Switch → what it is made of, and the NICs that hang on it, `alpha.eth0`. */
  switches: Record<string, { bridges: string[]; nics: string[]; nets: string[] }>;
  /** `left-core` → cables between bridges, `left-core`. */
  trunks: Record<string, string[]>;
  /** What nobody said, in words. */
  assumed: string[];
}

const CORE = 'core';

export function wiringOf(cluster: Cluster, hearing: readonly Hearing[] = []): Wiring {
  const assumed: string[] = [];
  const laid = segmentsOf(cluster).map((nets) => ({ nets, places: placesOf(cluster, nets, hearing, assumed) }));
  const carriers = new Map<string, number>();
  for (const { places } of laid) for (const name of places.keys()) carriers.set(name, (carriers.get(name) ?? 0) + 1);
  const core = freeName(CORE, [...carriers.keys()]);
  const trunked = laid.filter(({ places }) => places.size > 1).length;
  const wiring: Wiring = { segments: [], switches: {}, trunks: {}, assumed };
  for (const { nets, places } of laid) {
    const bridges = [...places].map(([name, nics]) => ({
      bridge: carriers.get(name)! > 1 ? `${name}/${nets[0]!}` : name,
      switch: name,
      nics,
    }));
    const hub = bridges.length === 1 ? bridges[0]!.bridge : trunked > 1 ? `${core}/${nets[0]!}` : core;
    wiring.segments.push({ nets, bridges, hub });
    for (const one of bridges) {
      const known = (wiring.switches[one.switch] ??= { bridges: [], nics: [], nets: [] });
      known.bridges.push(one.bridge);
      known.nics.push(...one.nics);
      known.nets.push(...nets);
      if (one.bridge !== hub) (wiring.trunks[`${one.switch}-${core}`] ??= []).push(`${one.bridge}-${hub}`);
    }
  }
  const uplinks = Object.keys(wiring.trunks);
  if (uplinks.length > 0)
    assumed.push(
      `each switch of a net with several has one uplink (${uplinks.join(', ')}) to where clients and targets are`,
    );
  return wiring;
}

/** Nets that share a standby are one: NICs are told apart by net nowhere but in the file. */
function segmentsOf(cluster: Cluster): string[][] {
  const segments = cluster.nets.map(({ name }) => [name]);
  for (const { nets } of cluster.nodes)
    for (const one of nets)
      for (const other of nets)
        if (one !== other && one.standby.some((nic) => other.standby.includes(nic)))
          merge(segments, one.net, other.net);
  return segments;
}

function merge(groups: string[][], one: string, other: string): void {
  const into = groups.find((group) => group.includes(one))!;
  const from = groups.find((group) => group.includes(other))!;
  if (into === from) return;
  into.push(...from);
  groups.splice(groups.indexOf(from), 1);
}

/** Switch → NICs of that bridged net. */
function placesOf(
  cluster: Cluster,
  nets: readonly string[],
  hearing: readonly Hearing[],
  assumed: string[],
): Map<string, string[]> {
  const hints = Object.entries(cluster.switches ?? {});
  const places = new Map<string, string[]>();
  const put = (name: string, nic: string): void => void places.set(name, [...(places.get(name) ?? []), nic]);
  const silent: string[] = [];
  for (const nic of nicsOf(cluster, nets)) {
    const hint = hints.find(([, nics]) => nics.includes(nic));
    if (hint) put(hint[0], nic);
    else silent.push(nic);
  }
  if (silent.length === 0) return places;
  const groups = groupsOf(silent, hearing);
  const taken = hints.map(([name]) => name);
  groups.forEach((group, i) => {
    const name = freeName(groups.length > 1 ? `${nets[0]!}${i + 1}` : nets[0]!, taken);
    for (const nic of group) put(name, nic);
  });
  const where = groups.length > 1 ? `${groups.length} switches, by who hears whom` : `one switch`;
  assumed.push(
    `${silent.join(', ')} hang on ${where} (${[...places.keys()].filter((name) => !taken.includes(name)).join(', ')}): switches: says nothing of them`,
  );
  return places;
}

export function nicsOf(cluster: Cluster, nets: readonly string[]): string[] {
  const nics = cluster.nodes.flatMap(({ name, nets: own }) =>
    own
      .filter(({ net }) => nets.includes(net))
      .flatMap(({ primary, standby }) => [primary, ...standby])
      .map((nic) => `${name}.${nic}`),
  );
  return [...new Set(nics)];
}

/** Those that are linked by hearing, either way. A NIC that nobody hears and that hears nobody tells nothing of its switch. */
function groupsOf(nics: readonly string[], hearing: readonly Hearing[]): string[][] {
  const pairs = hearing.map(({ from, to }) => [from.replace('/', '.'), to.replace('/', '.')] as const);
  const heard = nics.filter((nic) => pairs.some((pair) => pair.includes(nic)));
  const groups = heard.map((nic) => [nic]);
  for (const [from, to] of pairs) if (heard.includes(from) && heard.includes(to)) merge(groups, from, to);
  if (groups.length < 2) return [[...nics]];
  groups[0]!.push(...nics.filter((nic) => !heard.includes(nic)));
  return groups;
}

function freeName(name: string, taken: readonly string[]): string {
  for (let i = 0; ; i++) {
    const candidate = i === 0 ? name : `${name}-${i}`;
    if (!taken.includes(candidate)) return candidate;
  }
}
