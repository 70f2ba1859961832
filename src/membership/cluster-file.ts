/**
 * Which cluster file the leases are of. Another file may have longer ones, and an address in another package; and nodes that
 * are not restarted yet hold theirs. So a coordinator whose document is of another file grants nothing and changes nothing
 * until every lease of that file is surely over (E8 with the longer T(L)); then the document takes the own file.
 *
 *   elected ──E9: unchanged, digest and all──▶ committed ──oldLeasesEnd──▶ own digest, own T(L) ──▶ committed: grants
 */
import type { Timing } from '../config/cluster.js';
import type { Ms } from '../input.js';
import type { World } from '../world.js';
import { compareVersions, type Document, type Version } from './document.js';
import { leaseMs, surelyOverMs } from './span.js';

/** T(L) of this node's file. */
function longestOverMs(timing: Timing): Ms {
  return surelyOverMs(leaseMs(timing), timing);
}

export function ownFile({ cluster }: World): Required<Pick<Document, 'digest' | 'overMs'>> {
  return { digest: cluster.digest, overMs: longestOverMs(cluster.timing) };
}

/** Are leases granted under this document those of the own file? */
export function isOfOwnFile({ cluster }: World, document: Document | null): boolean {
  return document?.digest === cluster.digest;
}

/**
 * May leases of the own file be granted under this document of the own term? Once a document of that file is committed:
 * whoever is elected without one waits for those of the former file alone.
 */
export function mayLease(
  world: World,
  { committed, before }: { committed: Version; before: Document | null },
  document: Document | null,
): boolean {
  if (document === null || committed.term !== document.version.term || !isOfOwnFile(world, document)) return false;
  return isOfOwnFile(world, before) || compareVersions(committed, document.version) >= 0;
}

/** When leases that run under this document are surely over: T(L) of its file or of the own one, whichever is longer. */
export function grantedOverMs({ cluster }: World, document: Document | null): Ms {
  return Math.max(longestOverMs(cluster.timing), document?.overMs ?? 0);
}
