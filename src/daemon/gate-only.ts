/** `baton daemon --gate-only`: the closed gate of the cluster file, before the host has its first address; no daemon. */
import { Gatekeeper } from '../../drivers/linux/gate/gatekeeper.js';
import { readClusterFile } from '../config/parse.js';
import { ClusterFileError } from '../config/problem.js';
import { floatingTexts } from '../takeover/floating-address.js';
import { Unready } from './preflight.js';

/** A line for the operator. A gate that is there already stays as it is, be it open. Throws Unready. */
export function makeGate(config: string): string {
  const cluster = readFile(config);
  const { fence } = cluster;
  if (fence !== 'gate') return `fence: ${fence} has no gate; nothing done`;
  const addresses = floatingTexts(cluster);
  if (addresses.length === 0) return 'no package has a floating address; nothing done';
  const count = `${addresses.length} floating address${addresses.length === 1 ? '' : 'es'}`;
  try {
    const keeper = new Gatekeeper(addresses, cluster.timing.renewLateMaxMs);
    try {
      if (keeper.check() === null) return `the gate of ${count} is there already`;
      keeper.establish();
      return `the gate of ${count} is there, closed`;
    } finally {
      keeper.close();
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Unready(
      `the gate cannot be made: ${text}\nit needs root, nf_tables in the kernel, and no batond of another cluster file`,
      1,
    );
  }
}

function readFile(config: string): ReturnType<typeof readClusterFile>['cluster'] {
  try {
    return readClusterFile(config).cluster;
  } catch (error) {
    if (error instanceof ClusterFileError) throw new Unready(error.message, 2);
    throw error;
  }
}
