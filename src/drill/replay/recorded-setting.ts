/** What stands in a cluster of which there are recordings only: as its cluster file says, with its switches where that names them. */
import { contains, parseAddress } from '../../config/address.js';
import type { Cluster } from '../../config/cluster.js';
import { floatingAddresses } from '../../takeover/floating-address.js';
import { wiringOf, type Segment } from '../foresight/wiring.js';
import type { Setting, SettingNic } from '../setting.js';

export function recordedSetting(cluster: Cluster): Setting {
  const { segments } = wiringOf(cluster);
  const { quorum, packages } = cluster;
  const arbiter = typeof quorum === 'object' ? quorum.arbiter : undefined;
  const floating = floatingAddresses(cluster);
  return {
    switches: segments.flatMap((segment) =>
      [...new Set([...segment.bridges.map(({ bridge }) => bridge), segment.hub])].map((name) => ({
        name,
        private: segment.nets.every((net) => isPrivate(cluster, net)),
      })),
    ),
    trunks: segments.flatMap(({ bridges, hub }) =>
      bridges
        .filter(({ bridge }) => bridge !== hub)
        .map(({ bridge }) => ({ name: `${bridge}-${hub}`, ends: [bridge, hub] as [string, string] })),
    ),
    nodes: cluster.nodes.map((node) => ({
      name: node.name,
      nics: nicsOf(cluster, segments, node),
      addresses: node.nets.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
    })),
    serial: cluster.nodes.filter(({ serial }) => serial !== undefined).map(({ name }) => name),
    clients: [
      ...targetsOf(cluster, segments),
      ...(arbiter?.kind === 'etcd'
        ? arbiter.endpoints.map((url, i, all) =>
            endpointOf(cluster, segments, url, all.length > 1 ? `etcd${i + 1}` : 'arbiter'),
          )
        : []),
    ],
    disks: arbiter?.kind === 'disk' ? arbiter.paths.length : 0,
    packages: packages.map(({ name, nodes }) => ({
      name,
      nodes: [...nodes],
      addresses: floating.filter((one) => one.package === name).map(({ prefix }) => prefix.address),
    })),
  };
}

function isPrivate({ nets }: Cluster, net: string): boolean {
  return nets.find(({ name }) => name === net)?.heartbeat === 'private';
}

/** One that stands by for several nets once. */
function nicsOf(
  cluster: Cluster,
  segments: readonly Segment[],
  { name, nets }: Cluster['nodes'][number],
): SettingNic[] {
  const bridges = segments.flatMap((segment) => segment.bridges);
  const nics = new Map<string, SettingNic>();
  for (const { net, primary, standby } of nets)
    for (const nic of [primary, ...standby]) {
      const home = bridges.find((one) => one.nics.includes(`${name}.${nic}`));
      const cables = home === undefined ? [] : [{ card: nic, switch: home.bridge }];
      const role = nic === primary ? 'primary' : 'standby';
      nics.set(nic, { name: nic, cables, net, role, private: isPrivate(cluster, net) });
    }
  return [...nics.values()];
}

function targetsOf(cluster: Cluster, segments: readonly Segment[]): Setting['clients'] {
  const all = segments.flatMap(({ nets, hub }) => {
    const targets = cluster.nets.filter(({ name }) => nets.includes(name)).flatMap((net) => net.targets);
    return [...new Set(targets.map(({ address }) => address))].map((address) => ({ address, hub }));
  });
  return all.map(({ address, hub }, i) => ({
    name: all.length === 1 ? 'target' : `target${i + 1}`,
    switch: hub,
    addresses: [address],
    arbiter: false,
  }));
}

/** At the net on whose link it is; beyond the first public one, if it is on none. */
function endpointOf(
  cluster: Cluster,
  segments: readonly Segment[],
  url: string,
  name: string,
): Setting['clients'][number] {
  const { hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const address = parseAddress(host);
  const onLink = segments.find(({ nets }) =>
    cluster.nodes
      .flatMap((node) => node.nets.filter(({ net }) => nets.includes(net)).flatMap(({ addresses }) => addresses))
      .some((prefix) => address?.family === prefix.family && contains(prefix, address.address)),
  );
  const open = segments.find(({ nets }) => nets.some((net) => !isPrivate(cluster, net)));
  const { hub } = onLink ?? open ?? segments[0]!;
  return { name, switch: hub, addresses: [host], arbiter: true };
}
