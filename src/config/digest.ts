/** Which cluster file a node has: two nodes with different digests never count to one quorum. */
import { createHash } from 'node:crypto';
import type { Cluster } from './cluster.js';

/** Keys in code point order, so that the order in the file does not matter where it means nothing. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

/**
 * SHA-256 of the canonical content, 64 hex digits. Comments, spacing and defaults written out do not change it, nor where a
 * node keeps its key.
 */
export function digestOf(content: Omit<Cluster, 'digest'>): string {
  return createHash('sha256')
    .update(canonical({ ...content, key: undefined }))
    .digest('hex');
}
