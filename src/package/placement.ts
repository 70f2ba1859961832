/**
 * Where each package should be, decided afresh from what is known at one moment: nothing here remembers a plan, so a
 * target that dies on the way, or another coordinator, changes the outcome and nothing else.
 *
 *   verdict (node | rest | as-is) ──compared with the document──▶ change
 *
 * A move has two changes: `halt` where it is, and, once it is released there, the new node (MEMBERSHIP C6, C7).
 */
import type { Package } from '../config/cluster.js';
import type { Orders } from '../membership/document.js';
import { hindrance, isHalted, netsOf, netsWithout, obstruction, occupies, type Placements } from './candidate.js';
import { choose } from './choice.js';
import * as group from './group.js';
import type { Picture } from './state.js';

export type Cause =
  | 'first-placement'
  | 'node-lost'
  | 'node-left'
  | 'node-leaving'
  | 'node-halted'
  | 'node-removed'
  | 'net-down'
  | 'not-started'
  | 'failback'
  | 'operator'
  | 'follows'
  /** So that another, which is down, can run there. */
  | 'gives-way'
  /** So that what depends on it can run, too. */
  | 'rallies'
  | 'resumed'
  | 'cluster-halted'
  | 'package-halted'
  | 'disabled'
  | 'depends-on'
  | 'never-placed'
  | 'settled';

/** `why`: in words, for people. */
export type Verdict = { cause: Cause; why: string[]; alarm?: PlacementAlarm } & (
  | { to: 'node'; node: string }
  | { to: 'rest' }
  /** As it stands in the document. */
  | { to: 'as-is' }
);

export type PlacementAlarm = 'net-down-nowhere-to-go' | 'too-many-moves';

export interface Decided {
  verdicts: Record<string, Verdict>;
  /** What the next document should say otherwise; empty: nothing. */
  change: Placements;
}

/** Causes of which `movesMax` are allowed in `movesWindow`. */
const BY_ITSELF: readonly Cause[] = [
  'node-lost',
  'node-left',
  'net-down',
  'not-started',
  'failback',
  'gives-way',
  'rallies',
];

/** So many times `nodeTimeout` it must be so that one package is down because of another, or of where its dependency is. */
const GIVES_WAY_TIMEOUTS = 2;
const RALLIES_TIMEOUTS = 5;

export function countsAsMove(cause: Cause): boolean {
  return BY_ITSELF.includes(cause);
}

/** `orders`: as they are about to be. */
export function decide(picture: Picture, orders: Orders): Decided {
  const placements: Placements = { ...picture.document.placements };
  const verdicts: Record<string, Verdict> = {};
  const change: Placements = {};
  const yields = group.yields(picture, orders);
  for (const candidate of group.inOrder(picture.packages)) {
    const { name } = candidate;
    const verdict = judge({ picture, orders, placements, candidate, yields }, verdicts);
    verdicts[name] = verdict;
    const next = nextOf(picture, placements, candidate, verdict);
    if (next === null) continue;
    change[name] = next;
    placements[name] = next;
  }
  return { verdicts, change };
}

interface Case {
  picture: Picture;
  orders: Orders;
  placements: Placements;
  candidate: Package;
  yields: Record<string, group.Yield>;
  /** Where it may be: its nodes, or the one on which what it depends on runs. */
  allowed: string[];
}

function judge(asked: Omit<Case, 'allowed'>, verdicts: Record<string, Verdict>): Verdict {
  const { picture, orders, placements, candidate } = asked;
  const { name } = candidate;
  if (orders.clusterHalted) return { to: 'rest', cause: 'cluster-halted', why: ['the cluster is halted'] };
  if (orders.packages[name]?.halted === true)
    return { to: 'rest', cause: 'package-halted', why: ['an operator halted it'] };
  const bound = boundTo(picture, placements, verdicts, candidate);
  if (bound !== null && bound.node === null) return { to: 'rest', cause: 'depends-on', why: [bound.why] };
  const allowed = bound === null ? candidate.nodes : candidate.nodes.filter((node) => node === bound.node);
  const one: Case = { ...asked, allowed };
  const wish = picture.memory.wishes[name];
  if (wish !== undefined && allowed.includes(wish)) {
    const isThere = placements[name]?.node === wish && !isHalted(orders, wish);
    if (isThere || hindrance(picture, orders, placements, candidate, wish, true) === null)
      return { to: 'node', node: wish, cause: 'operator', why: ['an operator wants it there'] };
  }
  const node = placements[name]?.node ?? null;
  return node === null ? judgeNew(one) : judgePlaced(one, node);
}

/** Where what it depends on runs; null: it depends on nothing. */
function boundTo(
  picture: Picture,
  placements: Placements,
  verdicts: Record<string, Verdict>,
  candidate: Package,
): { node: string; why: '' } | { node: null; why: string } | null {
  let node: string | null = null;
  for (const name of candidate.dependsOn) {
    const placement = placements[name];
    const verdict = verdicts[name];
    const goesAway = verdict?.to === 'node' && verdict.node !== placement?.node;
    if (placement?.node == null || placement.state === 'halt' || goesAway || verdict?.to === 'rest')
      return { node: null, why: `it depends on ${name}, which does not run` };
    if (node !== null && placement.node !== node)
      return { node: null, why: `it depends on ${candidate.dependsOn.join(', ')}, which run on different nodes` };
    node = placement.node;
    const isHere = occupies(picture, placements, candidate.name, node);
    if (!isHere && picture.nodes[node]?.jobs[name]?.state !== 'running')
      return { node: null, why: `it depends on ${name}, which has not started on ${node} yet` };
  }
  return node === null ? null : { node, why: '' };
}

function isEnabled({ orders, candidate }: Case): boolean {
  return orders.packages[candidate.name]?.enabled ?? candidate.enabled;
}

function goesByItself({ candidate, orders }: Case): boolean {
  return group.goesByItself(candidate, orders);
}

function judgeNew(one: Case): Verdict {
  const { picture, orders, placements, candidate, allowed } = one;
  if (!isEnabled(one)) return { to: 'as-is', cause: 'disabled', why: ['it is disabled'] };
  const nodes = goesByItself(one) ? allowed : allowed.filter((node) => node === candidate.nodes[0]);
  const { node, why } = choose(picture, orders, placements, candidate, nodes);
  if (node === null) return { to: 'as-is', cause: 'never-placed', why: why.length > 0 ? why : [whyNowhere(one)] };
  // At power-up the nodes come one after another: the better one has a moment to appear.
  const better = nodes.slice(0, nodes.indexOf(node)).filter((it) => isUnknown(picture, candidate, it));
  if (better.length > 0 && !picture.lasts(`unknown ${candidate.name}`, 2 * picture.nodeTimeoutMs))
    return { to: 'as-is', cause: 'never-placed', why: [`${better.join(', ')} may still appear`] };
  return { to: 'node', node, cause: 'first-placement', why };
}

/** There is no node to be asked. */
function whyNowhere({ placements, candidate, allowed }: Case): string {
  const { dependsOn, failover, name, nodes } = candidate;
  const [other] = dependsOn;
  const bound = other === undefined ? '' : `${dependsOn.join(', ')} runs on ${placements[other]?.node ?? 'no node'}`;
  if (allowed.length === 0) return `${bound}, where ${name} may not run`;
  const only = `its failover is ${failover}: it starts on ${nodes[0]!} by itself, and on no other node`;
  return other === undefined ? only : `${bound}; ${only}`;
}

function isUnknown(picture: Picture, candidate: Package, node: string): boolean {
  return picture.nodes[node]?.health === 'unheard' || netsWithout(picture, candidate, node, null).length > 0;
}

function judgePlaced(one: Case, node: string): Verdict {
  const { picture, orders, placements, candidate, allowed } = one;
  const { name } = candidate;
  const holder = picture.nodes[node];
  const stay: Verdict = { to: 'node', node, cause: placements[name]!.state === 'run' ? 'settled' : 'resumed', why: [] };
  if (holder === undefined || !candidate.nodes.includes(node))
    return leave(one, node, 'node-removed', [`${node} is not a node of ${name} any more`]);
  if (orders.removedNodes.includes(node)) return leave(one, node, 'node-removed', [`${node} is removed`]);
  if (orders.haltedNodes.includes(node)) return leave(one, node, 'node-halted', [`${node} is halted`]);
  if (!allowed.includes(node)) return leave(one, node, 'follows', [`${candidate.dependsOn.join(', ')} runs elsewhere`]);
  if (holder.leaving) return leave(one, node, 'node-leaving', [`${node} is about to stop`]);
  if (holder.health === 'left') return leave(one, node, 'node-left', [`${node} has left`]);
  if (holder.health === 'lost') return leave(one, node, 'node-lost', [`${node} is lost`]);
  if (holder.health === 'unheard') return leave(one, node, 'node-lost', [`${node} was not heard yet`]);
  if (didNotStart(picture, candidate, node)) return leave(one, node, 'not-started', [`it did not start on ${node}`]);
  const down = netsWithout(picture, candidate, node, false);
  if (down.length > 0) {
    if (!picture.lasts(`net-down ${name}@${node}`, picture.netDownMs)) return stay;
    return leave(one, node, 'net-down', [`${node} has its net ${down.join(', ')} down`]);
  }
  if (placements[name]!.state === 'run') return wayOut(one, node) ?? goHome(one, node) ?? stay;
  if (!isEnabled(one)) return { to: 'rest', cause: 'disabled', why: ['it is disabled'] };
  const taken = obstruction(picture, placements, candidate, node);
  if (taken !== null) return leave(one, node, 'gives-way', [taken]);
  return wayOut(one, node) ?? goHome(one, node) ?? stay;
}

/** How long a node may take to start a package of addresses. */
export function startLatestMs({ nodeTimeoutMs }: Picture): number {
  return 4000 + 3 * nodeTimeoutMs;
}

function didNotStart(picture: Picture, { name }: Package, node: string): boolean {
  const placement = picture.document.placements[name];
  if (placement?.node !== node || picture.nodes[node]?.jobs[name]?.state === 'running') return false;
  if ((picture.memory.failed[`${name}@${node}`] ?? 0) > picture.now) return true;
  if (placement.state !== 'run') return false;
  return picture.lasts(`not-running ${name}@${node}`, startLatestMs(picture));
}

/** It is well where it is, but something else is down for that. */
function wayOut(one: Case, node: string): Verdict | null {
  const { picture, orders, placements, candidate, yields } = one;
  const { name } = candidate;
  if (!goesByItself(one) || movedTooOften(picture, candidate)) return null;
  const way = yields[name];
  if (way?.from === node) {
    if (!picture.lasts(`in the way of ${way.for}`, GIVES_WAY_TIMEOUTS * picture.nodeTimeoutMs)) return null;
    if (group.groupHindrance(picture, orders, placements, candidate, way.to) !== null) return null;
    return { to: 'node', node: way.to, cause: 'gives-way', why: [`${way.for} can run on ${node} without it only`] };
  }
  const members = group.groupOf(picture.packages, candidate).map((member) => member.name);
  const isHelped = Object.values(yields).some((other) => members.includes(other.for));
  if (isHelped || orders.packages[name]?.at === node) return null;
  const to = group.rallyNode(picture, orders, placements, candidate);
  if (to === null || !picture.lasts(`apart ${name}`, RALLIES_TIMEOUTS * picture.nodeTimeoutMs)) return null;
  return { to: 'node', node: to, cause: 'rallies', why: [`what depends on it can run on ${to}, and not on ${node}`] };
}

/** `failback: automatic`: once its primary node was fit for a while. */
function goHome(one: Case, node: string): Verdict | null {
  const { picture, orders, candidate, allowed } = one;
  const home = candidate.nodes[0]!;
  if (candidate.failback !== 'automatic' || node === home || !allowed.includes(home) || !goesByItself(one)) return null;
  if (orders.packages[candidate.name]?.at === node) return null;
  if (isLossAt(one, home, node) || group.isWaitedFor(picture, orders, candidate, home)) return null;
  if (group.isTied(picture, orders, candidate)) return null;
  // A beat that was under way for long may have told of a run before: each run begins anew.
  const run = picture.nodes[home]?.incarnation ?? '';
  if (!picture.lasts(`home-fit ${candidate.name} ${run}`, 5 * picture.nodeTimeoutMs)) return null;
  if (movedTooOften(picture, candidate)) return null;
  return { to: 'node', node: home, cause: 'failback', why: [`${home} is its primary node, and fit again`] };
}

/** Could something of its group not run at home that runs where it is, or is about to? */
function isLossAt({ picture, orders, placements, candidate }: Case, home: string, node: string): boolean {
  if (group.loss(picture, orders, placements, candidate, home, false) !== null) return true;
  const suits = (where: string): boolean =>
    group.groupHindrance(picture, orders, placements, candidate, where) === null;
  return !suits(home) && suits(node);
}

function movedTooOften({ memory, now }: Picture, { name, movesMax, movesWindowMs }: Package): boolean {
  return (memory.moves[name] ?? []).filter((at) => now - at < movesWindowMs).length >= movesMax;
}

/** It should not stay where it is: to another node if one can receive it and it may go by itself. */
function leave(one: Case, node: string, cause: Cause, why: string[]): Verdict {
  const { picture, orders, placements, candidate, allowed } = one;
  const must = cause === 'node-halted' || cause === 'node-removed' || cause === 'follows' || cause === 'gives-way';
  const stayOr = (more: string[], alarm?: PlacementAlarm): Verdict => ({
    ...(must ? { to: 'rest' } : back(one, node, cause)),
    cause,
    why: [...why, ...more],
    ...(alarm === undefined ? {} : { alarm }),
  });
  if (!isEnabled(one)) return stayOr(['it is disabled']);
  if (!goesByItself(one)) return stayOr([`its failover is ${candidate.failover}`]);
  if (countsAsMove(cause) && movedTooOften(picture, candidate)) return stayOr([tooOften(candidate)], 'too-many-moves');
  const others = allowed.filter((it) => it !== node);
  // A net that dies or comes back for all does not do so at one moment: nobody leaves for one that is just up.
  const steady = cause === 'net-down' ? others.filter((it) => isSteady(picture, candidate, it)) : others;
  const fit = choose(picture, orders, placements, candidate, steady);
  // Where it did not start before is better than nowhere, unless it does not start here either.
  const anew = fit.node === null && cause !== 'not-started' ? withoutFailures(picture) : null;
  const chosen = anew === null ? fit : choose(anew, orders, placements, candidate, steady);
  if (chosen.node !== null) return { to: 'node', node: chosen.node, cause, why: [...why, ...chosen.why] };
  const unsteady = others.filter((it) => !steady.includes(it)).map((it) => unsteadyText(picture, candidate, it));
  const nobody = others.length === 0 ? ['no other node may run it'] : [...chosen.why, ...unsteady];
  return stayOr(nobody, cause === 'net-down' ? 'net-down-nowhere-to-go' : undefined);
}

function withoutFailures(picture: Picture): Picture {
  return { ...picture, memory: { ...picture.memory, failed: {} } };
}

function isSteady(picture: Picture, candidate: Package, node: string): boolean {
  return netsOf(candidate).every((net) => picture.nodes[node]?.steady.includes(net) === true);
}

function unsteadyText(picture: Picture, candidate: Package, node: string): string {
  const down = netsWithout(picture, candidate, node, false);
  const health = picture.nodes[node]?.health ?? 'unheard';
  if (health !== 'alive') return `${node} is ${health}`;
  const nets = (down.length > 0 ? down : netsOf(candidate)).join(', ');
  return down.length > 0 ? `${node} has its net ${nets} down` : `${node} has its net ${nets} up for a moment only`;
}

function tooOften({ movesMax, movesWindowMs }: Package): string {
  return `it was moved ${movesMax} times within ${Math.round(movesWindowMs / 1000)} s`;
}

/** A halt that began on its way elsewhere is taken back where that is of use. */
function back({ picture }: Case, node: string, cause: Cause): { to: 'node'; node: string } | { to: 'as-is' } {
  const isThere = picture.nodes[node]?.health === 'alive' && cause !== 'node-leaving';
  return isThere ? { to: 'node', node } : { to: 'as-is' };
}

/** The next placement on the way to the verdict; null: the document says so already, or something must come first. */
function nextOf(
  picture: Picture,
  placements: Placements,
  candidate: Package,
  verdict: Verdict,
): Placements[string] | null {
  if (verdict.to === 'as-is') return null;
  const { name } = candidate;
  const { node, state } = placements[name] ?? { node: null, state: 'halt' };
  const goes = verdict.to === 'node' ? verdict.node : null;
  if (node === null) return goes === null ? null : { node: goes, state: 'run' };
  if (goes === node) return state === 'run' ? null : { node, state: 'run' };
  if (dependents(picture, placements, candidate, node)) return null;
  if (goes !== null && picture.released[name] === true) return { node: goes, state: 'run' };
  const answers = picture.nodes[node]?.health === 'alive' || picture.nodes[node]?.health === 'suspect';
  return state === 'run' && (answers || goes === null) ? { node, state: 'halt' } : null;
}

/** What depends on it is halted first; on a node that is gone there is nothing to halt. */
function dependents(picture: Picture, placements: Placements, { name }: Package, node: string): boolean {
  const health = picture.nodes[node]?.health;
  if (health !== 'alive' && health !== 'suspect') return false;
  return picture.packages.some(
    (other) => other.dependsOn.includes(name) && occupies(picture, placements, other.name, node),
  );
}
