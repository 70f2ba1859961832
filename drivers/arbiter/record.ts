/** The arbiter's record as text: one line of JSON, the same for every store that can be an arbiter. */
import type { ArbiterRecord } from '../../src/membership/arbiter-record.js';
import { readDocument, readVersion, readVoter } from '../../src/membership/document.js';

export function recordText(record: ArbiterRecord): string {
  return JSON.stringify(record);
}

/** Null: it is none, or not a whole one. Nothing is guessed: half a record read as a whole one may cost a vote twice. */
export function parseRecord(text: string): ArbiterRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { storageId, term, votedFor, document, beat } = value as Record<string, unknown>;
  const version = readVersion({ term, revision: beat });
  const voter = votedFor === null ? null : readVoter(votedFor);
  const stored = readDocument(document);
  if (version === null || version.term < 0 || stored === null) return null;
  if (typeof storageId !== 'string' || !/^[0-9a-f]{32}$/.test(storageId)) return null;
  if (votedFor !== null && voter === null) return null;
  return { storageId, term: version.term, votedFor: voter, document: stored, beat: version.revision };
}
