/**
 * Names of the macvlans that carry floating addresses with a MAC of their own: one for each MAC on each NIC, the same
 * after every start, so that what a killed daemon left is known again. `baton-` and a hash: within the 15 characters of IFNAMSIZ.
 */

/** What all their names begin with. */
export const MACVLAN_PREFIX = 'baton-';
const NAME = /^baton-[0-9a-f]{8}$/;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** `mac` in lower case. */
export function macvlanName(nic: string, mac: string): string {
  let hash = FNV_OFFSET;
  for (const char of `${mac} ${nic}`) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), FNV_PRIME);
  return `${MACVLAN_PREFIX}${(hash >>> 0).toString(16).padStart(8, '0')}`;
}

export function isMacvlanName(nic: string): boolean {
  return NAME.test(nic);
}

/** IFLA_IFALIAS: for whoever finds it with `ip link`, and the mark without which baton removes no device. */
export const MACVLAN_MARK = 'baton ';

export function macvlanAlias(nic: string, mac: string): string {
  return `${MACVLAN_MARK}${mac} on ${nic}`;
}
