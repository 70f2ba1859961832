/** Which node can receive a package, and if not, why not, in the words that operators get. */
import type { Package } from '../config/cluster.js';
import type { Orders, Placement } from '../membership/document.js';
import type { Picture } from './state.js';

export type Placements = Record<string, Pick<Placement, 'node' | 'state'>>;

const netsByPackage = new WeakMap<Package, readonly string[]>();

/** Found at once, for each decision asks it of every package and node. */
export function netsOf(one: Package): readonly string[] {
  let nets = netsByPackage.get(one);
  if (nets === undefined) {
    nets = [...new Set(one.resources.flatMap((resource) => (resource.kind === 'address' ? [resource.net] : [])))];
    netsByPackage.set(one, nets);
  }
  return nets;
}

export function isHalted(orders: Orders, node: string): boolean {
  return orders.haltedNodes.includes(node) || orders.removedNodes.includes(node);
}

/** Names of the package's nets that are down there, or of which nothing is known. */
export function netsWithout(picture: Picture, candidate: Package, node: string, up: false | null): string[] {
  return netsOf(candidate).filter((net) => (picture.nodes[node]?.nets[net] ?? null) === up);
}

/** Why the package cannot be placed on that node now; null: it can. `placements`: as they are about to be. */
export function hindrance(
  picture: Picture,
  orders: Orders,
  placements: Placements,
  candidate: Package,
  node: string,
  byOperator: boolean,
): string | null {
  const there = picture.nodes[node];
  if (there === undefined || !candidate.nodes.includes(node)) return `${node} is not a node of ${candidate.name}`;
  if (orders.removedNodes.includes(node)) return `${node} is removed`;
  if (orders.haltedNodes.includes(node)) return `${node} is halted`;
  if (there.health === 'left') return `${node} has left`;
  if (there.health === 'unheard') return `${node} was not heard yet`;
  if (there.health !== 'alive') return `${node} is ${there.health}`;
  if (there.leaving) return `${node} is about to stop`;
  if (there.isBeingShut) return `${node} is being shut by a fence agent`;
  const down = netsWithout(picture, candidate, node, false);
  if (down.length > 0) return `${node} has its net ${down.join(', ')} down`;
  const unknown = netsWithout(picture, candidate, node, null);
  if (unknown.length > 0) return `${node} has not said yet how its net ${unknown.join(', ')} is`;
  if (!byOperator && (picture.memory.failed[`${candidate.name}@${node}`] ?? 0) > picture.now)
    return `${candidate.name} did not start on ${node}`;
  return obstruction(picture, placements, candidate, node);
}

/** Placed there, or still halting there. */
export function occupies(picture: Picture, placements: Placements, name: string, node: string): boolean {
  const placement = placements[name];
  if (placement?.node !== node) return false;
  return placement.state === 'run' || picture.nodes[node]?.jobs[name]?.held === true;
}

/** Do the two exclude each other? One of them says so. */
export function isRival(one: Package, other: Package): boolean {
  return one.name !== other.name && (one.excludes.includes(other.name) || other.excludes.includes(one.name));
}

/** What of the other packages there stands in its way; null: nothing. */
export function obstruction(picture: Picture, placements: Placements, candidate: Package, node: string): string | null {
  return rivalry(picture, placements, candidate, node) ?? crowding(picture, placements, candidate, node);
}

function rivalry(picture: Picture, placements: Placements, candidate: Package, node: string): string | null {
  const rival = picture.packages.find(
    (other) => isRival(candidate, other) && occupies(picture, placements, other.name, node),
  );
  return rival === undefined ? null : `${node} runs ${rival.name}, and the two exclude each other`;
}

function crowding(picture: Picture, placements: Placements, candidate: Package, node: string): string | null {
  const capacity = picture.capacities[node];
  if (capacity === undefined) return null;
  const others = picture.packages.filter(
    ({ name }) => name !== candidate.name && occupies(picture, placements, name, node),
  );
  const taken = others.reduce((sum, { weight }) => sum + weight, 0);
  if (taken + candidate.weight <= capacity) return null;
  return `${node} has a capacity of ${capacity}, of which ${taken} is taken (${candidate.name} weighs ${candidate.weight})`;
}

/** The packages that run there, or are to. */
export function placedOn(placements: Placements, node: string): string[] {
  return Object.keys(placements).filter((name) => placements[name]!.node === node && placements[name]!.state === 'run');
}
