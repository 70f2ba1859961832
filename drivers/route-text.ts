/**
 * Routes as one line of canonical text, the same on both labs, so that a drill can compare them:
 *
 *     default via 10.77.0.254 dev eth0 metric 100
 *     10.9.0.0/16 via 10.77.0.9 dev eth0 src 10.77.0.1 mtu 1400 table 77 onlink
 *
 * Words stand in this order and only where they say something: `[type] destination [via gateway] dev NIC [metric n]
 * [src address] [mtu n] [advmss n] [tos n] [table n] [onlink] [proto n] {[nexthop via gateway dev NIC weight n]}`.
 * Left out are the kernel's own defaults (metric 0 or 1024, main table, unicast) and the protocols of hand-made
 * routes.
 */
import type { NextHop, Route } from '../src/input.js';

/** Protocols that are not told: boot and static (rtnetlink(7), rtm_protocol). */
const UNTOLD_PROTOCOLS = new Set([3, 4]);
const MAIN_TABLE = 254;
const ONLINK = 4;
/** RTAX_* numbers (linux/rtnetlink.h). */
const RTAX_MTU = 2;
const RTAX_ADVMSS = 8;

const TYPES: Record<number, string> = { 6: 'blackhole', 7: 'unreachable', 8: 'prohibit', 9: 'throw' };

function defaultMetric(family: 4 | 6): number {
  return family === 4 ? 0 : 1024;
}

function nextHopText(hop: NextHop): string {
  const words = [
    'nexthop',
    ...(hop.gateway ? ['via', hop.gateway] : []),
    'dev',
    hop.nic,
    'weight',
    String(hop.hops + 1),
  ];
  if (hop.flags & ONLINK) words.push('onlink');
  return words.join(' ');
}

/** Canonical text of one route. */
export function routeText(route: Route): string {
  const words: string[] = [];
  const say = (word: string, value: string | number | undefined): void => {
    if (value !== undefined) words.push(word, String(value));
  };
  const type = TYPES[route.type];
  if (type) words.push(type);
  words.push(route.destination === '0.0.0.0/0' || route.destination === '::/0' ? 'default' : route.destination);
  if (!route.nextHops) {
    say('via', route.gateway);
    say('dev', route.nic);
  }
  const metric = route.metric ?? defaultMetric(route.family);
  if (metric !== defaultMetric(route.family)) say('metric', metric);
  say('src', route.preferredSource);
  say('mtu', route.metrics?.[RTAX_MTU]);
  say('advmss', route.metrics?.[RTAX_ADVMSS]);
  if (route.tos !== 0) say('tos', route.tos);
  if (route.table !== MAIN_TABLE) say('table', route.table);
  if (route.flags & ONLINK) words.push('onlink');
  if (!UNTOLD_PROTOCOLS.has(route.protocol)) say('proto', route.protocol);
  for (const hop of route.nextHops ?? []) words.push(nextHopText(hop));
  return words.join(' ');
}

/** Is it a route that somebody made, so that a truth tells it? Those that the kernel makes with an address or a NIC are not. */
export function isToldRoute(route: Pick<Route, 'type' | 'table' | 'protocol'>): boolean {
  const madeByKernel = route.protocol === 2;
  const local = route.table === 255 || [2, 3, 4, 5].includes(route.type);
  return !madeByKernel && !local;
}

/** `default`, `10.1.2.3` and `10.0.0.0/8` as destinations of `family`. */
function destinationOf(text: string, family: 4 | 6): string {
  if (text === 'default') return family === 4 ? '0.0.0.0/0' : '::/0';
  return text.includes('/') ? text : `${text}/${family === 4 ? 32 : 128}`;
}

function numberAfter(word: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`route: ${word} needs a number, not "${value}"`);
  return Number(value);
}

/**
 * A line as for `ip route add` → the route it makes. Knows the words of the canonical text (but for `nexthop`).
 * Throws an Error that names the word it does not know.
 */
export function parseRoute(line: string): Route {
  const words = line.trim().split(/\s+/);
  const family = line.includes(':') ? 6 : 4;
  const route: Route = {
    family,
    destination: destinationOf(words.shift() ?? '', family),
    table: MAIN_TABLE,
    protocol: 3,
    scope: 0,
    type: 1,
    tos: 0,
    nic: '',
    flags: 0,
  };
  while (words.length > 0) {
    const word = words.shift()!;
    if (word === 'onlink') {
      route.flags |= ONLINK;
      continue;
    }
    const value = words.shift();
    if (value === undefined) throw new Error(`route: nothing stands after "${word}"`);
    if (word === 'via') route.gateway = value;
    else if (word === 'dev') route.nic = value;
    else if (word === 'src') route.preferredSource = value;
    else if (word === 'metric') route.metric = numberAfter(word, value);
    else if (word === 'tos') route.tos = numberAfter(word, value);
    else if (word === 'table') route.table = numberAfter(word, value);
    else if (word === 'mtu') route.metrics = { ...route.metrics, [RTAX_MTU]: numberAfter(word, value) };
    else if (word === 'advmss') route.metrics = { ...route.metrics, [RTAX_ADVMSS]: numberAfter(word, value) };
    else if (word === 'proto')
      route.protocol = value === 'static' ? 4 : value === 'boot' ? 3 : numberAfter(word, value);
    else throw new Error(`route: "${word}" is not a word of this lab`);
  }
  if (route.nic === '') throw new Error(`route: "${line}" names no dev`);
  if (family === 4 && route.gateway === undefined) route.scope = 253;
  return route;
}
