/**
 * All nodes of a drill have one key: what a sender has sealed, each receiver seals again a moment later to compare. The
 * latest answers are kept, so that a frame is sealed once.
 */
import type { Seal } from '../../src/world.js';

const KEPT = 16;

export function shared(seal: Seal): Seal {
  const kept: { bytes: Buffer; sealed: Uint8Array }[] = [];
  let next = 0;
  return (bytes) => {
    const asked = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const known = kept.find((one) => one.bytes.equals(asked));
    if (known) return known.sealed.slice();
    const sealed = seal(bytes);
    kept[next] = { bytes: Buffer.from(asked), sealed: sealed.slice() };
    next = (next + 1) % KEPT;
    return sealed;
  };
}
