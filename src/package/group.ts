/**
 * Packages that `dependsOn` ties to one node, and packages that stand in each other's way. Both are decided from what should
 * run, not from what came first: a dependency goes where its dependents can run, too, and what runs leaves a node where
 * another can be brought up by that alone, as long as it has somewhere to go itself.
 */
import type { Package } from '../config/cluster.js';
import type { Orders } from '../membership/document.js';
import { hindrance, isRival, occupies, type Placements } from './candidate.js';
import type { Picture } from './state.js';

/** Who goes from where to where, so that which other can run there. */
export interface Yield {
  from: string;
  to: string;
  for: string;
}

/** Those that others depend on first, then by priority, then as in the file. */
export function inOrder(packages: readonly Package[]): readonly Package[] {
  const known = orderedPackages.get(packages);
  if (known !== undefined) return known;
  const ordered = new Set<Package>();
  const visit = (one: Package): void => {
    if (ordered.has(one)) return;
    for (const other of packages) if (one.dependsOn.includes(other.name)) visit(other);
    ordered.add(one);
  };
  for (const one of [...packages].sort((a, b) => b.priority - a.priority)) visit(one);
  const found = [...ordered];
  orderedPackages.set(packages, found);
  return found;
}

/** The cluster file's order does not change, and each decision wants it. */
const orderedPackages = new WeakMap<readonly Package[], readonly Package[]>();

const groups = new WeakMap<Package, readonly Package[]>();

/** All that hang together by `dependsOn`, the package itself included, in the order of the file. */
export function groupOf(packages: readonly Package[], one: Package): readonly Package[] {
  const known = groups.get(one);
  if (known !== undefined) return known;
  const names = new Set([one.name]);
  for (let before = 0; before !== names.size;) {
    before = names.size;
    for (const { name, dependsOn } of packages)
      if (names.has(name) || dependsOn.some((other) => names.has(other)))
        for (const each of [name, ...dependsOn]) names.add(each);
  }
  const found = packages.filter(({ name }) => names.has(name));
  groups.set(one, found);
  return found;
}

/** May it be started and moved without an operator? */
export function goesByItself({ enabled, failover, name }: Package, orders: Orders): boolean {
  return (orders.packages[name]?.enabled ?? enabled) && failover !== 'manual' && failover !== 'never';
}

/** Where it may be started without an operator: what others are not to move is started first on its primary node. */
function startsOn(picture: Picture, orders: Orders, one: Package): readonly string[] {
  const { enabled, name, nodes } = one;
  if (goesByItself(one, orders)) return nodes;
  const isNew = picture.document.placements[name]?.node == null;
  return isNew && (orders.packages[name]?.enabled ?? enabled) ? nodes.slice(0, 1) : [];
}

/** Should it run now, by itself? Not if something that it depends on may not. */
export function isWanted(picture: Picture, orders: Orders, one: Package): boolean {
  if (orders.clusterHalted || orders.packages[one.name]?.halted === true) return false;
  if (startsOn(picture, orders, one).length === 0) return false;
  return picture.packages.every(
    (other) => !one.dependsOn.includes(other.name) || isStarted(picture, other) || isWanted(picture, orders, other),
  );
}

/** One that was never placed has no node, and is to run all the same. */
function isStarted({ document }: Picture, { name }: Package): boolean {
  const placement = document.placements[name];
  return placement?.node != null && placement.state === 'run';
}

/** Would one of its group that runs stay down if the group went elsewhere, as nothing but an operator starts it there? */
export function isTied(picture: Picture, orders: Orders, one: Package): boolean {
  return groupOf(picture.packages, one).some((member) => isStarted(picture, member) && !goesByItself(member, orders));
}

/** Why that node cannot run all of the group that should run; null: it can. */
export function groupHindrance(
  picture: Picture,
  orders: Orders,
  placements: Placements,
  one: Package,
  node: string,
): string | null {
  const members = groupOf(picture.packages, one).filter((it) => it === one || isWanted(picture, orders, it));
  return together(picture, orders, placements, one, members, node, false);
}

/** Why something of the group that runs now could not run on that node; null: all of it could. */
export function loss(
  picture: Picture,
  orders: Orders,
  placements: Placements,
  one: Package,
  node: string,
  byOperator: boolean,
): string | null {
  const members = groupOf(picture.packages, one).filter((it) => it === one || isStarted(picture, it));
  return together(picture, orders, placements, one, members, node, byOperator);
}

function together(
  picture: Picture,
  orders: Orders,
  placements: Placements,
  one: Package,
  members: readonly Package[],
  node: string,
  byOperator: boolean,
): string | null {
  const trial = { ...placements };
  for (const { name } of members) delete trial[name];
  for (const member of members) {
    const hindered = hindrance(picture, orders, trial, member, node, byOperator);
    if (hindered !== null) return member === one ? hindered : `${member.name} cannot run there: ${hindered}`;
    trial[member.name] = { node, state: 'run' };
  }
  return null;
}

/** How many of its group run there, or are to. */
export function companions(picture: Picture, placements: Placements, one: Package, node: string): number {
  const others = groupOf(picture.packages, one).filter((member) => member !== one);
  return others.filter(({ name }) => placements[name]?.node === node && placements[name].state === 'run').length;
}

/** The one node on which everything that it depends on runs, or is to; null: there is none. */
function boundNode(placements: Placements, { dependsOn }: Package): string | null {
  const nodes = new Set(dependsOn.map((name) => (placements[name]?.state === 'run' ? placements[name].node : null)));
  const [node = null] = nodes;
  return nodes.size === 1 ? node : null;
}

function wayAt(picture: Picture, orders: Orders, one: Package, node: string): Record<string, Yield> | null {
  const { placements } = picture.document;
  const rivals = picture.packages.filter(
    (other) =>
      isRival(one, other) &&
      placements[other.name]?.node === node &&
      (occupies(picture, placements, other.name, node) || isWanted(picture, orders, other)),
  );
  const trial: Placements = { ...placements, [one.name]: { node, state: 'run' } };
  for (const { name } of rivals) delete trial[name];
  if (rivals.length === 0 || hindrance(picture, orders, trial, one, node, false) !== null) return null;
  const way: Record<string, Yield> = {};
  for (const rival of rivals) {
    const group = groupOf(picture.packages, rival);
    if (group.includes(one) || isTied(picture, orders, rival)) return null;
    const roots = group.filter(({ dependsOn }) => dependsOn.length === 0);
    const to = roots[0]!.nodes.find(
      (other) => other !== node && groupHindrance(picture, orders, trial, roots[0]!, other) === null,
    );
    if (to === undefined) return null;
    for (const { name } of group)
      if (trial[name]?.node === node || rival.name === name) trial[name] = { node: to, state: 'run' };
    for (const { name } of roots) way[name] = { from: node, to, for: one.name };
  }
  return way;
}

/** Who has to go so that this one, which is down, can run; null: it is not down, can run as it is, or nothing helps. */
export function wayFor(picture: Picture, orders: Orders, one: Package): Record<string, Yield> | null {
  const { placements } = picture.document;
  const bound = one.dependsOn.length === 0 ? null : boundNode(placements, one);
  const own = startsOn(picture, orders, one);
  const nodes = one.dependsOn.length === 0 ? own : own.filter((node) => node === bound);
  const ways = nodes.map((node) => {
    const way = wayAt(picture, orders, one, node);
    return way ?? (hindrance(picture, orders, placements, one, node, false) === null ? {} : null);
  });
  const found = ways.filter((way) => way !== null);
  return found.some((way) => Object.keys(way).length === 0) ? null : (found[0] ?? null);
}

/**
 * Where one that depends on nothing has to go, so that its whole group can run: something of it is down, and stays down as it
 * is. Null: nowhere. Of several that have dependents in common all but the first go to where that is.
 */
export function rallyNode(picture: Picture, orders: Orders, placements: Placements, one: Package): string | null {
  const group = groupOf(picture.packages, one);
  const isStuck = group.some(
    (member) => member.dependsOn.length > 0 && isWanted(picture, orders, member) && !isUp(picture, member),
  );
  if (one.dependsOn.length > 0 || !isStuck || isTied(picture, orders, one)) return null;
  const suits = (node: string): boolean => groupHindrance(picture, orders, placements, one, node) === null;
  const first = group.find(({ dependsOn, name }) => dependsOn.length === 0 && placements[name]?.node != null);
  if (first === undefined) return null;
  const there = placements[first.name]!.node!;
  if (first !== one) return suits(there) ? there : null;
  return suits(there) ? null : (one.nodes.find(suits) ?? null);
}

/** It runs, or is about to. */
function isUp(picture: Picture, one: Package): boolean {
  const { node = null } = picture.document.placements[one.name] ?? {};
  const health = node === null ? undefined : picture.nodes[node]?.health;
  return isStarted(picture, one) && health !== 'lost' && health !== 'left';
}

/** Is a package that excludes one of its group down, and may run on that node? */
export function isWaitedFor(picture: Picture, orders: Orders, one: Package, node: string): boolean {
  const group = groupOf(picture.packages, one);
  const waits = (other: Package): boolean =>
    other.nodes.includes(node) && !isUp(picture, other) && isWanted(picture, orders, other);
  return picture.packages.some((other) => group.some((member) => isRival(member, other)) && waits(other));
}

/** All that have to go for others. Where nothing excludes anything there are none. */
export function yields(picture: Picture, orders: Orders): Record<string, Yield> {
  const found: Record<string, Yield> = {};
  if (picture.packages.every(({ excludes }) => excludes.length === 0)) return found;
  for (const one of picture.packages) {
    if (isUp(picture, one) || !isWanted(picture, orders, one)) continue;
    for (const [name, way] of Object.entries(wayFor(picture, orders, one) ?? {})) found[name] ??= way;
  }
  return found;
}
