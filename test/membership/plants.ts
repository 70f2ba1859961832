/** Bugs that a test may plant, to show that it is able to find them. Nothing of the product knows of them. */
import { decodeMessage, encodeMessage } from '../../src/frame/dialogue.js';
import type { Part } from '../../src/frame/part.js';

/**
 * `joint`: of a joint document only the new voters count. `up-to-date`: voters do not look at a candidate's document.
 * `storage-id`: who lost its disk is the same voter as before. `sync`: what is said to be on the disk is not.
 */
export type Plant = 'joint' | 'up-to-date' | 'storage-id' | 'sync';

export const planted = new Set<Plant>();

/** As if each candidate had the newest document of all. */
export function boasting(parts: readonly Part[], packages: string[]): Part[] {
  return parts.map((part) => {
    const message = decodeMessage(part, packages);
    if (message?.kind !== 'ask') return part;
    return encodeMessage({ ...message, version: { term: 2 ** 40, revision: 0 } }, packages);
  });
}
