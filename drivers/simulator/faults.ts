/** Every fault of the scenario language as a blow at the simulated world. Each returns what heals it; null: it ends by itself. */
import type { Fault, NicRef } from '../../src/drill/scenario.js';
import type { Ms } from '../../src/input.js';
import { setDown, setUp } from './addresses.js';
import { strikeFence } from './fence-device.js';
import type { Cable } from './cable.js';
import type { Bridge } from './bridge.js';
import type { Host } from './host.js';
import type { Nic } from './nic.js';
import type { Network } from './network.js';
import { block, claim, split, strikeArbiter, strikeDisk, strikeLine } from './net-faults.js';
import { addByHand, strikeDaemon, strikeHost, type Heal } from './node-faults.js';
import { Rival } from './rival.js';

/** Ends of a cable between a NIC and a port: the NIC is the first. */
const AT_NIC = 0;
const AT_PORT = 1;

function named<T>(map: Map<string, T>, name: string, what: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`the topology has no ${what} "${name}"`);
  return found;
}

function cableAt(network: Network, at: NicRef): Cable {
  return named(network.ports, `${at.node}.${at.nic}`, 'NIC').cable!;
}

function nicAt(network: Network, at: NicRef): { host: Host; nic: Nic } {
  const host = named(network.hosts, at.node, 'node');
  return { host, nic: named(host.nics, at.nic, `NIC of ${at.node}`) };
}

export function inflict(network: Network, fault: Fault): Heal | null {
  switch (fault.fault) {
    case 'cut':
      return cut(cableAt(network, fault.at));
    case 'drop':
      return drop(cableAt(network, fault.at), fault.direction);
    case 'bind-port': {
      const cable = cableAt(network, fault.at);
      cable.bound = nicAt(network, fault.at).nic.mac;
      return () => (cable.bound = null);
    }
    case 'drop-trunk':
      return dropBetween(network, fault.trunk);
    case 'clog':
      return cableAt(network, fault.at).clog();
    case 'clog-trunk':
      return named(network.trunks, fault.trunk, 'trunk').clog();
    case 'delay':
      return delay(fault.at ? [cableAt(network, fault.at)] : allCables(network), fault.byMs);
    case 'loss':
      return lose(fault.at ? [cableAt(network, fault.at)] : allCables(network), fault.percent);
    case 'trunk':
      return cut(named(network.trunks, fault.trunk, 'trunk'));
    case 'switch-off':
    case 'switch-mute':
      return strikeSwitch(named(network.bridges, fault.switch, 'switch'), fault.fault);
    case 'flap':
      flap(network, cableAt(network, fault.at), fault);
      return null;
    case 'client-off':
      return drop(named(network.clients, fault.client, 'client').nic.cable!, 'both');
    case 'admin-down':
    case 'delete':
    case 'rename':
    case 'manager':
      return strikeNic(network, fault);
    case 'kill':
    case 'kill-at':
    case 'restart':
    case 'stop':
    case 'freeze':
    case 'freeze-for':
    case 'pause':
    case 'start':
      return strikeDaemon(named(network.daemons, fault.node, 'node'), fault);
    case 'power-off':
    case 'drift':
    case 'disk-full':
    case 'disk-read-only':
    case 'disk-lost':
    case 'disk-torn':
    case 'disk-slow':
    case 'kernel-slow':
    case 'new-file':
    case 'flush-firewall':
    case 'remove-address':
      return strikeHost(network, named(network.daemons, fault.node, 'node'), fault);
    case 'copy-key': {
      const to = named(network.daemons, fault.to, 'node');
      to.writeKeys(named(network.daemons, fault.from, 'node').keys.keys);
      return null;
    }
    case 'add-address': {
      const { host, nic } = nicAt(network, fault.at);
      return addByHand(host, nic, fault.address);
    }
    case 'corrupt':
    case 'duplicate':
    case 'reorder':
      return disturb(fault.at ? [cableAt(network, fault.at)] : allCables(network), fault.fault, fault.percent);
    case 'replay':
      named(network.bridges, fault.switch, 'switch').replay();
      return null;
    case 'block':
      return block(network, fault.from, fault.to);
    case 'split':
      return split(network, fault.groups);
    case 'fence-hang':
    case 'fence-fail':
    case 'fence-lie':
    case 'fence-slow':
      return strikeFence(network, fault);
    case 'serial-cut':
    case 'serial-unplug':
    case 'serial-noise':
      return strikeLine(network.serial, fault);
    case 'claim':
      return claim(named(network.clients, fault.client, 'client'), fault.address);
    case 'arbiter-off':
    case 'arbiter-freeze':
    case 'arbiter-forget':
    case 'arbiter-backup':
    case 'arbiter-restore':
    case 'arbiter-slow':
    case 'arbiter-torn':
    case 'arbiter-stale':
    case 'arbiter-read-only':
    case 'arbiter-full':
    case 'arbiter-foreign':
      return network.sharedDisk === null
        ? strikeArbiter(network.arbiter, fault)
        : strikeDisk(network.sharedDisk, fault);
    case 'certificate-over':
      throw new Error(`${fault.fault} is for the kernel lab only: the simulator's arbiter has no certificates`);
    case 'rtnl-busy':
    case 'cpu-busy':
    case 'firewall-busy':
      throw new Error(
        `${fault.fault} is for the kernel lab only: the simulator has no processor and no lock to keep busy`,
      );
  }
}

function cut(cable: Cable): Heal {
  cable.cut = true;
  return () => (cable.cut = false);
}

function drop(cable: Cable, direction: 'in' | 'out' | 'both'): Heal {
  const ends = ([AT_NIC, AT_PORT] as const).filter(
    (end) => direction === 'both' || (end === AT_NIC) === (direction === 'in'),
  );
  for (const end of ends) cable.drop(end, true);
  return () => {
    for (const end of ends) cable.drop(end, false);
  };
}

/** `left-right`: from left to right. */
function dropBetween(network: Network, trunk: string): Heal {
  const [from, to] = trunk.split('-') as [string, string];
  const straight = network.trunks.get(trunk);
  const cable = straight ?? named(network.trunks, `${to}-${from}`, 'trunk');
  const towards = straight ? 1 : 0;
  cable.drop(towards, true);
  return () => cable.drop(towards, false);
}

function delay(cables: Cable[], byMs: Ms): Heal {
  for (const cable of cables) cable.delayMs = byMs;
  return () => {
    for (const cable of cables) cable.delayMs = 0;
  };
}

function lose(cables: Cable[], percent: number): Heal {
  for (const cable of cables) cable.lose(percent);
  return () => {
    for (const cable of cables) cable.lose(0);
  };
}

function disturb(cables: Cable[], how: 'corrupt' | 'duplicate' | 'reorder', percent: number): Heal {
  for (const cable of cables) cable[how](percent);
  return () => {
    for (const cable of cables) cable[how](0);
  };
}

function allCables(network: Network): Cable[] {
  const ports = [...network.bridges.values()].flatMap((bridge) => bridge.ports);
  return [...new Set(ports.flatMap((port) => port.cable ?? []))];
}

function strikeSwitch(bridge: Bridge, how: 'switch-off' | 'switch-mute'): Heal {
  if (how === 'switch-off') {
    bridge.powered = false;
    return () => (bridge.powered = true);
  }
  bridge.mute = true;
  return () => (bridge.mute = false);
}

function flap(network: Network, cable: Cable, fault: Extract<Fault, { fault: 'flap' }>): void {
  const { clock } = network.world;
  for (let i = 0; i < fault.times; i++) {
    const at = i * (fault.downMs + fault.upMs);
    clock.after(at, () => (cable.cut = true));
    clock.after(at + fault.downMs, () => (cable.cut = false));
  }
}

function strikeNic(
  network: Network,
  fault: Extract<Fault, { fault: 'admin-down' | 'delete' | 'rename' | 'manager' }>,
): Heal {
  const { host, nic } = nicAt(network, fault.at);
  switch (fault.fault) {
    case 'admin-down':
      setDown(host, nic);
      return () => setUp(host, nic);
    case 'delete': {
      const { name, mac, physical } = nic;
      const port = named(network.ports, `${fault.at.node}.${fault.at.nic}`, 'NIC');
      host.unplug(name);
      return () => void host.plug(name, mac, port, physical);
    }
    case 'rename':
      host.rename(nic.name, fault.to);
      return () => host.rename(fault.to, fault.at.nic);
    case 'manager': {
      const rival = new Rival(host, nic);
      return () => rival.leave();
    }
  }
}
