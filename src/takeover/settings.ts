/**
 * Kernel settings of a NIC (sysctls) that a local switch stands on (DESIGN 5, 17). Names are files below /proc/sys/net
 * with `{nic}` for the NIC's name; `NicObservation.settings` is keyed by these names, placeholder and all.
 *
 * rp_filter: the kernel takes the greater of `all` and the NIC's own, so the own value 2 (loose) also undoes `all = 1`.
 */
import type { Step } from '../action.js';
import type { NicObservation } from '../input.js';

export interface Setting {
  name: string;
  value: string;
  /** On which NICs of the node it is set. */
  role: 'both' | 'standby';
}

export const SETTINGS: readonly Setting[] = [
  { name: 'ipv4/conf/{nic}/arp_ignore', value: '1', role: 'both' },
  { name: 'ipv4/conf/{nic}/arp_announce', value: '2', role: 'both' },
  { name: 'ipv4/conf/{nic}/rp_filter', value: '2', role: 'both' },
  { name: 'ipv6/conf/{nic}/keep_addr_on_down', value: '1', role: 'both' },
  { name: 'ipv6/conf/{nic}/accept_ra', value: '0', role: 'standby' },
  { name: 'ipv6/conf/{nic}/autoconf', value: '0', role: 'standby' },
];

/** Read, never written: readiness and announcements look at them. */
export const READ_SETTINGS: readonly string[] = [
  'ipv6/conf/{nic}/disable_ipv6',
  'ipv6/conf/{nic}/forwarding',
  'ipv4/conf/{nic}/promote_secondaries',
];

/** All that the observer reads of each NIC. A name whose file does not exist (kernel without IPv6) is left out of the observation. */
export const OBSERVED_SETTINGS: readonly string[] = [...SETTINGS.map((s) => s.name), ...READ_SETTINGS];

/** What was changed, and what it was before. `ifindex` tells a new card of the same name, whose settings are fresh. */
export interface SettingRecord {
  nic: string;
  ifindex: number;
  name: string;
  original: string;
  value: string;
}

/** Settings of this NIC that differ from what they should be. */
export function wantedSettings(seen: NicObservation, role: 'primary' | 'standby'): SettingRecord[] {
  return SETTINGS.filter((s) => s.role === 'both' || s.role === role).flatMap((s) => {
    const original = seen.settings[s.name];
    return original === undefined || original === s.value
      ? []
      : [{ nic: seen.nic, ifindex: seen.ifindex, name: s.name, original, value: s.value }];
  });
}

export function settingStep(record: SettingRecord, value: string): Step {
  return { do: 'set-sysctl', nic: record.nic, name: record.name.replace('{nic}', record.nic), value };
}
