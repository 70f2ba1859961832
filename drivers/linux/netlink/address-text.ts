/** Network addresses between the kernel's bytes and canonical text: dotted quad, and RFC 5952 for IPv6. */
import { isIPv4, isIPv6 } from 'node:net';

/** Canonical text of 4 or 16 bytes; null for any other length. */
export function addressText(bytes: Uint8Array): string | null {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  if (bytes.length === 16) return ipv6Text(bytes);
  return null;
}

/** 4 or 16 bytes of an address in any accepted text form; null if it is none. Zone names are not accepted. */
export function addressBytes(text: string): Buffer | null {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return null;
  const [head = '', tail] = text.split('::') as [string, string | undefined];
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  const bytes = Buffer.alloc(16);
  [...before, ...zeros, ...after].forEach((group, i) => bytes.writeUInt16BE(group, 2 * i));
  return bytes;
}

function groups(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function ipv6Text(bytes: Uint8Array): string {
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  // RFC 5952 section 5: a well-known prefix with an IPv4 address in it is written mixed.
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff)
    return `::ffff:${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}`;
  const { start, length } = longestZeros(words);
  if (length < 2) return words.map((word) => word.toString(16)).join(':');
  const hex = (part: number[]) => part.map((word) => word.toString(16)).join(':');
  return `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}

/** RFC 5952 section 4.2.3: the longest run of zero groups, the first one of equals. */
function longestZeros(words: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < words.length; i++) {
    let end = i;
    while (end < words.length && words[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
    if (end > i) i = end;
  }
  return best;
}

/** `02:00:00:00:00:01` of any number of bytes. */
export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Null if the text is no MAC of that form. */
export function macBytes(text: string): Buffer | null {
  return /^[0-9a-f]{2}(:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text.replaceAll(':', ''), 'hex') : null;
}
