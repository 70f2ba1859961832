/** What stands in a drill: nodes and their NICs, switches, clients, the arbiter, packages. Plain data, for reports. */
import { floatingAddresses } from './floating.js';
import type { Scenario } from './scenario.js';

export interface SettingNic {
  name: string;
  /** Of a bond or team one for each of its ports, else its own. */
  cables: { card: string; switch: string }[];
  /** Of the cluster file; null: baton leaves it alone. */
  net: string | null;
  role: 'primary' | 'standby' | null;
  /** Does the net carry heartbeats alone? */
  private: boolean;
}

export interface Setting {
  switches: { name: string; private: boolean }[];
  trunks: { name: string; ends: [string, string] }[];
  /** `addresses`: the stationary ones, without prefix length. */
  nodes: { name: string; nics: SettingNic[]; addresses: string[] }[];
  /** Nodes at the ends of the serial line; empty: there is none. */
  serial: string[];
  clients: { name: string; switch: string; addresses: string[]; arbiter: boolean }[];
  /** How many shared disks are the arbiter. */
  disks: number;
  packages: { name: string; nodes: string[]; addresses: string[] }[];
}

interface WrittenNet {
  primary?: string;
  standby?: string | string[];
  address?: string | string[];
  device?: string;
}

interface WrittenFile {
  nodes?: Record<string, Record<string, WrittenNet>>;
  nets?: Record<string, { heartbeat?: string } | null>;
  quorum?: { arbiter?: { disk?: string | string[] } } | string;
  packages?: Record<string, { nodes?: string[] }>;
}

/** Of a cluster file as it is written, which a daemon may well refuse: what is not understood is left out. */
export function settingOf(scenario: Scenario): Setting {
  const file = scenario.cluster as WrittenFile;
  const { topology } = scenario;
  const nodes = Object.keys(topology.nodes).map((name) => nodeOf(scenario, file, name));
  const members = [topology.arbiter, ...topology.members];
  const clients = Object.entries(topology.clients).map(([name, client]) => ({
    name,
    switch: client.switch,
    addresses: client.addresses.map(bare),
    arbiter: members.includes(name),
  }));
  return {
    switches: topology.switches.map((name) => {
      const nics = nodes.flatMap((node) =>
        node.nics.filter((nic) => nic.cables.some((cable) => cable.switch === name)),
      );
      const quiet = nics.length > 0 && nics.every((nic) => nic.private);
      return { name, private: quiet && !clients.some((client) => client.switch === name) };
    }),
    trunks: topology.trunks.map((trunk) => ({ name: trunk, ends: trunk.split('-') as [string, string] })),
    nodes,
    serial: nodes.map(({ name }) => name).filter((name) => file.nodes?.[name]?.['serial']?.device !== undefined),
    clients,
    disks: disksOf(file),
    packages: Object.entries(file.packages ?? {}).map(([name, written]) => ({
      name,
      nodes: [...(written?.nodes ?? [])],
      addresses: floatingAddresses(scenario).flatMap((one) => (one.package === name ? [one.address] : [])),
    })),
  };
}

function nodeOf({ topology }: Scenario, file: WrittenFile, name: string): Setting['nodes'][number] {
  const nets = Object.entries(file.nodes?.[name] ?? {});
  const lags = topology.lags[name] ?? {};
  const cards = topology.nodes[name] ?? {};
  const bundled = Object.values(lags).flatMap(({ ports }) => ports);
  const names = [...Object.keys(cards).filter((card) => !bundled.includes(card)), ...Object.keys(lags)];
  const nics = names.map((nic): SettingNic => {
    const ports = lags[nic]?.ports ?? [nic];
    const [net, written] = nets.find(([, { primary, standby }]) => [primary, standby].flat().includes(nic)) ?? [];
    return {
      name: nic,
      cables: ports.flatMap((card) => (cards[card] === undefined ? [] : [{ card, switch: cards[card] }])),
      net: net ?? null,
      role: written === undefined ? null : written.primary === nic ? 'primary' : 'standby',
      private: net !== undefined && file.nets?.[net]?.heartbeat === 'private',
    };
  });
  return { name, nics, addresses: nets.flatMap(([, { address }]) => [address ?? []].flat()).map(bare) };
}

function disksOf({ quorum }: WrittenFile): number {
  return typeof quorum === 'object' ? [quorum.arbiter?.disk ?? []].flat().length : 0;
}

function bare(address: string): string {
  return address.split('/')[0]!;
}
