/** Places of NICs in the cluster file: by them nodes with the same file name NICs to each other. */
import type { ClusterNode } from '../config/cluster.js';

const namesOf = new WeakMap<ClusterNode, readonly string[]>();

/** NICs of a node, each once: a standby may serve several nets. */
export function nicNames(node: ClusterNode): readonly string[] {
  let names = namesOf.get(node);
  if (names === undefined) {
    names = [...new Set(node.nets.flatMap((part) => [part.primary, ...part.standby]))];
    namesOf.set(node, names);
  }
  return names;
}
