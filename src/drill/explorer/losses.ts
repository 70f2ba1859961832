/** Which disks may be lost, so that nobody needs an operator afterwards. */
import type { Network } from '../../../drivers/simulator/network.js';
import { ARBITER, compareVersions, type Document } from '../../membership/document.js';
import { readRecord } from '../../membership/durable.js';
import { isQuorum } from '../../membership/quorum.js';

/**
 * May that node's disk be lost? Not where its daemon runs on with it, for the voters may have become others when it starts anew;
 * and not where a quorum of the newest document would go with it, be that one the newest that this very disk has, or the newest without.
 */
export function mayLoseDisk({ daemons, arbiter }: Network, node: string): boolean {
  if (daemons.get(node)?.runs !== true) return false;
  const kept = new Set<string>();
  const all: Document[] = [];
  const left: Document[] = [];
  for (const [name, { disk, losesDisk }] of daemons) {
    const record = disk.text === null ? null : readRecord(JSON.parse(disk.text));
    if (record === null || losesDisk) continue;
    if (record.document !== null) all.push(record.document);
    if (name === node) continue;
    kept.add(`${name}/${record.storageId}`);
    if (record.document !== null) left.push(record.document);
  }
  const stored = arbiter?.record?.document;
  for (const documents of [all, left]) {
    const newest = [...documents, ...(stored ? [stored] : [])].sort((a, b) => compareVersions(b.version, a.version))[0];
    if (newest === undefined) return false;
    // The arbiter's data is never lost here.
    if (!isQuorum(newest.voters, (voter) => kept.has(voter) || voter.startsWith(`${ARBITER}/`))) return false;
  }
  return true;
}
