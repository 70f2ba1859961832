/** Floating addresses of a scenario's cluster file, which may be one that a daemon refuses. */
import type { Scenario } from './scenario.js';

export interface Floating {
  package: string;
  /** Without prefix length. */
  address: string;
  net: string;
  /** Of its own. */
  mac?: string;
}

interface WrittenPackages {
  [name: string]: { resources?: { address?: string; net?: string; mac?: string }[] };
}

interface WrittenNodes {
  [name: string]: Record<string, { primary?: string; standby?: string | string[] }>;
}

export function floatingAddresses(scenario: Scenario): Floating[] {
  const packages = (scenario.cluster['packages'] ?? {}) as WrittenPackages;
  return Object.entries(packages).flatMap(([name, { resources }]) =>
    (resources ?? []).flatMap(({ address, net, mac }) =>
      address === undefined || net === undefined
        ? []
        : [
            {
              package: name,
              address: address.split('/')[0]!,
              net,
              ...(mac !== undefined && { mac: mac.toLowerCase() }),
            },
          ],
    ),
  );
}

/** Switch → floating addresses that may answer there, since a NIC of their net hangs on it. */
export function floatingBySwitch(scenario: Scenario): Map<string, string[]> {
  const nodes = (scenario.cluster['nodes'] ?? {}) as WrittenNodes;
  const found = new Map<string, string[]>();
  for (const { address, net } of floatingAddresses(scenario)) {
    for (const [node, nics] of Object.entries(scenario.topology.nodes)) {
      const { primary, standby } = nodes[node]?.[net] ?? {};
      for (const nic of [primary ?? [], standby ?? []].flat()) {
        const at = nics[nic];
        if (at !== undefined && !found.get(at)?.includes(address)) found.set(at, [...(found.get(at) ?? []), address]);
      }
    }
  }
  return found;
}
