/** What a cluster with packages asks of its arbiter, and this node cannot do. */
import { accessSync, constants } from 'node:fs';
import type { Arbiter, Cluster } from '../config/cluster.js';
import { hasPackages } from './hand-threads.js';

/** In words for the operator; null: nothing. */
export function arbiterRefusal(cluster: Cluster): string | null {
  if (askedArbiter(cluster)?.kind !== 'disk') return null;
  return 'quorum.arbiter.disk: disks are not asked by this version; name an etcd: { etcd: { endpoints: [...] } }';
}

/** No reason to stay down: the nodes may be a majority without it, and files are read again with each attempt. */
export function arbiterWarnings(cluster: Cluster): string[] {
  const arbiter = askedArbiter(cluster);
  if (arbiter?.kind !== 'etcd') return [];
  const files = (['ca', 'cert', 'key'] as const).flatMap((field) => {
    const path = arbiter[field];
    return path === undefined ? [] : [{ field, path }];
  });
  return files.flatMap(({ field, path }) => {
    try {
      accessSync(path, constants.R_OK);
      return [];
    } catch (error) {
      return [`quorum.arbiter.etcd.${field}: ${(error as Error).message}; the arbiter cannot be asked`];
    }
  });
}

function askedArbiter(cluster: Cluster): Arbiter | undefined {
  const { quorum } = cluster;
  return !hasPackages(cluster) || quorum === undefined || quorum === 'none' ? undefined : quorum.arbiter;
}
