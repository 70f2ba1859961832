/** What the last look at floating addresses stood on, to tell whether the membership says anything else by now. */
import type { Ms } from '../input.js';
import { compareVersions, type Version } from '../membership/document.js';
import type { Mandate } from './floating-state.js';

export interface Stand extends Pick<Mandate, 'leaseEnd' | 'may'> {
  /** Of the document; null: there was none. */
  version: Version | null;
}

export function standOf({ leaseEnd, may, document }: Mandate): Stand {
  return { leaseEnd, may, version: document?.version ?? null };
}

/** Until its lease ends nothing of it changes by time. */
export function stands({ leaseEnd }: Stand, now: Ms): boolean {
  return leaseEnd === null || now < leaseEnd;
}

export function isSameStand({ leaseEnd, may, version }: Stand, now: Mandate): boolean {
  if ((leaseEnd === null) !== (now.leaseEnd === null) || !isSame(version, now.document?.version ?? null)) return false;
  let isIdle = true;
  for (const name in may) {
    isIdle = false;
    if (!isSame(may[name]!, now.may[name] ?? null)) return false;
  }
  for (const name in now.may) if (may[name] === undefined) return false;
  // How long a lease lasts under which nothing may be served is nobody's concern.
  return isIdle || leaseEnd === now.leaseEnd;
}

function isSame(one: Version | null, other: Version | null): boolean {
  return one === null || other === null ? one === other : compareVersions(one, other) === 0;
}
