/**
 * Where every end of every cable is: the plan of a lab's network, before anything is built.
 *
 *     namespace alpha          namespace left                namespace right         namespace alpha
 *     eth0 ═══ veth pair ═══ p1 ┐ bridge sw ┌ p3 ═ trunk ═ p1 ┐ bridge sw ┌ p2 ═══ veth pair ═══ eth1
 *                               └───────────┘                 └───────────┘
 */
import type { NicRef, Scenario } from '../../src/drill/scenario.js';

export interface Port {
  switch: string;
  /** Name of the veth end in the switch's namespace. */
  name: string;
  ifindex: number;
}

/** A cable between a NIC of a node or client and a port. */
export interface Cable {
  owner: string;
  nic: string;
  mac: string;
  port: Port;
  /** Of the NIC. If the port has the same, iflink equals ifindex, as on a physical card. */
  ifindex: number;
}

export interface Trunk {
  name: string;
  ends: [Port, Port];
}

export interface Wiring {
  switches: string[];
  nodes: string[];
  clients: string[];
  /** One on each switch where floating addresses are to be watched. */
  watchers: string[];
  cables: Cable[];
  trunks: Trunk[];
}

/** The only NIC of a client or watcher. */
export const CLIENT_NIC = 'eth0';

/** NICs are numbered from here, and ports of plain cards from there: above what a fresh namespace has, and never equal by chance. */
const NIC_IFINDEX = 100;
const PORT_IFINDEX = 500;
const TRUNK_IFINDEX = 900;

/** Throws an Error that names a switch that is not there, or a name that is used twice. */
export function planWiring(topology: Scenario['topology'], watched: readonly string[] = []): Wiring {
  const ports: Record<string, number> = Object.fromEntries(topology.switches.map((name) => [name, 0]));
  const nextPort = (name: string, ifindex: number, whose: string): Port => {
    if (!(name in ports)) throw new Error(`${whose}: there is no switch "${name}"`);
    return { switch: name, name: `p${(ports[name] = ports[name]! + 1)}`, ifindex };
  };
  const nodes = Object.keys(topology.nodes);
  const clients = Object.keys(topology.clients);
  const watchers = watched.map((_, i) => `watcher${i}`);
  const all = [...topology.switches, ...nodes, ...clients, ...watchers];
  const twice = all.find((name, i) => all.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`"${twice}" names two things of the topology`);

  const hex = (n: number): string => n.toString(16).padStart(2, '0');
  const cables: Cable[] = [];
  const lay = (owner: string, nic: string, to: string, mac: string): void => {
    const ifindex = NIC_IFINDEX + cables.length;
    const portIfindex = topology.cards === 'physical' ? ifindex : PORT_IFINDEX + cables.length;
    cables.push({ owner, nic, mac, ifindex, port: nextPort(to, portIfindex, `${owner}.${nic}`) });
  };
  nodes.forEach((node, n) =>
    Object.entries(topology.nodes[node]!).forEach(([nic, to], i) =>
      lay(node, nic, to, `02:ba:${hex(0x70 + (i >> 8))}:00:${hex(n + 1)}:${hex(i & 0xff)}`),
    ),
  );
  clients.forEach((client, n) =>
    lay(client, CLIENT_NIC, topology.clients[client]!.switch, `02:ba:70:01:${hex(n + 1)}:00`),
  );
  watched.forEach((to, n) => lay(watchers[n]!, CLIENT_NIC, to, `02:ba:70:02:${hex(n + 1)}:00`));
  const trunks = topology.trunks.map((name, n): Trunk => {
    const [left, right] = name.split('-') as [string, string];
    const end = (to: string, side: number): Port => nextPort(to, TRUNK_IFINDEX + 2 * n + side, `trunk ${name}`);
    return { name, ends: [end(left, 0), end(right, 1)] };
  });
  return { switches: topology.switches, nodes, clients, watchers, cables, trunks };
}

/** All that hangs on that node or client. Throws an Error when there is no such thing. */
export function cablesOf(wiring: Wiring, owner: string): Cable[] {
  const cables = wiring.cables.filter((cable) => cable.owner === owner);
  if (cables.length === 0) throw new Error(`the topology has no node or client "${owner}"`);
  return cables;
}

/** Throws an Error when the topology has no such NIC. */
export function cableAt(wiring: Wiring, at: NicRef): Cable {
  const cable = wiring.cables.find((c) => c.owner === at.node && c.nic === at.nic);
  if (!cable) throw new Error(`the topology has no NIC ${at.node}.${at.nic}`);
  return cable;
}

/** Every port of a switch, those of trunks among them. Throws an Error when there is no such switch. */
export function portsOf(wiring: Wiring, name: string): Port[] {
  if (!wiring.switches.includes(name)) throw new Error(`the topology has no switch "${name}"`);
  const all = [...wiring.cables.map((c) => c.port), ...wiring.trunks.flatMap((t) => t.ends)];
  return all.filter((port) => port.switch === name);
}
