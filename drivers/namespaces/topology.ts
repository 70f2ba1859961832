/** Builds what `wiring.ts` plans: namespaces, bridges, veth pairs, addresses, routes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../../src/drill/scenario.js';
import { raiseLags } from './lag.js';
import { ip, ipAsk, nft, setSysctls } from './shell.js';
import { CLIENT_NIC, type Cable, type Port, type Wiring } from './wiring.js';

export const BRIDGE = 'sw';

export type NamespaceOf = (name: string) => string;

/** A line for `ip` that lays this cable; both ends are down afterwards. */
function layCable(cable: Cable, namespaceOf: NamespaceOf): string {
  const nic = `name ${cable.nic} netns ${namespaceOf(cable.owner)} index ${cable.ifindex} address ${cable.mac}`;
  return `link add ${nic} type veth peer ${portEnd(cable.port, namespaceOf)}`;
}

function portEnd(port: Port, namespaceOf: NamespaceOf): string {
  return `name ${port.name} netns ${namespaceOf(port.switch)} index ${port.ifindex}`;
}

function plugIn(port: string): string {
  return `link set ${port} master ${BRIDGE} up`;
}

/** A new card in place of one that was taken out: same name, MAC and port, and up. */
export async function putCardIn(cable: Cable, namespaceOf: NamespaceOf): Promise<void> {
  await ip(undefined, [layCable(cable, namespaceOf)]);
  await ip(namespaceOf(cable.port.switch), [plugIn(cable.port.name)]);
  await ip(namespaceOf(cable.owner), [`link set ${cable.nic} up`]);
}

/** Addresses of the cluster file, by node and NIC, as `10.77.0.1/24`. What a file that is to be refused looks like does not matter here. */
export function bootAddresses(scenario: Scenario): { node: string; nic: string; address: string }[] {
  const nodes = (scenario.cluster['nodes'] ?? {}) as Record<
    string,
    Record<string, { primary: string; address?: string | string[] }>
  >;
  return Object.entries(nodes).flatMap(([node, nets]) =>
    Object.values(nets).flatMap((net) =>
      [net.address ?? []].flat().map((address) => ({ node, nic: net.primary, address })),
    ),
  );
}

function addAddress(address: string, nic: string): string {
  return `address add ${address} dev ${nic}${address.includes(':') ? ' nodad' : ''}`;
}

async function raiseSwitch(name: string, wiring: Wiring, namespaceOf: NamespaceOf): Promise<void> {
  const namespace = namespaceOf(name);
  const ports = [...wiring.cables.map((c) => c.port), ...wiring.trunks.flatMap((t) => t.ends)].filter(
    (p) => p.switch === name,
  );
  const aliases = wiring.cables
    .filter((c) => c.port.switch === name)
    .map((c) => `link set ${c.port.name} alias ${c.owner}.${c.nic}`);
  await ip(namespace, [
    `link add name ${BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${BRIDGE} up`,
    ...ports.map((port) => plugIn(port.name)),
    ...aliases,
  ]);
}

/** Its NICs up, with the addresses, routes and firewall that a boot gives them. */
export async function raiseNode(node: string, scenario: Scenario, namespaceOf: NamespaceOf): Promise<void> {
  const { nodes, lags, routes, neighbours, firewall, addressesAtBoot } = scenario.topology;
  const namespace = namespaceOf(node);
  const bonds = lags[node] ?? {};
  await raiseLags(namespace, bonds);
  const addresses = addressesAtBoot ? bootAddresses(scenario).filter((a) => a.node === node) : [];
  await ip(namespace, [
    'link set lo up',
    ...[...Object.keys(nodes[node]!), ...Object.keys(bonds)].map((nic) => `link set ${nic} up`),
    ...addresses.map((a) => addAddress(a.address, a.nic)),
    ...(routes[node] ?? []).map((line) => `route add ${line}`),
    ...(neighbours[node] ?? []).map((line) => `neighbour add ${line} nud permanent`),
  ]);
  if (firewall[node] !== undefined) await nft(namespace, firewall[node]);
}

/** A neighbour entry that was confirmed once stays valid for days: only an announcement changes it. */
const STUCK_MS = 1_000_000_000;

async function raiseClient(client: string, scenario: Scenario, namespaceOf: NamespaceOf): Promise<void> {
  const namespace = namespaceOf(client);
  const { addresses, stuck } = scenario.topology.clients[client]!;
  if (stuck)
    await setSysctls(namespace, {
      [`net/ipv4/neigh/${CLIENT_NIC}/base_reachable_time_ms`]: STUCK_MS,
      [`net/ipv6/neigh/${CLIENT_NIC}/base_reachable_time_ms`]: STUCK_MS,
    });
  await ip(namespace, [
    'link set lo up',
    `link set ${CLIENT_NIC} up`,
    ...addresses.map((address) => addAddress(address, CLIENT_NIC)),
  ]);
}

/** Builds all of it, daemons and probers aside. What was built before an error stays for the lab's destroy. */
export async function raiseTopology(scenario: Scenario, wiring: Wiring, namespaceOf: NamespaceOf): Promise<void> {
  const { switches, nodes, clients, watchers, cables, trunks } = wiring;
  await ip(
    undefined,
    [...switches, ...nodes, ...clients, ...watchers].map((name) => `netns add ${namespaceOf(name)}`),
  );
  // A switch has no address and says nothing by itself; a client need not wait for its link-local address.
  for (const name of switches) await setSysctls(namespaceOf(name), { 'net/ipv6/conf/default/disable_ipv6': 1 });
  for (const name of clients) await setSysctls(namespaceOf(name), { 'net/ipv6/conf/default/accept_dad': 0 });
  await ip(undefined, [
    ...cables.map((cable) => layCable(cable, namespaceOf)),
    ...trunks.map(
      ({ ends: [a, b] }) => `link add ${portEnd(a, namespaceOf)} type veth peer ${portEnd(b, namespaceOf)}`,
    ),
  ]);
  for (const name of switches) await raiseSwitch(name, wiring, namespaceOf);
  for (const name of clients) await raiseClient(name, scenario, namespaceOf);
  for (const name of watchers) await ip(namespaceOf(name), ['link set lo up', `link set ${CLIENT_NIC} up`]);
  for (const name of nodes) await raiseNode(name, scenario, namespaceOf);
  await Promise.all([...switches, ...nodes, ...clients, ...watchers].map((name) => untilUp(namespaceOf(name))));
}

const UP_WITHIN_MS = 5000;

/** A port forwards only after its carrier event, which the kernel may have held back. */
export async function untilUp(namespace: string): Promise<void> {
  const deadline = performance.now() + UP_WITHIN_MS;
  for (;;) {
    const links = await ipAsk<{ ifname: string; operstate: string }>(namespace, ['link', 'show', 'type', 'veth']);
    const waiting = links.filter((link) => link.operstate !== 'UP').map((link) => link.ifname);
    if (waiting.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${namespace}: no carrier at ${waiting.join(', ')}`);
    await sleep(20);
  }
}
