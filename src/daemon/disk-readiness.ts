/** The disks of a cluster's arbiter: what they hold, and whether this node can use them. May wait for a disk that hangs. */
import { diskKey } from '../../drivers/arbiter/disk/layout.js';
import { DiskError } from '../../drivers/arbiter/disk/device.js';
import { inspect, prepare, type Prepared, type Wanted } from '../../drivers/arbiter/disk/preparation.js';
import type { Cluster } from '../config/cluster.js';
import { documentBytesMax } from '../membership/document-size.js';

export interface DiskFinding {
  path: string;
  what: 'unusable' | 'foreign' | 'unprepared' | 'small' | 'no-place' | 'old-key';
  severity: 'error' | 'warning';
  text: string;
  fix: string;
}

const ROOM_MIN = 64 * 1024;

/** Empty: the arbiter is none of disks. */
export function arbiterPaths({ quorum }: Cluster): string[] {
  const arbiter = typeof quorum === 'object' ? quorum.arbiter : undefined;
  return arbiter?.kind === 'disk' ? arbiter.paths : [];
}

/**
 * What this cluster file asks of its disks; documents get twice the room that they need, as a power of two. `keys`: of the
 * key file, the newest last; with that one a header is written.
 */
export function wantedDisks(cluster: Cluster, keys: readonly Uint8Array[]): Wanted {
  const { name, nodes } = cluster;
  const documentBytes = Math.max(ROOM_MIN, 2 ** Math.ceil(Math.log2(2 * documentBytesMax(cluster))));
  return { cluster: name, nodes: nodes.map((node) => node.name), documentBytes, keys: keys.map(diskKey).reverse() };
}

export type { Prepared };

/** Makes the disks of the cluster file an arbiter; a text says why not. */
export function prepareDisks(
  cluster: Cluster,
  keys: readonly Uint8Array[],
  how: { force: boolean; dryRun: boolean },
): Prepared[] | string {
  try {
    return prepare(arbiterPaths(cluster), wantedDisks(cluster, keys), how);
  } catch (error) {
    if (error instanceof DiskError) return error.message;
    throw error;
  }
}

const INIT = 'do, on one node: baton arbiter init';

export function diskFindings(cluster: Cluster, keys: readonly Uint8Array[]): DiskFinding[] {
  const wanted = wantedDisks(cluster, keys);
  const ids = new Set<string>();
  const found = arbiterPaths(cluster).flatMap((path) => ofOne(path, wanted, documentBytesMax(cluster), ids));
  if (ids.size < 2) return found;
  const text = 'the disks of the arbiter were not made together';
  const fix = `${INIT} --force`;
  return [...found, { path: arbiterPaths(cluster)[0]!, what: 'foreign', severity: 'error', text, fix }];
}

function ofOne(path: string, wanted: Wanted, leastBytes: number, ids: Set<string>): DiskFinding[] {
  const of = (
    what: DiskFinding['what'],
    text: string,
    fix: string,
    severity: DiskFinding['severity'] = 'error',
  ): DiskFinding[] => [{ path, what, severity, text, fix }];
  let it: ReturnType<typeof inspect>;
  try {
    it = inspect(path, wanted);
  } catch (error) {
    return of('unusable', `the arbiter's disk ${(error as Error).message}`, 'mend that, or name another disk');
  }
  if (it.is === 'absent') return of('unprepared', `the arbiter's disk ${path} is not there`, INIT);
  if (it.is === 'blank') return of('unprepared', `${path} is blank, no arbiter was made of it yet`, INIT);
  if (it.is === 'foreign')
    return of(
      'foreign',
      `${path}: ${it.text}`,
      `name another disk, or, if nobody needs what is there: ${INIT} --force`,
    );
  ids.add(it.header.storageId);
  const { nodes, documentBytes } = it.header;
  const missing = wanted.nodes.filter((node) => !nodes.includes(node));
  if (documentBytes < leastBytes)
    return of(
      'small',
      `${path} has room for documents of ${documentBytes} bytes; this cluster file needs ${leastBytes}`,
      `${INIT} --force`,
    );
  if (missing.length > 0) return of('no-place', `${path} has no place for ${missing.join(', ')}`, INIT);
  if (it.old) return of('old-key', `${path} was made under an older key`, INIT, 'warning');
  return [];
}
