/** What an operator's request says to the cluster: orders that stay, and wishes that are carried out once. */
import type { Package } from '../config/cluster.js';
import { compareVersions, type Orders, type PackageOrder } from '../membership/document.js';
import { placedOn, type Placements } from './candidate.js';
import { choose } from './choice.js';
import { goesByItself, inOrder, loss, wayFor } from './group.js';
import { decide } from './placement.js';
import type { Picture, Task } from './state.js';

export interface Plan {
  orders: Orders;
  /** As `Task.targets`. */
  targets: Task['targets'];
  /** What is done, for `--dry-run`. */
  text: string;
  /** What the membership is to do as it begins. */
  fence?: { does: 'vouch' | 'open'; node: string };
}

export type Planned = { plan: Plan } | { refused: string } | { done: string };

/** What comes of the request now. */
export function planOf(picture: Picture, task: Pick<Task, 'node' | 'request' | 'at'>): Planned {
  const { request } = task;
  const { orders } = picture.document;
  const none = { orders, targets: {} };
  switch (request.ask) {
    case 'cluster-run':
      return { plan: { ...none, orders: { ...orders, clusterHalted: false }, text: 'the cluster runs' } };
    case 'cluster-halt':
      return {
        plan: { ...none, orders: { ...orders, clusterHalted: true }, text: `halted: ${halting(picture, null)}` },
      };
    case 'node-run':
      return runNode(picture, request.node);
    case 'node-halt':
      return haltNode(picture, request.node);
    case 'node-remove':
      return removeNode(picture, request.node);
    case 'node-fenced':
      return vouchFor(picture, request.node);
    case 'node-unfence':
      return openNode(picture, request.node);
    case 'package-enable':
    case 'package-disable':
      return enable(picture, request.package, request.ask === 'package-enable');
    case 'package-halt':
      return {
        plan: {
          ...none,
          orders: ordered(orders, request.package, { halted: true }),
          text: `${request.package} is halted`,
        },
      };
    case 'package-start':
      return start(picture, request.package, request.to);
    case 'package-move':
      return move(picture, task, request.package, request.to);
    case 'takeover':
      return takeover(picture, request.node, task.node);
    case 'surrender':
      return surrender(picture, task.node, request.to);
  }
}

function ordered(orders: Orders, name: string, order: PackageOrder): Orders {
  return { ...orders, packages: { ...orders.packages, [name]: { ...orders.packages[name], ...order } } };
}

function halting({ document }: Picture, node: string | null): string {
  const { placements } = document;
  const names = Object.keys(placements).filter(
    (name) => placements[name]!.state === 'run' && (node === null || placements[name]!.node === node),
  );
  return names.length === 0 ? 'nothing runs' : names.join(', ');
}

const without = (names: readonly string[], name: string): string[] => names.filter((it) => it !== name);

function runNode({ document: { orders } }: Picture, node: string): Planned {
  const haltedNodes = without(orders.haltedNodes, node);
  const removedNodes = without(orders.removedNodes, node);
  return { plan: { orders: { ...orders, haltedNodes, removedNodes }, targets: {}, text: `${node} may run packages` } };
}

function haltNode(picture: Picture, node: string): Planned {
  const { orders } = picture.document;
  const next = { ...orders, haltedNodes: [...without(orders.haltedNodes, node), node] };
  return { plan: { orders: next, targets: {}, text: `${node} is halted: ${fate(picture, next, node)}` } };
}

function removeNode(picture: Picture, node: string): Planned {
  const { orders } = picture.document;
  const { health } = picture.nodes[node]!;
  if (isThere(picture, node))
    return { refused: `${node} is ${health}: stop batond there first, or halt it with: baton node halt ${node}` };
  const next = { ...orders, removedNodes: [...without(orders.removedNodes, node), node] };
  return { plan: { orders: next, targets: {}, text: `${node} is removed: ${fate(picture, next, node)}` } };
}

function vouchFor(picture: Picture, node: string): Planned {
  const { orders, fences } = picture.document;
  const { health } = picture.nodes[node]!;
  if (isThere(picture, node)) return { refused: `${node} is ${health}: it is not off` };
  if (fences?.[node]?.state === 'done') return { done: `${node} is shut already` };
  const text = `${node} is off: its packages need not wait for it (${placedOn(picture.document.placements, node).join(', ') || 'none'})`;
  return { plan: { orders, targets: {}, text, fence: { does: 'vouch', node } } };
}

function openNode(picture: Picture, node: string): Planned {
  const { orders, placements } = picture.document;
  const { health } = picture.nodes[node]!;
  const placed = placedOn(placements, node);
  if (health !== 'alive' && placed.length > 0)
    return {
      refused: `${node} is ${health}, and may still run ${placed.join(', ')}: it stays shut; if it need not: baton node halt ${node}`,
    };
  return { plan: { orders, targets: {}, text: `${node} is opened again`, fence: { does: 'open', node } } };
}

/** What becomes of the packages of a node under these orders. */
function fate(picture: Picture, orders: Orders, node: string): string {
  const names = placedOn(picture.document.placements, node);
  if (names.length === 0) return 'it runs nothing';
  const { verdicts } = decide(picture, orders);
  const lines = names.map((name) => {
    const verdict = verdicts[name];
    if (verdict?.to === 'node') return verdict.node === node ? `${name} stays` : `${name} goes to ${verdict.node}`;
    return `${name} is down (${verdict?.why.join('; ') ?? 'unknown'})`;
  });
  return lines.join(', ');
}

function enable(picture: Picture, name: string, enabled: boolean): Planned {
  const { orders } = picture.document;
  return {
    plan: {
      orders: ordered(orders, name, { enabled }),
      targets: {},
      text: `${name} is ${enabled ? 'enabled' : 'disabled: it is neither started nor moved by itself'}`,
    },
  };
}

function packageOf(picture: Picture, name: string): Package {
  return picture.packages.find((one) => one.name === name)!;
}

/** An order of the operator's that stands in the way; null: none. */
function forbidden({ document: { orders } }: Picture, candidate: Package, to: string | undefined): string | null {
  const { name, failover, nodes } = candidate;
  if (orders.clusterHalted) return 'the cluster is halted; do: baton cluster run';
  if (failover === 'never' && to !== undefined && to !== nodes[0])
    return `the failover of ${name} is never: it runs on ${nodes[0]!} only`;
  return null;
}

function start(picture: Picture, name: string, to: string | undefined): Planned {
  const candidate = packageOf(picture, name);
  const { orders, placements } = picture.document;
  const not = forbidden(picture, candidate, to);
  if (not !== null) return { refused: not };
  const placement = placements[name];
  const here = placement?.node ?? null;
  const job = here === null || !isThere(picture, here) ? undefined : picture.nodes[here]?.jobs[name];
  const runs = placement?.state === 'run' && job?.state === 'running';
  if (runs && orders.packages[name]?.halted !== true) {
    if (to === undefined || to === here) return { done: `${name} runs on ${here} already` };
    return { refused: `${name} runs on ${here}; do: baton package move ${name} --to ${to}` };
  }
  const next = ordered(orders, name, { halted: false, ...(to === undefined ? {} : { at: to }) });
  const asked =
    to !== undefined
      ? [to]
      : candidate.failover === 'never'
        ? candidate.nodes.slice(0, 1)
        : startOrder(candidate, here);
  const bound = bondOf(placements, candidate);
  if (bound?.node === null && to === undefined && goesByItself(candidate, next))
    return { plan: { orders: next, targets: {}, text: `${name} starts once it can: ${bound.why}` } };
  const nodes = bound === null ? asked : asked.filter((node) => node === bound.node);
  if (bound !== null && nodes.length === 0) return { refused: `no node can start ${name}: ${bound.why}` };
  const chosen = choose(picture, next, placements, candidate, nodes, true);
  if (chosen.node === null) {
    const way = to === undefined ? wayFor(picture, next, candidate) : null;
    if (way === null) return { refused: `no node can start ${name}: ${chosen.why.join(', ')}` };
    const gone = Object.entries(way).map(([other, one]) => `${other} has gone from ${one.from} to ${one.to}`);
    return { plan: { orders: next, targets: {}, text: `${name} starts once ${gone.join(', ')}` } };
  }
  return {
    plan: {
      orders: next,
      targets: { [name]: { to: chosen.node, from: here } },
      text: `${name} starts on ${chosen.node}`,
    },
  };
}

/** Where what it depends on runs, or is to; null: it depends on nothing. Of several the first says it. */
function bondOf(placements: Placements, { name, dependsOn }: Package): { node: string | null; why: string } | null {
  const nodes = dependsOn.map((other) => (placements[other]?.state === 'run' ? placements[other].node : null));
  if (nodes.length === 0) return null;
  const at = nodes.findIndex((node) => node === null || node !== nodes[0]);
  if (at === -1)
    return { node: nodes[0]!, why: `${name} depends on ${dependsOn.join(', ')}, which runs on ${nodes[0]!}` };
  const why =
    nodes[at] === null
      ? `${dependsOn[at]!}, which does not run`
      : `${dependsOn.join(', ')}, which run on different nodes`;
  return { node: null, why: `${name} depends on ${why}` };
}

/** Where it was last, if that is known, then as in its list. */
function startOrder({ nodes }: Package, here: string | null): string[] {
  return here === null ? nodes : [...nodes.filter((node) => node === here), ...without(nodes, here)];
}

function move(picture: Picture, task: Pick<Task, 'at'>, name: string, to: string | undefined): Planned {
  const { placements } = picture.document;
  const here = placements[name]?.node ?? null;
  const candidate = packageOf(picture, name);
  if (here !== null && to === here && isUp(picture, name, here)) return { done: `${name} runs on ${here} already` };
  // Asked again of another coordinator: the first may have done it.
  const before = task.at[name];
  if (to === undefined && here !== null && before !== undefined && before !== here && isUp(picture, name, here))
    return { done: `${name} runs on ${here} now` };
  return goAway(picture, [candidate], to === undefined ? null : [to], `no other node can receive`);
}

/** What a node that is lost said last of its packages is old. */
export function isThere({ nodes }: Picture, node: string): boolean {
  const health = nodes[node]?.health;
  return health === 'alive' || health === 'suspect';
}

/** It runs there, by the present placement. */
export function isUp(picture: Picture, name: string, node: string): boolean {
  const placement = picture.document.placements[name];
  const job = isThere(picture, node) ? picture.nodes[node]?.jobs[name] : undefined;
  if (placement?.node !== node || placement.state !== 'run' || job?.state !== 'running') return false;
  return job.epoch === null || compareVersions(job.epoch, placement.epoch) === 0;
}

/** All of them to one of `nodes`, or to any other of their own: all or none. */
function goAway(picture: Picture, moved: readonly Package[], nodes: string[] | null, nobody: string): Planned {
  let { orders } = picture.document;
  const placements: Placements = { ...picture.document.placements };
  const targets: Task['targets'] = {};
  const refused: string[] = [];
  for (const candidate of inOrder(picture.packages).filter((one) => moved.includes(one))) {
    const { name } = candidate;
    const here = placements[name]?.node ?? null;
    const not = orders.packages[name]?.halted === true ? `${name} is halted; do: baton package start ${name}` : null;
    const forbids =
      not ?? forbidden(picture, candidate, candidate.failover === 'never' ? (nodes?.[0] ?? '') : undefined);
    if (forbids !== null) {
      refused.push(forbids);
      continue;
    }
    const bound = bondOf(placements, candidate);
    const others = (nodes ?? candidate.nodes).filter((node) => node !== here);
    const allowed = bound === null ? others : others.filter((node) => node === bound.node);
    const chosen = choose(picture, orders, placements, candidate, allowed, true);
    const lost = chosen.node === null ? null : loss(picture, orders, placements, candidate, chosen.node, true);
    if (chosen.node === null || lost !== null) {
      const nowhere = bound === null ? 'no other node may run it' : bound.why;
      refused.push(`${nobody} ${name}: ${lost ?? (chosen.why.length > 0 ? chosen.why.join(', ') : nowhere)}`);
      continue;
    }
    placements[name] = { node: chosen.node, state: 'run' };
    orders = ordered(orders, name, { at: chosen.node });
    targets[name] = { to: chosen.node, from: here };
  }
  if (refused.length > 0) return { refused: refused.join('; ') };
  return { plan: { orders, targets, text: movesText(targets) } };
}

export function movesText(targets: Task['targets']): string {
  return Object.entries(targets)
    .map(([name, { to, from }]) => (from === null ? `${name} starts on ${to}` : `${name} goes from ${from} to ${to}`))
    .join(', ');
}

function packagesOn(picture: Picture, node: string): Package[] {
  return picture.packages.filter(({ name }) => placedOn(picture.document.placements, node).includes(name));
}

function takeover(picture: Picture, node: string, here: string): Planned {
  if (node === here) return { refused: `${node} is this node; to empty it, do: baton surrender` };
  const moved = packagesOn(picture, node);
  if (moved.length === 0) return { done: `${node} runs nothing` };
  return goAway(picture, moved, [here], `${here} cannot receive`);
}

function surrender(picture: Picture, here: string, to: string | undefined): Planned {
  if (to === here) return { refused: `${here} is this node; name another with --to` };
  const moved = packagesOn(picture, here);
  if (moved.length === 0) return { done: `${here} runs nothing` };
  return goAway(picture, moved, to === undefined ? null : [to], `no other node can receive`);
}
