/** Blows at a node's own NICs and tables, as another program or a hand at the card deals them. Each gives back what heals it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, NicRef } from '../../src/drill/scenario.js';
import { Prober, compileProber } from './prober.js';
import { attempt, ip } from './shell.js';
import { putCardIn } from './topology.js';
import { truthOf } from './truth.js';
import { CLIENT_NIC, cableAt } from './wiring.js';
import type { Undo, Wire } from './wire-faults.js';

export type HostFault = Extract<
  Fault,
  { fault: 'admin-down' | 'delete' | 'rename' | 'remove-address' | 'manager' | 'rtnl-busy' | 'claim' | 'add-address' }
>;

/** What holds addresses and routes of one NIC, as lines for `ip`. */
interface Configuration {
  addresses: string[];
  routes: string[];
}

async function configurationOf(namespace: string, nic: string): Promise<Configuration> {
  const truth = await truthOf(namespace);
  return {
    addresses: truth.addresses[nic] ?? [],
    routes: truth.routes.filter((route) => ` ${route} `.includes(` dev ${nic} `)),
  };
}

/** Some lines may fail: another program was quicker, or the NIC is gone. */
async function ipAnyway(namespace: string, lines: readonly string[]): Promise<void> {
  await attempt('ip', ['-n', namespace, '-force', '-batch', '-'], lines.join('\n') + '\n');
}

/** Minds a NIC as systemd-networkd does: strips it when it loses its carrier, configures it anew when the carrier is back. */
async function mind(wire: Wire, at: NicRef): Promise<Undo> {
  const namespace = wire.namespaceOf(at.node);
  const { addresses, routes } = await configurationOf(namespace, at.nic);
  const monitor = spawn('ip', ['-n', namespace, '-o', 'monitor', 'link', 'dev', at.nic], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => monitor.on('close', () => resolve()).on('error', () => resolve()));
  let carried = true;
  let work = Promise.resolve();
  createInterface({ input: monitor.stdout }).on('line', (line) => {
    const carries = line.includes('LOWER_UP');
    if (carries === carried || line.startsWith('Deleted')) return;
    carried = carries;
    const lines = carries
      ? [
          ...addresses.map((a) => `address replace ${a} dev ${at.nic}${a.includes(':') ? ' nodad' : ''}`),
          ...routes.map((route) => `route replace ${route}`),
        ]
      : [
          ...routes.map((route) => `route delete ${route}`),
          ...addresses.map((a) => `address delete ${a} dev ${at.nic}`),
        ];
    work = work.then(() => ipAnyway(namespace, lines));
  });
  const stop = async (): Promise<void> => {
    wire.signal.removeEventListener('abort', kill);
    monitor.kill();
    await ended;
    await work;
  };
  const kill = (): void => void monitor.kill();
  wire.signal.addEventListener('abort', kill);
  await untilListening(monitor);
  return stop;
}

const LISTENS_WITHIN_MS = 10_000;

/** Resolves when `ip monitor` has joined a group of rtnetlink: it says nothing itself, and what happened before it never hears. */
async function untilListening(monitor: ChildProcess): Promise<void> {
  const deadline = performance.now() + LISTENS_WITHIN_MS;
  while (!isListening(monitor.pid ?? 0)) {
    if (monitor.exitCode !== null) throw new Error(`ip monitor ended with ${monitor.exitCode}`);
    if (performance.now() > deadline) throw new Error(`ip monitor did not listen within ${LISTENS_WITHIN_MS / 1000} s`);
    await sleep(5);
  }
}

function isListening(pid: number): boolean {
  try {
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    const [, ...lines] = readFileSync(`/proc/${pid}/net/netlink`, 'utf8').trim().split('\n');
    return lines.some((line) => {
      const fields = line.trim().split(/\s+/);
      const [family, groups, inode] = [fields[1], fields[3], fields.at(-1)];
      return family === '0' && Number(`0x${groups}`) !== 0 && open.includes(`socket:[${inode}]`);
    });
  } catch {
    // It is only just beginning, or has ended.
    return false;
  }
}

/** The namespaces are ready before the first is deleted: the kernel then holds rtnl for some hundred milliseconds for each. */
async function keepRtnlBusy(wire: Wire): Promise<void> {
  const scratch = ['busy0', 'busy1', 'busy2'].map(wire.namespaceOf);
  for (const namespace of scratch) {
    await ip(undefined, [`netns add ${namespace}`]);
    await ip(
      namespace,
      Array.from({ length: 150 }, (_, i) => `link add name a${i} type veth peer name b${i}`),
    );
  }
  void (async () => {
    for (const namespace of scratch) await attempt('ip', ['netns', 'del', namespace]);
  })();
}

async function removeAddress(wire: Wire, node: string, address: string): Promise<void> {
  const namespace = wire.namespaceOf(node);
  const { addresses } = await truthOf(namespace);
  const found = Object.entries(addresses).flatMap(([nic, held]) =>
    held.filter((a) => a.split('/')[0] === address).map((a) => `address delete ${a} dev ${nic}`),
  );
  if (found.length === 0) throw new Error(`${node} does not hold ${address}`);
  await ip(namespace, found);
}

function withPrefix(address: string): string {
  return address.includes('/') ? address : `${address}/${address.includes(':') ? 128 : 32}`;
}

async function addAddress(namespace: string, nic: string, address: string): Promise<Undo> {
  const prefix = withPrefix(address);
  await ip(namespace, [`address add ${prefix} dev ${nic}${prefix.includes(':') ? ' nodad' : ''}`]);
  return async () => {
    // Whoever owns it may have taken it off by now.
    await attempt('ip', ['-n', namespace, 'address', 'delete', prefix, 'dev', nic]);
  };
}

async function claimAddress(wire: Wire, client: string, address: string): Promise<Undo> {
  const namespace = wire.namespaceOf(client);
  const takeOff = await addAddress(namespace, CLIENT_NIC, address);
  const words = ['claim', address.split('/')[0]!, CLIENT_NIC];
  const claimer = await Prober.start(await compileProber(), namespace, client, words);
  const stop = (): void => void claimer.stop();
  wire.signal.addEventListener('abort', stop);
  return async () => {
    wire.signal.removeEventListener('abort', stop);
    await claimer.stop();
    await takeOff();
  };
}

/** Resolves when the blow is dealt; null: there is nothing to heal. */
export async function strikeHost(wire: Wire, fault: HostFault): Promise<Undo | null> {
  switch (fault.fault) {
    case 'admin-down': {
      const { node, nic } = fault.at;
      await ip(wire.namespaceOf(node), [`link set ${nic} down`]);
      return () => ip(wire.namespaceOf(node), [`link set ${nic} up`]);
    }
    case 'delete': {
      const cable = cableAt(wire.wiring, fault.at);
      await ip(wire.namespaceOf(fault.at.node), [`link delete ${fault.at.nic}`]);
      return () => putCardIn(cable, wire.namespaceOf);
    }
    case 'rename': {
      const { node, nic } = fault.at;
      await ip(wire.namespaceOf(node), [`link set ${nic} name ${fault.to}`]);
      return () => ip(wire.namespaceOf(node), [`link set ${fault.to} name ${nic}`]);
    }
    case 'remove-address':
      await removeAddress(wire, fault.node, fault.address);
      return null;
    case 'manager':
      return mind(wire, fault.at);
    case 'claim':
      return claimAddress(wire, fault.client, fault.address);
    case 'add-address':
      return addAddress(wire.namespaceOf(fault.at.node), fault.at.nic, fault.address);
    case 'rtnl-busy':
      await keepRtnlBusy(wire);
      return null;
  }
}
