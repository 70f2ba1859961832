/** Rules for MACs of floating addresses: each of its own kind, in one package, and not that of any card. */
import { isMacvlanName, macvlanName } from '../frame/macvlan.js';
import type { Cluster } from './cluster.js';
import type { FilePath, Finding } from './problem.js';

/** The U/L bit (IEEE 802-2014, 8.2.2): set where no manufacturer gave the MAC. */
const LOCAL_BIT = 0x02;

/** Switches forget a MAC that was silent for so long (IEEE 802.1Q table 8-6, recommended value). */
const AGEING_MS = 300_000;

interface Use {
  package: string;
  net: string;
  mac: string;
  path: FilePath;
}

function usesOf(cluster: Cluster): Use[] {
  return cluster.packages.flatMap(({ name, resources }) =>
    resources.flatMap((resource, i): Use[] => {
      if (resource.kind !== 'address' || resource.mac === undefined) return [];
      return [{ package: name, net: resource.net, mac: resource.mac, path: ['packages', name, 'resources', i, 'mac'] }];
    }),
  );
}

export function macs(cluster: Cluster): Finding[] {
  const found: Finding[] = [];
  const first = new Map<string, Use>();
  for (const use of usesOf(cluster)) {
    const { mac, path } = use;
    if ((parseInt(mac.slice(0, 2), 16) & LOCAL_BIT) === 0) {
      const local = (parseInt(mac.slice(0, 2), 16) | LOCAL_BIT).toString(16).padStart(2, '0');
      const text = `${mac} may be some card's; expected a locally administered MAC, such as ${local}${mac.slice(2)}`;
      found.push({ path, text });
    }
    const before = first.get(mac);
    if (before === undefined) first.set(mac, use);
    else if (before.package !== use.package || before.net !== use.net) {
      const text = `${mac} is already that of package ${before.package} on net ${before.net}; addresses share a MAC within one package and net only`;
      found.push({ path, text });
    }
  }
  return [...found, ...names(cluster, [...first.values()])];
}

/** Macvlans get names of their own, from card and MAC. */
function names(cluster: Cluster, uses: readonly Use[]): Finding[] {
  const found: Finding[] = [];
  for (const { name: node, nets } of cluster.nodes) {
    const taken = new Map<string, string>();
    for (const { net, primary, standby } of nets) {
      for (const nic of [primary, ...standby]) {
        if (isMacvlanName(nic))
          found.push({
            path: ['nodes', node, net],
            text: `${nic} is a name that baton gives to its own devices; expected another NIC`,
          });
        for (const { mac, path } of uses.filter((use) => use.net === net)) {
          const name = macvlanName(nic, mac);
          const other = taken.get(name);
          if (other !== undefined && other !== mac)
            found.push({
              path,
              text: `${mac} and ${other} would share the device ${name} on ${node}; choose another MAC`,
            });
          taken.set(name, mac);
        }
      }
    }
  }
  return found;
}

/** Warnings: a MAC under which nobody sends for long is forgotten by switches, and its frames go everywhere. */
export function silentMacs(cluster: Cluster): Finding[] {
  return cluster.nets.flatMap(({ name, announceEveryMs }): Finding[] => {
    if (announceEveryMs <= AGEING_MS / 2 || !usesOf(cluster).some(({ net }) => net === name)) return [];
    const text =
      'addresses with a MAC of their own: switches forget a MAC after 300s; expected announceEvery of 150s at most';
    return [{ path: ['nets', name, 'announceEvery'], text }];
  });
}

/** Warnings: where the MAC moves in a local switch. */
export function followingMacs(cluster: Cluster): Finding[] {
  return cluster.nets.flatMap(({ name, mac }): Finding[] => {
    if (mac !== 'follow') return [];
    const hasStandby = cluster.nodes.some(({ nets }) => nets.some((own) => own.net === name && own.standby.length > 0));
    if (hasStandby) return [];
    return [
      { path: ['nets', name, 'mac'], text: 'follow, but no node has a standby on this net: there is nowhere to go' },
    ];
  });
}
