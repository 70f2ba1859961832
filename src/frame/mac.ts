/** MAC addresses: six bytes on the wire, `02:00:00:00:00:01` everywhere else. */

export const MAC_LENGTH = 6;
export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const MAC_ZERO = '00:00:00:00:00:00';

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;
const OCTETS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/** Null for anything but six octets of two hex digits, joined by colons. */
export function parseMac(text: string): Uint8Array | null {
  if (!MAC.test(text)) return null;
  return Uint8Array.from(text.split(':'), (octet) => parseInt(octet, 16));
}

/** Writes a MAC that is known to be one. Throws an Error for any other text: that is our own mistake, not the world's. */
export function writeMac(into: Uint8Array, offset: number, text: string): void {
  const bytes = parseMac(text);
  if (bytes === null) throw new Error(`"${text}" is not a MAC address`);
  into.set(bytes, offset);
}

/** The six bytes at `offset`, which must be there. Lower case. */
export function readMac(from: Uint8Array, offset: number): string {
  let text = '';
  for (let i = 0; i < MAC_LENGTH; i++) text += (i === 0 ? '' : ':') + (OCTETS[from[offset + i] ?? 0] ?? '');
  return text;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** What a NIC is called while another one has its MAC: locally administered, unicast, and always the same one. */
export function spareMac(mac: string): string {
  let hash = FNV_OFFSET;
  for (const char of mac) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), FNV_PRIME);
  const octets = [0x0a, hash >>> 24, (hash >>> 16) & 0xff, (hash >>> 8) & 0xff, hash & 0xff];
  return [...octets.map((octet) => OCTETS[octet] ?? ''), mac.slice(-2)].join(':');
}

/** Is the I/G bit set (IEEE 802-2014, 8.2.2)? A group address never stands for a sender. */
export function isGroupMac(text: string): boolean {
  return (parseInt(text.slice(0, 2), 16) & 1) === 1;
}
