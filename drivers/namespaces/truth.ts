/** What the kernel's tables of a node say, in the canonical form that both labs share. */
import type { Route } from '../../src/input.js';
import type { NodeTruth } from '../lab.js';
import { isToldRoute, routeText } from '../route-text.js';
import { ipAsk } from './shell.js';

interface IpAddress {
  ifname: string;
  addr_info: { family: string; local?: string; prefixlen: number; scope: string }[];
}

/** As `ip -j -N -details route` writes it: numbers as decimal texts. */
interface IpRoute {
  type: string;
  dst: string;
  gateway?: string;
  via?: { host: string };
  dev?: string;
  table?: string;
  protocol: string;
  scope?: string;
  metric?: number;
  prefsrc?: string;
  tos?: string;
  flags: string[];
  metrics?: Record<string, number | string>[];
  nexthops?: { gateway?: string; dev: string; weight: number; flags: string[] }[];
}

const RTAX: Record<string, number> = { mtu: 2, advmss: 8 };
const ONLINK = 4;

function flagsOf(flags: readonly string[]): number {
  return flags.includes('onlink') ? ONLINK : 0;
}

function routeOf(family: 4 | 6, shown: IpRoute): Route {
  const host = family === 4 ? 32 : 128;
  const destination = shown.dst === 'default' ? (family === 4 ? '0.0.0.0/0' : '::/0') : shown.dst;
  const metrics = Object.fromEntries(
    (shown.metrics ?? [])
      .flatMap(Object.entries)
      .flatMap(([name, value]) => (name in RTAX ? [[RTAX[name], Number(value)]] : [])),
  ) as Record<number, number>;
  const gateway = shown.gateway ?? shown.via?.host;
  return {
    family,
    destination: destination.includes('/') ? destination : `${destination}/${host}`,
    table: Number(shown.table ?? 254),
    protocol: Number(shown.protocol),
    scope: Number(shown.scope ?? 0),
    type: Number(shown.type),
    tos: Number(shown.tos ?? 0),
    nic: shown.dev ?? '',
    flags: flagsOf(shown.flags),
    metrics,
    ...(shown.metric === undefined ? {} : { metric: shown.metric }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(shown.prefsrc === undefined ? {} : { preferredSource: shown.prefsrc }),
    ...(shown.nexthops === undefined
      ? {}
      : {
          nextHops: shown.nexthops.map((hop) => ({
            nic: hop.dev,
            flags: flagsOf(hop.flags),
            hops: hop.weight - 1,
            ...(hop.gateway === undefined ? {} : { gateway: hop.gateway }),
          })),
        }),
  };
}

async function routesOf(namespace: string, family: 4 | 6): Promise<string[]> {
  const shown = await ipAsk<IpRoute>(namespace, ['-N', '-details', `-${family}`, 'route', 'show', 'table', 'all']);
  return shown
    .map((route) => routeOf(family, route))
    .filter(isToldRoute)
    .map(routeText);
}

/** The MAC that this namespace has for the address, on whatever NIC; null: none. Throws CommandFailed when it is gone. */
export async function neighbourOf(namespace: string, address: string): Promise<string | null> {
  const found = await ipAsk<{ dst: string; lladdr?: string }>(namespace, ['neighbour', 'show', 'to', address]);
  return found.find(({ dst }) => dst === address)?.lladdr ?? null;
}

/** Throws CommandFailed when the namespace is gone. */
export async function truthOf(namespace: string): Promise<NodeTruth> {
  const [links, four, six] = await Promise.all([
    ipAsk<IpAddress>(namespace, ['address', 'show']),
    routesOf(namespace, 4),
    routesOf(namespace, 6),
  ]);
  const addresses = links
    .filter((link) => link.ifname !== 'lo')
    .map((link): [string, string[]] => [
      link.ifname,
      link.addr_info
        .filter((a) => a.local !== undefined && !(a.family === 'inet6' && a.scope === 'link'))
        .map((a) => `${a.local}/${a.prefixlen}`)
        .sort(),
    ]);
  return { addresses: Object.fromEntries(addresses), routes: [...four, ...six].sort() };
}
