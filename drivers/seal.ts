/** The keyed MAC over poll frames: HMAC-SHA-256 under the cluster key, truncated to its first 16 bytes (RFC 2104 section 5). */
import { createHmac, createSecretKey } from 'node:crypto';

const SEAL_LENGTH = 16;

/** Remembers its last answer: a peer's frame comes in over several NICs at once. */
export function sealWith(key: Uint8Array): (bytes: Uint8Array) => Uint8Array {
  const secret = createSecretKey(key);
  let last = Buffer.alloc(0);
  let lastSeal = new Uint8Array(SEAL_LENGTH);
  return (bytes) => {
    if (!last.equals(bytes)) {
      lastSeal = new Uint8Array(createHmac('sha256', secret).update(bytes).digest()).subarray(0, SEAL_LENGTH);
      last = Buffer.from(bytes);
    }
    return lastSeal;
  };
}
