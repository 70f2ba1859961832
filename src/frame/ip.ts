/** IPv4 and IPv6 addresses: four or sixteen bytes on the wire, canonical text everywhere else (RFC 5952 for IPv6). */

export const UNSPECIFIED_V4 = '0.0.0.0';
export const UNSPECIFIED_V6 = '::';
/** All nodes on the link (RFC 4291 section 2.7.1). */
export const ALL_NODES = 'ff02::1';

const DOT = 0x2e;
const DIGIT_0 = 0x30;
const GROUP = /^[0-9a-f]{1,4}$/i;

/** Four bytes for IPv4, sixteen for IPv6, null for any other text. No zone, no prefix length. */
export function parseIp(text: string): Uint8Array | null {
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

/** Bytes of an address that is known to be one. Throws an Error for any other text: that is our own mistake, not the world's. */
export function ipBytes(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === null) throw new Error(`"${text}" is not an IP address`);
  return bytes;
}

/** Canonical text of four or sixteen bytes. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? `${bytes[0]!}.${bytes[1]!}.${bytes[2]!}.${bytes[3]!}` : formatV6(bytes);
}

export function ipFamily(text: string): 4 | 6 {
  return text.includes(':') ? 6 : 4;
}

/** The multicast group in which the owner of `address` listens for solicitations (RFC 4291 section 2.7.1). */
export function solicitedNode(address: string): string {
  const group = ipBytes('ff02::1:ff00:0');
  group.set(ipBytes(address).subarray(13), 13);
  return formatIp(group);
}

/** The group MAC of an IP multicast group (RFC 1112 section 6.4, RFC 2464 section 7). */
export function groupMac(group: string): string {
  const bytes = ipBytes(group);
  const mac =
    bytes.length === 4
      ? [0x01, 0x00, 0x5e, (bytes[1] ?? 0) & 0x7f, bytes[2] ?? 0, bytes[3] ?? 0]
      : [0x33, 0x33, ...bytes.subarray(12)];
  return mac.map((octet) => octet.toString(16).padStart(2, '0')).join(':');
}

/** Do the first `prefixLength` bits agree? Addresses of two families never do. */
export function samePrefix(one: string, other: string, prefixLength: number): boolean {
  const a = ipBytes(one);
  const b = ipBytes(other);
  if (a.length !== b.length) return false;
  for (let i = 0; i * 8 < prefixLength; i++) {
    const mask = 0xff & (0xff00 >> Math.min(8, prefixLength - i * 8));
    if (((a[i] ?? 0) & mask) !== ((b[i] ?? 0) & mask)) return false;
  }
  return true;
}

/** Digit by digit: every frame and route of the simulator asks. An octet has no leading zero. */
function parseV4(text: string): Uint8Array | null {
  const bytes = new Uint8Array(4);
  let octet = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (digits === 0 || octet > 3) return null;
      bytes[octet++] = value;
      digits = 0;
      value = 0;
      continue;
    }
    if (code < DIGIT_0 || code > DIGIT_0 + 9 || (digits > 0 && value === 0)) return null;
    value = value * 10 + code - DIGIT_0;
    if (++digits > 3 || value > 255) return null;
  }
  return octet === 4 ? bytes : null;
}

function parseV6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const known = head.length + tail.length;
  // RFC 5952 section 4.2.2: "::" stands for at least one group, and one without it is whole.
  if (halves.length === 1 ? known !== 16 : known > 14) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Bytes of `fd77:0:1`; the last group may be dotted IPv4 (RFC 4291 section 2.2) where the text ends there. */
function parseGroups(text: string, atEnd: boolean): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    if (GROUP.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const dotted = atEnd && i === groups.length - 1 ? parseV4(group) : null;
    if (dotted === null) return null;
    bytes.push(...dotted);
  }
  return bytes;
}

function formatV6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  const zeros = longestZeros(groups);
  // RFC 5952 section 5: the prefixes that are known to carry IPv4 show it.
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return `::ffff:${bytes.subarray(12).join('.')}`;
  const text = groups.map((group) => group.toString(16));
  if (zeros.length < 2) return text.join(':');
  return `${text.slice(0, zeros.start).join(':')}::${text.slice(zeros.start + zeros.length).join(':')}`;
}

/** The longest run of zero groups, the first of equally long ones (RFC 5952 section 4.2.3). */
function longestZeros(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [i, group] of groups.entries()) {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  }
  return best;
}
