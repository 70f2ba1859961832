/**
 * What this node knows of a register that cannot be undone: it never goes back. One that does was restored from an older
 * backup, and may have forgotten whom it voted for and what it acknowledged (MEMBERSHIP A6: that is the same as lost data).
 * Nothing is counted of it, and nothing taken from it, until it is another voter or shows the newer state again.
 */
import type { ArbiterStamp, RegisterAnswer } from './arbiter-record.js';
import { compareVersions, type Version } from './document.js';

export interface ArbiterMemory {
  storageId: string;
  stamp: ArbiterStamp;
  term: number;
  beat: number;
  version: Version;
}

type Shown = Extract<RegisterAnswer, { outcome: 'done' | 'refused' }>;

/** What it shows is older than what it showed before, and by what that is told; null: it is not. */
export function setBack(known: ArbiterMemory | null, { stamp, record }: Shown): string | null {
  if (known?.storageId !== record.storageId) return null;
  const { version } = record.document;
  if (record.term < known.term) return `its term is ${record.term} and was ${known.term}`;
  if (compareVersions(version, known.version) < 0)
    return `its document is ${versionText(version)} and was ${versionText(known.version)}`;
  if (record.beat < known.beat) return `its count of writes is ${record.beat} and was ${known.beat}`;
  if (stamp.created === known.stamp.created && isLess(stamp.modified, known.stamp.modified))
    return `its revision is ${stamp.modified} and was ${known.stamp.modified}`;
  return null;
}

export function remember({ stamp, record }: Shown): ArbiterMemory {
  const { storageId, term, beat, document } = record;
  return { storageId, stamp, term, beat, version: document.version };
}

function versionText({ term, revision }: Version): string {
  return `${term}.${revision}`;
}

/** Of decimal texts without leading zeros. */
function isLess(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
