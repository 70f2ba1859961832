/** The network of a topology: bridges joined by trunks, and hosts and clients whose NICs are plugged into them. */
import type { Cluster } from '../../src/config/cluster.js';
import type { Ms } from '../../src/input.js';
import type { Scenario } from '../../src/drill/scenario.js';
import { floatingTexts } from '../../src/takeover/floating-address.js';
import { hasGate } from '../../src/takeover/gate-order.js';
import { parseRoute } from '../route-text.js';
import { addAddress, IFA_F } from './addresses.js';
import { Arbiter } from './arbiter.js';
import { Bridge, trunk, type Port } from './bridge.js';
import type { Cable } from './cable.js';
import { Client, CLIENT_NIC } from './client.js';
import type { Daemon } from './daemon.js';
import { FenceDevice } from './fence-device.js';
import { Host } from './host.js';
import { NUD } from './neighbours.js';
import { SerialWire } from './serial-wire.js';
import { SharedDisk } from './shared-disk.js';
import type { World } from './wire.js';

export interface Network {
  world: World;
  bridges: Map<string, Bridge>;
  trunks: Map<string, Cable>;
  hosts: Map<string, Host>;
  clients: Map<string, Client>;
  daemons: Map<string, Daemon>;
  /** `alpha.eth0` → where its cable ends, whatever card is plugged in. */
  ports: Map<string, Port>;
  arbiter: Arbiter | null;
  /** The arbiter, if that is on disks. */
  sharedDisk: SharedDisk | null;
  serial: SerialWire | null;
  fences: Map<string, FenceDevice>;
  /** Node → what its start scripts make of a fresh kernel. */
  boots: Map<string, () => void>;
}

/** From power to the start of programs. */
export const BOOT_MS: Ms = 500;

/** Throws an Error that names a switch that is not there, or a route that the kernel refuses. */
export function buildNetwork(network: Network, scenario: Scenario, clusterOf: (node: string) => Cluster): void {
  const { topology } = scenario;
  for (const name of topology.switches) network.bridges.set(name, new Bridge(network.world, name));
  for (const name of topology.trunks) {
    const [left, right] = trunkEnds(name, topology.switches);
    network.trunks.set(name, trunk(network.world, switchOf(network, left), switchOf(network, right)));
  }
  for (const [n, name] of Object.keys(topology.nodes).entries()) raiseNode(network, scenario, clusterOf(name), name, n);
  for (const [name, plan] of Object.entries(topology.fences)) network.fences.set(name, new FenceDevice(network, plan));
  for (const [n, name] of Object.keys(topology.clients).entries()) raiseClient(network, scenario, name, n);
  if (topology.arbiter !== undefined) network.arbiter = new Arbiter(clientOf(network, topology.arbiter).host);
  if (Object.keys(topology.nodes).some((name) => hasDiskArbiter(clusterOf(name))))
    network.sharedDisk = new SharedDisk(network.world);
  layLine(network, clusterOf);
}

/** Names of switches may have dashes, too. */
function trunkEnds(name: string, switches: readonly string[]): [string, string] {
  const words = name.split('-');
  for (let i = 1; i < words.length; i++) {
    const ends: [string, string] = [words.slice(0, i).join('-'), words.slice(i).join('-')];
    if (ends.every((end) => switches.includes(end))) return ends;
  }
  return [words[0]!, words.slice(1).join('-')];
}

/** Between two nodes, if the file of both says so. */
function layLine(network: Network, clusterOf: (node: string) => Cluster): void {
  const hosts = [...network.hosts.values()];
  const [first, second] = hosts;
  const serials = hosts.map(({ name }) => clusterOf(name).nodes.find((node) => node.name === name)?.serial);
  if (hosts.length === 2 && serials[0] && serials[1])
    network.serial = new SerialWire(network.world, serials[0].baud, [first!, second!]);
}

export function hasDiskArbiter({ quorum }: Cluster): boolean {
  return typeof quorum === 'object' && quorum.arbiter?.kind === 'disk';
}

function raiseNode(network: Network, scenario: Scenario, cluster: Cluster, name: string, n: number): void {
  const { nodes, cards, lags } = scenario.topology;
  const host = new Host(network.world, name);
  host.gate.egress = scenario.topology.oldKernels?.includes(name) !== true;
  network.hosts.set(name, host);
  const own = lags[name] ?? {};
  const ports = Object.values(own).flatMap((lag) => lag.ports);
  for (const [i, [lag, made]] of Object.entries(own).entries()) {
    const ends = made.ports.map((nic) => [nic, portOf(network, host, nic, nodes[name]![nic]!)] as const);
    host.bond(lag, `02:ba:70:02:${hex(n + 1)}:${hex(i)}`, Object.fromEntries(ends));
  }
  for (const [i, [nic, to]] of Object.entries(nodes[name]!).entries()) {
    if (!ports.includes(nic)) plug(network, host, nic, to, `02:ba:70:00:${hex(n + 1)}:${hex(i)}`, cards === 'physical');
  }
  network.boots.set(name, () => dress(host, scenario, cluster));
  dress(host, scenario, cluster);
}

/** What the boot of a node puts into its kernel: the closed gate, addresses, routes, neighbours. */
function dress(host: Host, scenario: Scenario, cluster: Cluster): void {
  const { routes, neighbours, multicast, addressesAtBoot } = scenario.topology;
  const { name } = host;
  if (hasGate(cluster)) host.gate.raise(floatingTexts(cluster));
  if (addressesAtBoot) raiseAddresses(host, cluster);
  for (const line of routes[name] ?? []) {
    const code = host.routes.put(parseRoute(line), 'add');
    if (code) throw new Error(`${name}: the route "${line}" is refused: ${code}`);
  }
  for (const line of neighbours[name] ?? []) raiseNeighbour(host, line);
  if (multicast?.node === name) host.nics.get(multicast.nic)?.groups.programs.add(multicast.group);
}

function raiseClient(network: Network, scenario: Scenario, name: string, n: number): void {
  const { switch: to, addresses, stuck } = scenario.topology.clients[name]!;
  const client = new Client(network.world, name, stuck);
  network.clients.set(name, client);
  plug(network, client.host, CLIENT_NIC, to, `02:ba:70:01:${hex(n + 1)}:00`, false);
  for (const text of addresses) raiseAddress(client.host, CLIENT_NIC, text);
}

function plug(network: Network, host: Host, nic: string, to: string, mac: string, physical: boolean): void {
  host.plug(nic, mac, portOf(network, host, nic, to), physical);
}

function portOf(network: Network, host: Host, nic: string, to: string): Port {
  const port = switchOf(network, to).port();
  network.ports.set(`${host.name}.${nic}`, port);
  return port;
}

function clientOf(network: Network, name: string): Client {
  const client = network.clients.get(name);
  if (!client) throw new Error(`the topology has no client "${name}"`);
  return client;
}

function switchOf(network: Network, name: string): Bridge {
  const bridge = network.bridges.get(name);
  if (!bridge) throw new Error(`the topology has no switch "${name}"`);
  return bridge;
}

function hex(n: number): string {
  return n.toString(16).padStart(2, '0');
}

/** `10.77.0.1/24`, usable at once. */
function raiseAddress(host: Host, nic: string, text: string): void {
  const [local, length] = text.split('/') as [string, string];
  const family = local.includes(':') ? 6 : 4;
  const address = {
    family,
    local,
    prefixLength: Number(length),
    scope: 0,
    flags: family === 6 ? IFA_F.nodad : 0,
  } as const;
  addAddress(host, host.nics.get(nic)!, address);
}

function raiseAddresses(host: Host, cluster: Cluster): void {
  for (const net of cluster.nodes.find((node) => node.name === host.name)?.nets ?? [])
    for (const one of net.addresses)
      if (host.nics.has(net.primary)) raiseAddress(host, net.primary, `${one.address}/${one.prefixLength}`);
}

/** As for `ip neigh add`: `10.77.0.9 lladdr 02:00:00:00:00:09 dev eth0`. */
function raiseNeighbour(host: Host, line: string): void {
  const words = line.trim().split(/\s+/);
  const after = (word: string): string => {
    const value = words[words.indexOf(word) + 1];
    if (!words.includes(word) || value === undefined) throw new Error(`neighbour: "${line}" names no ${word}`);
    return value;
  };
  host.neighbours.set(after('dev'), words[0]!, after('lladdr'), NUD.permanent);
}
