/**
 * Does the net carry frames under a MAC that is no NIC's? The holder sends one and asks peers (part `trial`), who tell
 * which of the MACs they heard (part `heard`; none: they listened in vain):
 *
 *   token(4) n(1) [mac(6)]…
 */
import { MAC_LENGTH, readMac, writeMac } from './mac.js';
import { numberAt, putNumber } from './octet.js';

export interface Trial {
  /** Of the asker's: below 2^32. */
  token: number;
  macs: string[];
}

export const TRIAL_MACS_MAX = 8;
const HEAD = 5;

/** Throws a RangeError beyond TRIAL_MACS_MAX: that is our own mistake. */
export function encodeTrial({ token, macs }: Trial): Uint8Array {
  if (macs.length > TRIAL_MACS_MAX) throw new RangeError(`${macs.length} MACs in one trial`);
  const bytes = new Uint8Array(HEAD + macs.length * MAC_LENGTH);
  bytes[putNumber(bytes, 0, token, 4)] = macs.length;
  macs.forEach((mac, i) => writeMac(bytes, HEAD + i * MAC_LENGTH, mac));
  return bytes;
}

/** Null: damaged. */
export function decodeTrial(bytes: Uint8Array): Trial | null {
  const count = bytes[HEAD - 1];
  if (count === undefined || count > TRIAL_MACS_MAX || bytes.length !== HEAD + count * MAC_LENGTH) return null;
  const macs = Array.from({ length: count }, (_, i) => readMac(bytes, HEAD + i * MAC_LENGTH));
  return { token: numberAt(bytes, 0, 4), macs };
}
