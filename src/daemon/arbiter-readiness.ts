/** What keeps this node from asking the arbiter of a cluster with packages. */
import { accessSync, constants } from 'node:fs';
import type { Cluster } from '../config/cluster.js';

/** No reason to stay down: the nodes may be a majority without it, and files are read again with each attempt. */
export function arbiterWarnings(cluster: Cluster): string[] {
  const { quorum, packages } = cluster;
  const arbiter = packages.length === 0 || typeof quorum !== 'object' ? undefined : quorum.arbiter;
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
