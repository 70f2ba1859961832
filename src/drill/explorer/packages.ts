/** Draws packages: who may run them, and their addresses. */
import type { Random } from '../../../drivers/simulator/random.js';
import { chance, pick, shuffled, weighted } from './dice.js';
import type { Wired } from './wiring.js';

export type Families = readonly ('four' | 'six')[];

const NAMES = ['web', 'mail', 'files', 'shop', 'wiki', 'chat', 'news', 'maps', 'logs', 'jobs', 'auth', 'time', 'dns', 'git', 'ldap', 'print']; // prettier-ignore
/** So much is allowed that no alarm for too much of it outlives a run. */
const MANY = 1000;

export function drawPackages(
  random: Random,
  nodes: readonly string[],
  nets: readonly Wired[],
  families: Families,
): { packages: Record<string, unknown>; addresses: string[] } {
  const packages: Record<string, unknown> = {};
  const addresses: string[] = [];
  const count = weighted(random.stream('count'), [
    [44, 1],
    [28, 2],
    [16, 3],
    [6, 4],
    [4, 8],
    [2, nodes.length < 4 ? 16 : 5],
  ]);
  const names = NAMES.slice(0, count);
  const hasLan = nets.some(({ net }) => net === 'lan');
  for (const [i, name] of names.entries()) {
    const dice = random.stream(name);
    const onLan = hasLan && chance(dice.stream('net'), 0.4);
    const mine = drawAddresses(dice.stream('addresses'), i, onLan, families);
    addresses.push(...mine);
    const mac = chance(dice.stream('mac'), 0.12) ? { mac: `02:00:5e:00:01:${(i + 16).toString(16)}` } : {};
    const failover = drawFailover(dice.stream('failover'));
    const eligible = shuffled(dice, nodes).slice(0, Math.max(2, Math.ceil(dice.unit() * nodes.length)));
    packages[name] = {
      nodes: eligible,
      failback: chance(dice, 0.2) ? 'automatic' : 'manual',
      ...failover,
      ...drawBond(dice.stream('bond'), packages, nodes.length > 1, failover['failover']),
      movesMax: MANY,
      resources: mine.map((address) => ({ address, net: onLan ? 'lan' : 'public', ...mac })),
    };
  }
  return { packages, addresses };
}

function drawAddresses(random: Random, i: number, onLan: boolean, families: Families): string[] {
  const subnet = onLan ? 88 : 77;
  const four = [`10.${subnet}.0.${100 + 8 * i}`, `10.${subnet}.0.${101 + 8 * i}`];
  const six = [`fd${subnet}::${100 + 8 * i}`, `fd${subnet}::${101 + 8 * i}`];
  if (families.length === 2) return pick(random, [four.slice(0, 1), four, six.slice(0, 1), [four[0]!, six[0]!]]);
  const own = families[0] === 'four' ? four : six;
  return chance(random, 0.5) ? own.slice(0, 1) : own;
}

function drawFailover(random: Random): Record<string, unknown> {
  const failover = weighted(random, [
    [84, undefined],
    [10, 'min-package-node'],
    [4, 'manual'],
    [2, 'never'],
  ]);
  return { ...(failover && { failover }), ...(chance(random, 0.2) && { priority: Math.floor(random.unit() * 5) }) };
}

/**
 * To one of those before it, where there is more than one node. What depends on another may run wherever that may: one that
 * never leaves its first node would need an operator who moves the other whenever that is elsewhere; and whenever that is
 * there, if they exclude each other.
 */
function drawBond(
  random: Random,
  packages: Readonly<Record<string, unknown>>,
  isApart: boolean,
  failover: unknown,
): Record<string, unknown> {
  const names = Object.keys(packages);
  if (names.length === 0 || !isApart || !chance(random, 0.15)) return {};
  const other = pick(random, names);
  const { nodes, failover: others } = packages[other] as { nodes: string[]; failover?: string };
  const isStuck = failover === 'never' || others === 'never';
  if (chance(random, 0.5)) return isStuck ? {} : { excludes: [other] };
  return { dependsOn: [other], nodes, ...(failover === 'never' && { failover: 'manual' }) };
}
