/** How long a document of a cluster can become: what stores it in a fixed place must have the room. */
import type { Cluster } from '../config/cluster.js';
import { ARBITER, type Document, type Orders, type Version } from './document.js';

/** Beyond it: what later versions write into orders. */
const ALLOWANCE = 1.5;
/** Terms and revisions of that many digits last for some hundred years of one each second. */
const LATE: Version = { term: 9_999_999_999, revision: 9_999_999_999 };

/** Bytes of its JSON: every voter changing, every package placed, every order given. */
export function documentBytesMax({ nodes, packages, digest }: Pick<Cluster, 'nodes' | 'packages' | 'digest'>): number {
  const names = nodes.map(({ name }) => name);
  const longest = names.reduce((a, b) => (b.length > a.length ? b : a), '');
  const voters = [...names, ARBITER].map((name) => ({ name, storageId: '0'.repeat(32) }));
  const orders: Orders = {
    clusterHalted: false,
    haltedNodes: names,
    removedNodes: names,
    packages: Object.fromEntries(packages.map(({ name }) => [name, { enabled: false, halted: false, at: longest }])),
  };
  const placements = Object.fromEntries(
    packages.map(({ name }) => [name, { node: longest, epoch: LATE, state: 'halt' as const }]),
  );
  const whole: Document = {
    version: LATE,
    voters: { next: voters, previous: voters },
    placements,
    orders,
    digest,
    overMs: 86_400_000,
  };
  return Math.ceil(ALLOWANCE * JSON.stringify(whole).length);
}
