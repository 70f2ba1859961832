/** Prefixes in canonical text, as routes and addresses carry them. */
import { formatIp, ipBytes, ipFamily, samePrefix } from '../../src/frame/ip.js';

export interface Network {
  family: 4 | 6;
  base: string;
  length: number;
}

const known = new Map<string, Network>();

/** `10.77.0.0/24`, or an address alone for a host. */
export function parseNetwork(text: string): Network {
  const found = known.get(text);
  if (found) return found;
  const [base, length] = text.split('/') as [string, string | undefined];
  const family = ipFamily(base);
  const network = { family, base, length: length === undefined ? (family === 4 ? 32 : 128) : Number(length) };
  known.set(text, network);
  return network;
}

export function covers(destination: string, address: string): boolean {
  const network = parseNetwork(destination);
  return network.family === ipFamily(address) && samePrefix(network.base, address, network.length);
}

/** `10.77.0.1`, 24 → `10.77.0.0/24`. */
export function networkOf(address: string, length: number): string {
  const bytes = ipBytes(address);
  for (let i = 0; i < bytes.length; i++) bytes[i]! &= 0xff & (0xff00 >> Math.min(8, Math.max(0, length - i * 8)));
  return `${formatIp(bytes)}/${length}`;
}

export function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/.test(address);
}

/** The link-local address that the kernel makes of a MAC (RFC 4291 appendix A). */
export function linkLocalOf(mac: string): string {
  const octets = mac.split(':').map((octet) => parseInt(octet, 16));
  octets[0]! ^= 2;
  const id = [...octets.slice(0, 3), 0xff, 0xfe, ...octets.slice(3)];
  return formatIp(Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...id]));
}
