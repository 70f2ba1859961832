/** What must agree between the parts of a cluster file whose form is right. Each rule is one function. */
import { leaseMs } from '../membership/span.js';
import { contains, unfitForHost } from './address.js';
import { bonds } from './bonds.js';
import type { Cluster, ClusterNode, NodeNet, Package, Prefix } from './cluster.js';
import { showDuration } from './duration.js';
import { fenceAgents } from './fence-parameters.js';
import { macs } from './macs.js';
import { tooSlow } from './serial-line.js';
import { show, unknownWord, type FilePath, type Finding } from './problem.js';

const showPrefix = ({ address, prefixLength }: Prefix): string => `${address}/${prefixLength}`;

function nothing(cluster: Cluster): Finding[] {
  const found: Finding[] = [];
  if (cluster.nets.length === 0)
    found.push({ path: ['nets'], text: 'no net; expected at least one, such as { public: {} }' });
  if (cluster.nodes.length === 0) found.push({ path: ['nodes'], text: 'no node; expected at least one' });
  return found;
}

/** A NIC is the primary of one net, or stands by, for one net or several. */
function nicsOfNode(node: ClusterNode): Finding[] {
  const found: Finding[] = [];
  const seen = new Map<string, { as: string; net: string; standsBy: boolean }>();
  const claim = (nic: string, path: FilePath, as: string, net: string, standsBy: boolean): void => {
    const before = seen.get(nic);
    if (before === undefined) seen.set(nic, { as, net, standsBy });
    else if (!before.standsBy || !standsBy || before.net === net)
      found.push({
        path,
        text: `${nic} is already ${before.as} of ${node.name}; only a standby may serve several nets`,
      });
  };
  for (const { net, primary, standby } of node.nets) {
    const at: FilePath = ['nodes', node.name, net];
    claim(primary, [...at, 'primary'], `the primary NIC of net ${net}`, net, false);
    for (const [i, nic] of standby.entries()) {
      if (nic === primary)
        found.push({ path: [...at, 'standby', i], text: `${nic} is the primary NIC itself; expected another NIC` });
      else claim(nic, [...at, 'standby', i], `a standby NIC of net ${net}`, net, true);
    }
  }
  if (node.nets.length === 0) {
    found.push({
      path: ['nodes', node.name],
      atKey: true,
      text: `node ${node.name} has no net; expected at least one with its primary NIC`,
    });
  }
  return found;
}

/** What the poller goes by is of NICs, and so is one for nets that share a NIC. */
const OF_NICS = ['failureDetection', 'upDelayMs', 'flapMax', 'flapWindowMs'] as const;
const KEY_OF = {
  failureDetection: 'failureDetection',
  upDelayMs: 'upDelay',
  flapMax: 'flapMax',
  flapWindowMs: 'flapWindow',
};

/** A standby that serves two nets lies on one wire with both of their primaries: these two are one bridged net. */
function sharedStandbys(cluster: Cluster): Finding[] {
  const found: Finding[] = [];
  const told = new Set<string>();
  for (const node of cluster.nodes) {
    for (const [i, one] of node.nets.entries()) {
      for (const other of node.nets.slice(i + 1)) {
        const at = other.standby.findIndex((nic) => one.standby.includes(nic));
        if (at < 0 || told.has(`${one.net} ${other.net}`)) continue;
        told.add(`${one.net} ${other.net}`);
        const path: FilePath = ['nodes', node.name, other.net, 'standby', at];
        found.push(...unlike(cluster, `${other.standby[at]!} of ${node.name}`, [one.net, other.net], path));
      }
    }
  }
  return found;
}

function unlike(cluster: Cluster, nic: string, names: readonly [string, string], path: FilePath): Finding[] {
  const [one, other] = names.map((name) => cluster.nets.find((net) => net.name === name));
  if (!one || !other) return [];
  const found: Finding[] = OF_NICS.filter((key) => one[key] !== other[key]).map((key) => ({
    path,
    text: `${nic} stands by for ${one.name} and ${other.name}, which differ in ${KEY_OF[key]}; expected the same in both`,
  }));
  const following = [one, other].find((net) => net.mac === 'follow');
  if (following)
    found.push({
      path,
      text: `${nic} stands by for ${one.name} and ${other.name}, and mac: follow of ${following.name} would give it a second MAC; remove that, or give each its own standby`,
    });
  return found;
}

/** Every address once in the whole file, and one that a host can have. */
function addresses(cluster: Cluster): Finding[] {
  const found: Finding[] = [];
  const seen = new Map<string, string>();
  const claim = (prefix: Prefix, path: FilePath, as: string): void => {
    const before = seen.get(prefix.address);
    if (before !== undefined)
      found.push({ path, text: `${prefix.address} is already ${before}; every address belongs to one` });
    else seen.set(prefix.address, as);
    const unfit = unfitForHost(prefix);
    if (unfit !== null)
      found.push({ path, text: `${showPrefix(prefix)} is ${unfit}; expected an address of one host` });
  };
  for (const node of cluster.nodes) {
    for (const { net, addresses: own } of node.nets) {
      for (const [i, prefix] of own.entries()) {
        claim(prefix, ['nodes', node.name, net, 'address', i], `the stationary address of ${node.name} on net ${net}`);
      }
    }
  }
  for (const [name, i, resource] of addressResources(cluster)) {
    claim(resource.address, ['packages', name, 'resources', i, 'address'], `a floating address of package ${name}`);
  }
  for (const net of cluster.nets) {
    for (const [i, target] of net.targets.entries()) {
      const before = seen.get(target.address);
      const path: FilePath = ['nets', net.name, 'targets', i];
      if (before !== undefined)
        found.push({ path, text: `${target.address} is ${before}; a target must be another machine` });
      if (net.targets.findIndex((other) => other.address === target.address) < i) {
        found.push({ path, text: `${target.address} is named twice` });
      }
    }
  }
  return found;
}

function* addressResources(cluster: Cluster) {
  for (const { name, resources } of cluster.packages) {
    for (const [i, resource] of resources.entries()) {
      if (resource.kind === 'address') yield [name, i, resource] as const;
    }
  }
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address);
}

/** A target answers for the link only if no router stands between (DESIGN 4). */
function targets(cluster: Cluster): Finding[] {
  const found: Finding[] = [];
  for (const net of cluster.nets) {
    for (const [i, target] of net.targets.entries()) {
      if (isLinkLocal(target.address)) continue;
      const path: FilePath = ['nets', net.name, 'targets', i];
      const unfit = unfitForHost({ ...target, prefixLength: target.family === 4 ? 32 : 128 });
      if (unfit !== null)
        found.push({ path, text: `${target.address} is ${unfit}; expected the address of another machine on the net` });
      for (const { name, nets } of cluster.nodes) {
        const prefixes = prefixesOf(nets, net.name, target.family);
        if (prefixes.length === 0 || prefixes.some((prefix) => contains(prefix, target.address))) continue;
        const have = prefixes.map(showPrefix).join(', ');
        found.push({
          path,
          text: `${target.address} is not on-link for ${name}, which has ${have}; expected an address within that prefix`,
        });
        break;
      }
    }
  }
  return found;
}

function prefixesOf(nets: readonly NodeNet[], net: string, family: 4 | 6): Prefix[] {
  return nets.filter((it) => it.net === net).flatMap((it) => it.addresses.filter((prefix) => prefix.family === family));
}

function quorum(cluster: Cluster): Finding[] {
  const hasArbiter = typeof cluster.quorum === 'object' && cluster.quorum.arbiter !== undefined;
  if (cluster.nodes.length !== 2 || cluster.packages.length === 0 || hasArbiter || cluster.quorum === 'none') return [];
  return [
    {
      path: cluster.quorum === undefined ? ['packages'] : ['quorum'],
      atKey: true,
      text: 'two nodes with packages and no arbiter: neither has a majority alone; expected quorum: { arbiter: ... }, or quorum: none (both may then serve at once while they cannot hear each other)',
    },
  ];
}

/** Of two that cannot hear each other one may serve; of three there is no knowing who (MEMBERSHIP 8). */
function withoutQuorum(cluster: Cluster): Finding[] {
  if (cluster.quorum !== 'none' || cluster.nodes.length <= 2 || cluster.packages.length === 0) return [];
  const count = cluster.nodes.length;
  return [{ path: ['quorum'], text: `none is for two nodes; ${count} have a majority: remove it, or name an arbiter` }];
}

/** The kernel removes addresses at whole seconds, up to one late (DESIGN 8). */
const LIFETIME_MARGIN_MIN_MS = 1100;

function lifetime(cluster: Cluster): Finding[] {
  if (cluster.fence !== 'lifetime') return [];
  const { marginMs, nodeTimeoutMs, heartbeatMs } = cluster.timing;
  const path: FilePath = ['fence'];
  if (marginMs < LIFETIME_MARGIN_MIN_MS) {
    const text = `lifetime: the kernel removes an address up to a second late, so margin must be at least 1.1s; found ${showDuration(marginMs)}; expected timing: { margin: 1100ms, nodeTimeout: 3s } or longer`;
    return [{ path, text }];
  }
  const longestMs = leaseMs(cluster.timing);
  if (longestMs >= 1000 + 2 * heartbeatMs) return [];
  return [
    {
      path,
      text: `lifetime: addresses live for whole seconds, but nodeTimeout ${showDuration(nodeTimeoutMs)} and margin ${showDuration(marginMs)} leave a lease of ${showDuration(Math.floor(longestMs))}; it must last a second and two heartbeats (${showDuration(1000 + 2 * heartbeatMs)}): raise nodeTimeout`,
    },
  ];
}

function known(what: string, name: string, names: readonly string[], path: FilePath): Finding[] {
  return names.includes(name) ? [] : [{ path, text: unknownWord(what, name, names) }];
}

function twice(names: readonly string[], path: FilePath): Finding[] {
  return names.flatMap((name, i) =>
    names.indexOf(name) < i ? [{ path: [...path, i], text: `${name} is named twice` }] : [],
  );
}

function packages(cluster: Cluster): Finding[] {
  const nodes = cluster.nodes.map(({ name }) => name);
  const nets = cluster.nets.map(({ name }) => name);
  const all = cluster.packages;
  const names = all.map(({ name }) => name);
  return all.flatMap((candidate) => {
    const at: FilePath = ['packages', candidate.name];
    return [
      ...twice(candidate.nodes, [...at, 'nodes']),
      ...candidate.nodes.flatMap((node, i) => known('node', node, nodes, [...at, 'nodes', i])),
      ...(['dependsOn', 'excludes'] as const).flatMap((key) =>
        candidate[key].flatMap((other, i) =>
          other === candidate.name
            ? [{ path: [...at, key, i], text: `${other} names itself` }]
            : known('package', other, names, [...at, key, i]),
        ),
      ),
      ...bonds(candidate, all, at),
      ...resourceNets(candidate, cluster, nets, at),
    ];
  });
}

function resourceNets(candidate: Package, cluster: Cluster, nets: readonly string[], at: FilePath): Finding[] {
  return candidate.resources.flatMap((resource, i) => {
    if (resource.kind !== 'address') return [];
    const path: FilePath = [...at, 'resources', i, 'net'];
    const without = cluster.nodes.find(
      ({ name, nets: has }) => candidate.nodes.includes(name) && !has.some(({ net }) => net === resource.net),
    );
    if (!nets.includes(resource.net)) return known('net', resource.net, nets, path);
    if (!without) return [];
    return [{ path, text: `${without.name} may run ${candidate.name} but has no NIC on net ${resource.net}` }];
  });
}

function slowLine(cluster: Cluster, { name, serial }: ClusterNode): Finding[] {
  const text = leaseMs(cluster.timing) > 0 ? tooSlow(cluster, serial!.baud) : null;
  return text === null ? [] : [{ path: ['nodes', name, 'serial'], text }];
}

function serialLines(cluster: Cluster): Finding[] {
  const withLine = cluster.nodes.filter(({ serial }) => serial);
  if (withLine.length === 0) return [];
  if (cluster.nodes.length !== 2) {
    return withLine.map(({ name }) => ({
      path: ['nodes', name, 'serial'],
      atKey: true,
      text: `a serial line joins two nodes; this cluster has ${cluster.nodes.length}`,
    }));
  }
  const [first, second] = cluster.nodes;
  const baud = { first: first?.serial?.baud, second: second?.serial?.baud };
  if (baud.first !== undefined && baud.second !== undefined && baud.first !== baud.second) {
    return [
      {
        path: ['nodes', second!.name, 'serial', 'baud'],
        text: `${baud.second} here and ${baud.first} at ${first!.name}; expected the same at both`,
      },
    ];
  }
  const missing = cluster.nodes.find(({ serial }) => !serial);
  return missing
    ? [
        {
          path: ['nodes', missing.name],
          atKey: true,
          text: `${missing.name} has no serial line, but the other node has`,
        },
      ]
    : slowLine(cluster, first!);
}

function switches(cluster: Cluster): Finding[] {
  const nics = cluster.nodes.flatMap((node) =>
    node.nets.flatMap(({ primary, standby }) => [primary, ...standby].map((nic) => `${node.name}.${nic}`)),
  );
  const seen = new Map<string, string>();
  return Object.entries(cluster.switches ?? {}).flatMap(([name, ports]) =>
    ports.flatMap((port, i): Finding[] => {
      const path: FilePath = ['switches', name, i];
      const before = seen.get(port);
      seen.set(port, before ?? name);
      if (before !== undefined) return [{ path, text: `${port} already hangs on ${before}; a NIC has one cable` }];
      return nics.includes(port)
        ? []
        : [{ path, text: `${show(port)} is no NIC of this file; ${unknownWord('NIC', port, nics)}` }];
    }),
  );
}

/** Everything that does not fit together. */
export function inconsistencies(cluster: Cluster): Finding[] {
  return [
    ...nothing(cluster),
    ...cluster.nodes.flatMap(nicsOfNode),
    ...sharedStandbys(cluster),
    ...addresses(cluster),
    ...macs(cluster),
    ...targets(cluster),
    ...quorum(cluster),
    ...withoutQuorum(cluster),
    ...lifetime(cluster),
    ...packages(cluster),
    ...serialLines(cluster),
    ...fenceAgents(cluster),
    ...switches(cluster),
  ];
}
