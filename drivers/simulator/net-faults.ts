/** Blows at what lies between nodes: who hears whom, what a switch saw comes again, a stranger, the arbiter. */
import { isDiskOnly, type ArbiterFault, type SerialFault } from '../../src/drill/scenario.js';
import { gratuitousReply, gratuitousRequest } from '../../src/frame/arp.js';
import { ipFamily } from '../../src/frame/ip.js';
import { unsolicitedAdvertisement } from '../../src/frame/ndp.js';
import type { Arbiter } from './arbiter.js';
import type { Client } from './client.js';
import type { Host } from './host.js';
import type { Network } from './network.js';
import { addByHand, type Heal } from './node-faults.js';
import type { SerialWire } from './serial-wire.js';
import type { SharedDisk } from './shared-disk.js';

/** In the place of a node's name it is the client on which the arbiter is. */
const ARBITER = 'arbiter';

export function hostNamed(network: Network, name: string): Host {
  const host = name === ARBITER ? network.arbiter?.host : network.hosts.get(name);
  if (!host) throw new Error(`the topology has no node "${name}"`);
  return host;
}

/** No frame from one reaches the other. Blows add up: each must be healed. */
export function block(network: Network, from: string, to: string): Heal {
  if (network.sharedDisk !== null && (from === ARBITER || to === ARBITER))
    return network.sharedDisk.cutOff(from === ARBITER ? to : from);
  const deaf = hostNamed(network, to);
  const macs = [...hostNamed(network, from).nics.values()].map((nic) => nic.mac);
  for (const mac of macs) deaf.deafTo.set(mac, (deaf.deafTo.get(mac) ?? 0) + 1);
  network.world.changed();
  return () => {
    for (const mac of macs) {
      const left = (deaf.deafTo.get(mac) ?? 0) - 1;
      if (left > 0) deaf.deafTo.set(mac, left);
      else deaf.deafTo.delete(mac);
    }
    network.world.changed();
  };
}

export function split(network: Network, groups: readonly (readonly string[])[]): Heal {
  const heals: Heal[] = [];
  for (const [n, group] of groups.entries())
    for (const [m, other] of groups.entries())
      if (n !== m) for (const from of group) for (const to of other) heals.push(block(network, from, to));
  return () => {
    for (const heal of heals) heal();
  };
}

export function claim(client: Client, address: string): Heal {
  const { nic, host } = client;
  const heal = addByHand(host, nic, address);
  if (ipFamily(address) === 4) {
    nic.transmitBytes(gratuitousRequest(nic.mac, address));
    nic.transmitBytes(gratuitousReply(nic.mac, address));
  } else nic.transmitBytes(unsolicitedAdvertisement(nic.mac, address, false));
  return heal;
}

export function strikeArbiter(arbiter: Arbiter | null, fault: ArbiterFault): Heal | null {
  if (!arbiter) throw new Error('the topology has no arbiter');
  if ('member' in fault) throw new Error('the arbiter of this lab has no members');
  if (isDiskOnly(fault)) throw new Error(`${fault.fault} is for disks: the arbiter is an etcd`);
  switch (fault.fault) {
    case 'arbiter-off':
      arbiter.stop();
      return () => arbiter.start();
    case 'arbiter-freeze':
      arbiter.freeze();
      return () => arbiter.thaw();
    case 'arbiter-slow':
      arbiter.slowMs = fault.byMs;
      return () => (arbiter.slowMs = 0);
    case 'arbiter-forget':
      arbiter.forget();
      return null;
    case 'arbiter-backup':
      arbiter.backUp();
      return null;
    case 'arbiter-restore':
      arbiter.restore();
      return null;
  }
}

export function strikeDisk(disk: SharedDisk, fault: ArbiterFault): Heal | null {
  const become = (state: SharedDisk['state']): Heal => {
    disk.state = state;
    return () => (disk.state = 'well');
  };
  switch (fault.fault) {
    case 'arbiter-off':
      return become('dead');
    case 'arbiter-read-only':
      return become('read-only');
    case 'arbiter-full':
      return become('full');
    case 'arbiter-foreign':
      return become('foreign');
    case 'arbiter-freeze':
      disk.freeze();
      return () => disk.thaw();
    case 'arbiter-slow':
      disk.slowMs = fault.byMs;
      return () => (disk.slowMs = 0);
    case 'arbiter-stale':
      disk.stick();
      return () => disk.unstick();
    case 'arbiter-torn':
      disk.tear(fault.node);
      return null;
    case 'arbiter-backup':
    case 'arbiter-restore':
      throw new Error(`${fault.fault} is for an etcd: the arbiter is on disks`);
    case 'arbiter-forget':
      disk.forget();
      return null;
  }
}

export function strikeLine(line: SerialWire | null, fault: SerialFault): Heal {
  if (line === null) throw new Error('the cluster has no serial line');
  switch (fault.fault) {
    case 'serial-cut':
      line.isCut = true;
      return () => (line.isCut = false);
    case 'serial-unplug':
      return line.unplug(fault.node);
    case 'serial-noise':
      line.noise = fault.percent / 100;
      return () => (line.noise = 0);
  }
}
