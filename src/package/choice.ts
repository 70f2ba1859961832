/** The best node for a package, by its policy and by what is tied to it. */
import type { Package } from '../config/cluster.js';
import type { Orders } from '../membership/document.js';
import { hindrance, placedOn, type Placements } from './candidate.js';
import { companions, groupHindrance, groupOf } from './group.js';
import type { Picture } from './state.js';

/** The best of these nodes, and why the others are not it. */
export function choose(
  picture: Picture,
  orders: Orders,
  placements: Placements,
  candidate: Package,
  nodes: readonly string[],
  byOperator = false,
): { node: string | null; why: string[] } {
  const why: string[] = [];
  const fit: string[] = [];
  for (const node of nodes) {
    const hindered = hindrance(picture, orders, placements, candidate, node, byOperator);
    if (hindered === null) fit.push(node);
    else why.push(hindered);
  }
  const orderings: ((node: string) => number)[] = [];
  // What depends on others has no choice: it is where they are.
  if (candidate.dependsOn.length === 0 && groupOf(picture.packages, candidate).length > 1)
    orderings.push(
      (node) => (groupHindrance(picture, orders, placements, candidate, node) === null ? 0 : 1),
      (node) => -companions(picture, placements, candidate, node),
    );
  if (candidate.failover === 'min-package-node')
    orderings.push((node) => placedOn(placements, node).filter((name) => name !== candidate.name).length);
  return { node: best(fit, orderings), why };
}

/** The first ordering counts most; of equals it is the first in the package's list. */
function best(nodes: readonly string[], orderings: readonly ((node: string) => number)[]): string | null {
  const ranked = nodes.map((node) => ({ node, ranks: orderings.map((rank) => rank(node)) }));
  const compare = (a: number[], b: number[]): number => {
    const at = a.findIndex((rank, i) => rank !== b[i]);
    return at === -1 ? 0 : a[at]! - b[at]!;
  };
  return ranked.sort((a, b) => compare(a.ranks, b.ranks))[0]?.node ?? null;
}
