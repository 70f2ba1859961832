/** MAC addresses: six bytes on the wire, `02:00:00:00:00:01` everywhere else. */

export const MAC_LENGTH = 6;
export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const MAC_ZERO = '00:00:00:00:00:00';

const TEXT_LENGTH = 17;
const COLON = 0x3a;
const OCTETS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/** Null for anything but six octets of two hex digits, joined by colons. */
export function parseMac(text: string): Uint8Array | null {
  const bytes = new Uint8Array(MAC_LENGTH);
  return putMac(bytes, 0, text) ? bytes : null;
}

/** Digit by digit: every frame asks. False: that is none. */
function putMac(into: Uint8Array, offset: number, text: string): boolean {
  if (text.length !== TEXT_LENGTH) return false;
  for (let i = 0; i < MAC_LENGTH; i++) {
    const high = hexDigit(text.charCodeAt(3 * i));
    const low = hexDigit(text.charCodeAt(3 * i + 1));
    if (high < 0 || low < 0 || (i > 0 && text.charCodeAt(3 * i - 1) !== COLON)) return false;
    into[offset + i] = (high << 4) | low;
  }
  return true;
}

/** -1: none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Writes a MAC that is known to be one. Throws an Error for any other text: that is our own mistake, not the world's. */
export function writeMac(into: Uint8Array, offset: number, text: string): void {
  if (!putMac(into, offset, text)) throw new Error(`"${text}" is not a MAC address`);
}

const TEXTS_MAX = 1000;
/** A net has few MACs, and every frame shows two: their texts are kept. */
const texts = new Map<number, string>();

/** The six bytes at `offset`, which must be there. Lower case. */
export function readMac(from: Uint8Array, offset: number): string {
  let number = 0;
  for (let i = 0; i < MAC_LENGTH; i++) number = number * 256 + (from[offset + i] ?? 0);
  let text = texts.get(number);
  if (text === undefined) {
    text = Array.from({ length: MAC_LENGTH }, (_, i) => OCTETS[from[offset + i] ?? 0] ?? '').join(':');
    if (texts.size >= TEXTS_MAX) texts.clear();
    texts.set(number, text);
  }
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
  const low = hexDigit(text.charCodeAt(1));
  return low > 0 && (low & 1) === 1;
}
