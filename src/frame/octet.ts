/** Numbers, hex digits and short texts in bytes, big-endian. Writers return the place after what they wrote. */

export function putNumber(bytes: Uint8Array, at: number, value: number, length: number): number {
  for (let i = length - 1; i >= 0; i--) {
    bytes[at + i] = value % 256;
    value = Math.floor(value / 256);
  }
  return at + length;
}

/** The first `length` pairs of digits; zeros where there are fewer. */
export function putHex(bytes: Uint8Array, at: number, digits: string, length: number): number {
  for (let i = 0; i < length; i++) {
    const has = 2 * i + 1 < digits.length;
    bytes[at + i] = has ? (digitOf(digits.charCodeAt(2 * i)) << 4) | digitOf(digits.charCodeAt(2 * i + 1)) : 0;
  }
  return at + length;
}

/** Its length in one byte, then Latin-1. */
export function putText(bytes: Uint8Array, at: number, text: string): number {
  bytes[at++] = text.length;
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
  return at;
}

/** 0 beyond the end. */
export function numberAt(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function hexAt(bytes: Uint8Array, at: number, length: number): string {
  let digits = '';
  for (let i = 0; i < length; i++) digits += PAIRS[bytes[at + i] ?? 0]!;
  return digits;
}

function digitOf(code: number): number {
  return code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57;
}
