/** Blows at a node: its daemon, its power, its disk, its clock, its kernel's tables. */
import type { Fault } from '../../src/drill/scenario.js';
import { ipFamily } from '../../src/frame/ip.js';
import { addAddress, deleteAddress, IFA_F } from './addresses.js';
import type { Daemon } from './daemon.js';
import type { Host } from './host.js';
import { BOOT_MS, type Network } from './network.js';
import type { Nic } from './nic.js';

export type Heal = () => void;

export type DaemonFault = Extract<
  Fault,
  { fault: 'kill' | 'kill-at' | 'restart' | 'stop' | 'freeze' | 'freeze-for' | 'pause' | 'start' }
>;
export type HostFault = Extract<
  Fault,
  { fault: 'power-off' | 'drift' | `disk-${string}` | 'kernel-slow' | 'new-file' | 'flush-firewall' | 'remove-address' }
>;

const NO_SPACE = { code: 'ENOSPC', text: 'No space left on device' };
const READ_ONLY = { code: 'EROFS', text: 'Read-only file system' };

export function strikeDaemon(daemon: Daemon, fault: DaemonFault): Heal | null {
  switch (fault.fault) {
    case 'kill':
      daemon.kill();
      return () => daemon.startSoon();
    case 'kill-at':
      daemon.killAt(fault.step);
      return () => {
        if (daemon.runs) throw new Error(`${fault.node} lives: its hands made fewer than ${fault.step} changes`);
        daemon.startSoon();
      };
    case 'restart':
      daemon.stop('restart', () => daemon.startSoon());
      return null;
    case 'stop':
      daemon.stop('stop');
      return () => daemon.startSoon();
    case 'freeze':
      return daemon.freeze();
    case 'start':
      daemon.killAt(Infinity);
      if (!daemon.runs) daemon.startSoon();
      return null;
    case 'pause':
      daemon.pauseBefore(fault.before, fault.nth, fault.forMs);
      return null;
    case 'freeze-for':
      daemon.host.world.clock.after(fault.forMs, daemon.freeze());
      return null;
  }
}

export function strikeHost(network: Network, daemon: Daemon, fault: HostFault): Heal | null {
  const { host } = daemon;
  switch (fault.fault) {
    case 'power-off':
      return powerOff(network, daemon);
    case 'drift':
      host.clock.drift(fault.ppm);
      return () => host.clock.drift(0);
    case 'disk-full':
    case 'disk-read-only':
      daemon.disk.refusal = fault.fault === 'disk-full' ? NO_SPACE : READ_ONLY;
      return () => (daemon.disk.refusal = null);
    case 'disk-slow':
      daemon.disk.slowness = fault.times;
      return () => (daemon.disk.slowness = 1);
    case 'disk-torn':
      daemon.tearDisk();
      return null;
    case 'kernel-slow':
      host.slowMs = fault.byMs;
      return () => (host.slowMs = 0);
    case 'disk-lost':
      daemon.loseDisk();
      return null;
    case 'new-file':
      daemon.replaceFile();
      return null;
    case 'flush-firewall':
      host.gate.flush();
      return null;
    case 'remove-address':
      removeAddress(host, fault.address);
      return null;
  }
}

export function powerOff(network: Network, daemon: Daemon): Heal {
  const { host } = daemon;
  daemon.powerOff();
  host.powerOff();
  return () => {
    // A fence device may have done so before.
    if (host.powered) return;
    host.powerOn();
    network.boots.get(host.name)?.();
    const { boot } = host;
    host.world.clock.after(BOOT_MS, () => {
      if (host.boot === boot) daemon.startSoon();
    });
  };
}

function removeAddress(host: Host, address: string): void {
  const holders = [...host.nics.values()].flatMap((nic) =>
    nic.addresses.filter((held) => held.local === address).map((held) => ({ nic, held })),
  );
  if (holders.length === 0) throw new Error(`${host.name} does not hold ${address}`);
  for (const { nic, held } of holders) deleteAddress(host, nic, held);
}

/** `10.77.0.100/32`; it is usable at once. */
export function addByHand(host: Host, nic: Nic, text: string): Heal {
  const [local, length] = text.split('/') as [string, string | undefined];
  const family = ipFamily(local);
  const prefixLength = length === undefined ? (family === 4 ? 32 : 128) : Number(length);
  const flags = family === 6 ? IFA_F.nodad : 0;
  addAddress(host, nic, { family, local, prefixLength, scope: 0, flags });
  return () => {
    const held = nic.addresses.find((one) => one.local === local);
    if (held) deleteAddress(host, nic, held);
  };
}
