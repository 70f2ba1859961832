/** The keyed MAC over poll frames: HMAC-SHA-256 under the cluster key, truncated to its first 16 bytes (RFC 2104 section 5). */
import { createHmac, createSecretKey } from 'node:crypto';
import type { Seal } from '../src/world.js';

const SEAL_LENGTH = 16;

export function sealWith(key: Uint8Array): Seal {
  const secret = createSecretKey(key);
  return (bytes) => new Uint8Array(createHmac('sha256', secret).update(bytes).digest()).subarray(0, SEAL_LENGTH);
}
