/** What a simulated kernel does when an address comes or goes, or a NIC is set up or down (net/ipv4/devinet.c, net/ipv6/addrconf.c). */
import { samePrefix } from '../../src/frame/ip.js';
import type { Address, Ms } from '../../src/input.js';
import type { Host } from './host.js';
import type { Nic } from './nic.js';
import { isLinkLocal, linkLocalOf } from './prefix.js';
import type { Errno } from './routes.js';

/** IFA_F_* of linux/if_addr.h. */
export const IFA_F = { secondary: 0x01, nodad: 0x02, tentative: 0x40, permanent: 0x80, noprefixroute: 0x200 } as const;
const SCOPE_LINK = 253;
/** IFAPROT_KERNEL_LL. */
const PROTOCOL_KERNEL_LL = 3;
/** Duplicate address detection (RFC 4862 section 5.4): a random wait of up to a second, and one more. */
const DAD_MS = { from: 1000, to: 2000 };

export function addAddress(host: Host, nic: Nic, address: Address): Errno | null {
  return address.family === 4 ? addV4(host, nic, address) : addV6(host, nic, address);
}

/** The kernel looks at lifetimes when it suits it. */
const EXPIRY_LATE_MS = { from: 0, to: 1000 };
/** Sums of fractions do not come out even. */
const ROUNDING_S = 1e-6;
const expiries = new WeakMap<Address, Ms>();

/** Seconds that are left of a lifetime, as the kernel shows it. */
export function validLeftS(host: Host, held: Address): number | undefined {
  const end = expiries.get(held);
  return end === undefined ? undefined : Math.max(0, Math.ceil((end - host.clock.now) / 1000 - ROUNDING_S));
}

/** The address goes when its lifetime is over. */
function expire(host: Host, nic: Nic, held: Address): void {
  if (held.validS === undefined) return;
  const end = host.clock.now + held.validS * 1000;
  expiries.set(held, end);
  host.world.clock.at(host.clock.worldAt(end) + host.random.between(EXPIRY_LATE_MS.from, EXPIRY_LATE_MS.to), () => {
    if (nic.addresses.includes(held)) deleteAddress(host, nic, held);
  });
}

/** RTM_NEWADDR with REPLACE of one that is there: user's flags, protocol and lifetimes become the new ones, detection does not begin. */
export function renewAddress(host: Host, nic: Nic, address: Address): Errno | null {
  const at = nic.addresses.findIndex((one) => one.local === address.local && one.prefixLength === address.prefixLength);
  const held = nic.addresses[at];
  if (!held) return addAddress(host, nic, address);
  const kept = held.flags & (IFA_F.secondary | IFA_F.tentative);
  nic.addresses[at] = {
    ...address,
    flags: address.flags | kept | (address.validS === undefined ? IFA_F.permanent : 0),
  };
  expire(host, nic, nic.addresses[at]);
  host.touched(nic.name);
  return null;
}

export function deleteAddress(host: Host, nic: Nic, address: Address): Errno | null {
  const held = nic.addresses.find((one) => one.local === address.local && one.prefixLength === address.prefixLength);
  if (!held) return 'EADDRNOTAVAIL';
  if (held.family === 4) deleteV4(host, nic, held);
  else deleteV6(host, nic, held);
  return null;
}

/** Sets the NIC down: routes go, IPv6 addresses go too unless `keep_addr_on_down`; IPv4 addresses stay. */
export function setDown(host: Host, nic: Nic): void {
  nic.admin = false;
  host.routes.flush(nic.name, 4);
  host.routes.flush(nic.name, 6);
  host.neighbours.flush(nic.name, false);
  const keeps = host.effective('ipv6/conf', nic.name, 'keep_addr_on_down') > 0;
  for (const held of nic.addresses.filter((one) => one.family === 6)) {
    const kept = keeps && (held.flags & IFA_F.permanent) !== 0 && !isLinkLocal(held.local);
    if (!kept) nic.addresses.splice(nic.addresses.indexOf(held), 1);
    else if ((held.flags & IFA_F.nodad) === 0) held.flags |= IFA_F.tentative;
  }
  host.touched(nic.name);
}

/** Sets the NIC up: the kernel's own routes come back, no others; IPv6 gets its link-local address. */
export function setUp(host: Host, nic: Nic): void {
  nic.admin = true;
  for (const held of nic.addresses) {
    addPrefixRoute(host, nic, held);
    if (held.family === 6 && (held.flags & IFA_F.tentative) !== 0) detectDuplicates(host, nic, held);
  }
  const makesLinkLocal = host.sysctl('ipv6/conf', nic.name, 'addr_gen_mode') !== '1';
  if (makesLinkLocal && host.sysctl('ipv6/conf', nic.name, 'disable_ipv6') !== '1') {
    const local = linkLocalOf(nic.mac);
    addV6(host, nic, { family: 6, local, prefixLength: 64, scope: SCOPE_LINK, flags: 0, protocol: PROTOCOL_KERNEL_LL });
  }
  host.touched(nic.name);
}

function addV4(host: Host, nic: Nic, address: Address): Errno | null {
  const inSubnet = nic.addresses.filter((one) => sameSubnet(one, address));
  if (inSubnet.some((one) => one.local === address.local)) return 'EEXIST';
  if (inSubnet.some((one) => one.scope !== address.scope)) return 'EINVAL';
  const secondary = inSubnet.length > 0 ? IFA_F.secondary : 0;
  const flags = (address.flags & ~IFA_F.secondary) | secondary | (address.validS === undefined ? IFA_F.permanent : 0);
  const held = { ...address, flags, label: address.label ?? nic.name };
  nic.addresses.push(held);
  expire(host, nic, held);
  addPrefixRoute(host, nic, held);
  host.touched(nic.name);
  return null;
}

function deleteV4(host: Host, nic: Nic, held: Address): void {
  const primary = (held.flags & IFA_F.secondary) === 0;
  const secondaries = primary ? nic.addresses.filter((one) => one !== held && sameSubnet(one, held)) : [];
  const promotes = host.effective('ipv4/conf', nic.name, 'promote_secondaries') > 0;
  if (!promotes) for (const one of secondaries) drop(host, nic, one);
  drop(host, nic, held);
  if (primary) {
    host.routes.delete(host.routes.prefixRoute(nic, 4, held.local, held.prefixLength, held.metric));
    const [heir] = promotes ? secondaries : [];
    if (heir) {
      heir.flags &= ~IFA_F.secondary;
      addPrefixRoute(host, nic, heir);
    }
  }
  if (!nic.addresses.some((one) => one.family === 4)) host.routes.flush(nic.name, 4);
  host.touched(nic.name);
}

/** Takes it off; once no NIC has it, IPv4 routes that name it as their source go as well. */
function drop(host: Host, nic: Nic, held: Address): void {
  nic.addresses.splice(nic.addresses.indexOf(held), 1);
  if (!host.owns(held.local))
    host.routes.removeWhere((route) => route.family === 4 && route.preferredSource === held.local);
}

function addV6(host: Host, nic: Nic, address: Address): Errno | null {
  if (host.sysctl('ipv6/conf', nic.name, 'disable_ipv6') === '1') return 'EACCES';
  if (nic.addresses.some((one) => one.local === address.local)) return 'EEXIST';
  const checked = (address.flags & IFA_F.nodad) === 0 && host.effective('ipv6/conf', nic.name, 'accept_dad') > 0;
  const flags = (address.flags & ~IFA_F.tentative) | (address.validS === undefined ? IFA_F.permanent : 0);
  const held = { ...address, flags: flags | (checked ? IFA_F.tentative : 0) };
  nic.addresses.push(held);
  expire(host, nic, held);
  addPrefixRoute(host, nic, held);
  if (checked) detectDuplicates(host, nic, held);
  host.touched(nic.name);
  return null;
}

function deleteV6(host: Host, nic: Nic, held: Address): void {
  nic.addresses.splice(nic.addresses.indexOf(held), 1);
  const route = host.routes.prefixRoute(nic, 6, held.local, held.prefixLength, held.metric);
  const shared = nic.addresses.some((one) => one.family === 6 && sameSubnet(one, held));
  if (!shared && (held.flags & IFA_F.noprefixroute) === 0) host.routes.delete(route);
  host.routes.forgetSource(nic.name, held.local);
  host.touched(nic.name);
}

function addPrefixRoute(host: Host, nic: Nic, held: Address): void {
  const hidden = (held.flags & (IFA_F.noprefixroute | (held.family === 4 ? IFA_F.secondary : 0))) !== 0;
  if (hidden || !nic.admin || (held.family === 4 && held.prefixLength === 32)) return;
  host.routes.addPrefixRoute(host.routes.prefixRoute(nic, held.family, held.local, held.prefixLength, held.metric));
}

function detectDuplicates(host: Host, nic: Nic, held: Address): void {
  host.world.clock.after(host.random.between(DAD_MS.from, DAD_MS.to), () => {
    if (!nic.addresses.includes(held) || !nic.admin) return;
    // Without a carrier the question waits for it.
    if (!nic.running) {
      detectDuplicates(host, nic, held);
      return;
    }
    held.flags &= ~IFA_F.tentative;
    host.touched(nic.name);
  });
}

function sameSubnet(one: Address, other: Address): boolean {
  return (
    one.family === other.family &&
    one.prefixLength === other.prefixLength &&
    samePrefix(one.local, other.local, one.prefixLength)
  );
}
