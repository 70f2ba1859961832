/** Settings of NICs below /proc/sys/net. */
import { readFileSync, writeFileSync } from 'node:fs';
import { NetlinkError } from './netlink/message.js';

/** All that baton may ever write: settings of NICs, of addresses and of neighbours. */
const WRITABLE = /^(ipv4|ipv6)\/(conf|neigh)\/([^/]+)\/[a-z0-9_]+$/;

export function isWritable(name: string): boolean {
  const nic = WRITABLE.exec(name)?.[3];
  return nic !== undefined && nic !== '.' && nic !== '..';
}

/** Values of one NIC by the names given, in which `{nic}` stands for it. What does not exist (a kernel without IPv6) is left out. */
export function readSettings(nic: string, names: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const name of names) {
    try {
      settings[name] = readFileSync(`/proc/sys/net/${name.replace('{nic}', nic)}`, 'latin1').trim();
    } catch {
      continue;
    }
  }
  return settings;
}

/** NetlinkError EPERM for a name that is not baton's business, else the file's own error. */
export function writeSetting(name: string, value: string): void {
  if (!isWritable(name)) throw new NetlinkError('EPERM', `${name} is no setting of a NIC`);
  writeFileSync(`/proc/sys/net/${name}`, value);
}
