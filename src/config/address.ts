/** Addresses of the cluster file in canonical text, so that equal addresses are equal texts. */
import ip6addr, { type Addr } from 'ip6addr';
import { isIP } from 'node:net';
import type { Prefix } from './cluster.js';

export interface PlainAddress {
  family: 4 | 6;
  /** Dotted quad, or RFC 5952. */
  address: string;
}

/** RFC 5952 section 4.2.2: one zero field alone is not shortened, which ip6addr does. */
function elide(fields: string): string {
  const parts = fields.split(':');
  let best = { from: 0, length: 1 };
  for (let from = 0; from < parts.length; from++) {
    let length = 0;
    while (parts[from + length] === '0') length++;
    if (length > best.length) best = { from, length };
  }
  if (best.length < 2) return parts.join(':');
  return `${parts.slice(0, best.from).join(':')}::${parts.slice(best.from + best.length).join(':')}`;
}

/** ip6addr refuses some dotted tails that are valid, such as `::1.2.3.4`. */
function attempt(text: string): Addr | null {
  try {
    return ip6addr.parse(text);
  } catch {
    return null;
  }
}

/** Null if it is not an address. A zone (`%eth0`), an octal look-alike (`010.0.0.1`) and IPv4 in IPv6 dress are none. */
export function parseAddress(text: string): PlainAddress | null {
  const family = isIP(text);
  if (family === 0 || text.includes('%')) return null;
  const parsed = attempt(text);
  if (!parsed) return null;
  if (family === 4) return { family: 4, address: parsed.toString() };
  if (parsed.kind() === 'ipv4') return null;
  return { family: 6, address: elide(parsed.toString({ format: 'v6', zeroElide: false })) };
}

/** `10.77.0.1/24`. Null if it is none; `hostLength` says what a missing length means, null that it must be there. */
export function parsePrefix(text: string, hostLength: boolean): Prefix | null {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const plain = parseAddress(match?.[1] ?? '');
  if (!match || !plain) return null;
  const longest = plain.family === 4 ? 32 : 128;
  if (match[2] === undefined) return hostLength ? { ...plain, prefixLength: longest } : null;
  const prefixLength = Number(match[2]);
  if (prefixLength < 1 || prefixLength > longest) return null;
  return { ...plain, prefixLength };
}

/** Is the address on the link of that prefix? */
export function contains(prefix: Prefix, address: string): boolean {
  return ip6addr.createCIDR(prefix.address, prefix.prefixLength).contains(address);
}

/** Why a host cannot have this address, in words that follow "is"; null if it can. */
export function unfitForHost(prefix: Prefix): string | null {
  const { family, address, prefixLength } = prefix;
  if (family === 4) {
    const first = Number(address.split('.')[0]);
    if (first === 0 || first >= 240) return 'a reserved address';
    if (first === 127) return 'a loopback address';
    if (first >= 224) return 'a multicast address';
    if (prefixLength < 31) {
      const net = ip6addr.createCIDR(address, prefixLength);
      if (net.first().toString() !== address && net.broadcast().toString() === address)
        return 'the broadcast address of its prefix';
      if (net.address().toString() === address) return 'the network address of its prefix';
    }
    return null;
  }
  if (address === '::') return 'the unspecified address';
  if (address === '::1') return 'a loopback address';
  if (address.startsWith('ff')) return 'a multicast address';
  if (/^fe[89ab]/.test(address)) return 'a link-local address, which never moves';
  return null;
}
