/** What is valid in a cluster file but will not do what one hopes: the warnings of `check`. */
import { contains } from './address.js';
import type { Cluster, Net } from './cluster.js';
import { followingMacs, silentMacs } from './macs.js';
import type { Finding } from './problem.js';

function nicsOf(cluster: Cluster, net: Net): string[] {
  return cluster.nodes.flatMap((node) =>
    node.nets
      .filter((it) => it.net === net.name)
      .flatMap(({ primary, standby }) => [primary, ...standby].map((nic) => `${node.name}/${nic}`)),
  );
}

/** Where no silent failure could ever be proven (DESIGN 4). */
function unprovable(cluster: Cluster, net: Net): Finding[] {
  if (net.targets.length > 0) return [];
  const path = ['nets', net.name];
  const nodes = cluster.nodes.filter((node) => node.nets.some((it) => it.net === net.name));
  const nics = nicsOf(cluster, net);
  const cure = 'give it targets, such as targets: [the router]';
  if (nodes.length === 0) return [{ path, atKey: true, text: 'no node has a NIC on this net' }];
  if (nodes.length === 1) {
    return [
      {
        path,
        atKey: true,
        text: `one node and no target: only a lost carrier can be proven here, never a silent NIC; ${cure}`,
      },
    ];
  }
  // Without a standby there is nowhere to switch to: two private NICs on one cable are as they should be.
  const standbys = nodes.some((node) => node.nets.some((it) => it.net === net.name && it.standby.length > 0));
  if (nics.length === 2 && (standbys || net.heartbeat !== 'private')) {
    return [
      {
        path,
        atKey: true,
        text: `two NICs in the whole net (${nics.join(', ')}) and no target: when they stop hearing each other nothing can be proven; ${cure}`,
      },
    ];
  }
  return [];
}

function heartbeats(cluster: Cluster): Finding[] {
  if (cluster.nodes.length < 2) return [];
  const carrying = cluster.nets.filter((net) => net.heartbeat !== undefined);
  if (carrying.length === 0) {
    if (cluster.packages.length === 0) return [];
    return [
      { path: ['nets'], atKey: true, text: 'packages, but no net carries heartbeats; give one heartbeat: private' },
    ];
  }
  return carrying.flatMap((net) =>
    cluster.nodes.flatMap((node): Finding[] => {
      const mine = node.nets.find((it) => it.net === net.name);
      if (!mine)
        return [
          { path: ['nodes', node.name], atKey: true, text: `no NIC on net ${net.name}, which carries heartbeats` },
        ];
      if (mine.addresses.length > 0) return [];
      return [
        {
          path: ['nodes', node.name, net.name],
          text: `no address on net ${net.name}, which carries heartbeats to addresses`,
        },
      ];
    }),
  );
}

function votes(cluster: Cluster): Finding[] {
  if (cluster.quorum !== 'none' || cluster.nodes.length < 2) return [];
  return [
    { path: ['quorum'], text: 'none: two nodes that do not hear each other may both serve; an arbiter prevents it' },
  ];
}

function floatingAddresses(cluster: Cluster): Finding[] {
  return cluster.packages.flatMap((candidate) =>
    candidate.resources.flatMap((resource, i): Finding[] => {
      if (resource.kind !== 'address') return [];
      const { address, family } = resource.address;
      const prefixes = cluster.nodes
        .flatMap((node) => node.nets.filter((it) => it.net === resource.net))
        .flatMap((it) => it.addresses.filter((prefix) => prefix.family === family));
      if (prefixes.length === 0 || prefixes.some((prefix) => contains(prefix, address))) return [];
      return [
        {
          path: ['packages', candidate.name, 'resources', i, 'address'],
          text: `${address} is in no prefix of net ${resource.net}: clients on it need a route`,
        },
      ];
    }),
  );
}

/** A switch that inspects ARP shuts the port at 15 a second (DESIGN 17). */
function announcements(cluster: Cluster): Finding[] {
  return cluster.nets.flatMap((net): Finding[] => {
    if (net.announceRate === undefined || net.announceRate <= 15) return [];
    return [
      {
        path: ['nets', net.name, 'announceRate'],
        text: `${net.announceRate} a second; switches that inspect ARP shut an untrusted port at 15`,
      },
    ];
  });
}

export function doubts(cluster: Cluster): Finding[] {
  return [
    ...cluster.nets.flatMap((net) => unprovable(cluster, net)),
    ...heartbeats(cluster),
    ...votes(cluster),
    ...floatingAddresses(cluster),
    ...announcements(cluster),
    ...silentMacs(cluster),
    ...followingMacs(cluster),
  ];
}
