/** The floating addresses of the cluster file: known on every node, whoever holds them. */
import type { Cluster, Prefix } from '../config/cluster.js';
import type { Address } from '../input.js';
import { ADDRESS_PROTOCOL } from './ledger.js';
import { addressKey, DAD_FAILED, NO_PREFIX_ROUTE, NODAD, type Portfolio } from './portfolio.js';

export interface FloatingAddress {
  package: string;
  net: string;
  prefix: Prefix;
  /** May it be chosen as source of new connections? */
  source: boolean;
  /** Of its own, that travels with it; absent: that of the NIC which carries it. */
  mac?: string;
}

/** In the order of the file. Reckoned from the file alone, so it is no state: kept only because every step asks. */
const knownByCluster = new WeakMap<Cluster, ReturnType<typeof reckoned>>();

function reckoned(cluster: Cluster) {
  const byPackage = new Map(
    cluster.packages.map(({ name, resources }) => [
      name,
      resources.flatMap((resource): FloatingAddress[] => {
        if (resource.kind !== 'address') return [];
        const { net, address: prefix, source, mac } = resource;
        return [{ package: name, net, prefix, source, ...(mac !== undefined && { mac }) }];
      }),
    ]),
  );
  const all = [...byPackage.values()].flat();
  const macs = new Set(all.flatMap(({ mac }) => mac ?? []));
  return { all, macs, byAddress: new Map(all.map((floating) => [floating.prefix.address, floating])), byPackage };
}

function known(cluster: Cluster): ReturnType<typeof reckoned> {
  let found = knownByCluster.get(cluster);
  if (found === undefined) {
    found = reckoned(cluster);
    knownByCluster.set(cluster, found);
  }
  return found;
}

export function floatingAddresses(cluster: Cluster): readonly FloatingAddress[] {
  return known(cluster).all;
}

/** MACs that travel with floating addresses. */
export function floatingMacs(cluster: Cluster): ReadonlySet<string> {
  return known(cluster).macs;
}

/** Canonical texts without prefix length. */
export function floatingTexts(cluster: Cluster): string[] {
  return floatingAddresses(cluster).map(({ prefix }) => prefix.address);
}

/** `address`: canonical text without prefix length. */
export function floatingOf(cluster: Cluster, address: string): FloatingAddress | undefined {
  return known(cluster).byAddress.get(address);
}

export function addressesOf(cluster: Cluster, name: string): readonly FloatingAddress[] {
  return known(cluster).byPackage.get(name) ?? [];
}

/** The portfolio without what belongs to packages: that does not stay with the node. */
export function withoutFloating(cluster: Cluster, portfolio: Portfolio): Portfolio {
  if (!portfolio.addresses.some(({ local }) => floatingOf(cluster, local))) return portfolio;
  return { ...portfolio, addresses: portfolio.addresses.filter(({ local }) => !floatingOf(cluster, local)) };
}

/**
 * As it is added: without duplicate-address detection, which is dark for a second or two, without a prefix route, and
 * deprecated at once if it must not be chosen as source (RFC 4862 section 5.5.4). Lifetime in whole seconds, as the kernel counts.
 */
export function raisedFloating({ prefix, source }: FloatingAddress, validS: number): Address {
  const { family, address, prefixLength } = prefix;
  return {
    family,
    local: address,
    prefixLength,
    scope: 0,
    flags: NODAD | NO_PREFIX_ROUTE,
    protocol: ADDRESS_PROTOCOL,
    validS,
    preferredS: source ? validS : 0,
  };
}

/** Where one lies: what the kernel tells apart. */
export function placeKey(nic: string, address: Address): string {
  return `${nic} ${addressKey(address)}`;
}

export function isDead(address: Address): boolean {
  return address.family === 6 && (address.flags & DAD_FAILED) !== 0;
}
