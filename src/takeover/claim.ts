/** What a frame says of who has an address: ARP of any form (RFC 826), advertisement or solicitation (RFC 4861). */
import { decodeArp, isGratuitous } from '../frame/arp.js';
import { decodeEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV6 } from '../frame/ethernet.js';
import { UNSPECIFIED_V4, UNSPECIFIED_V6 } from '../frame/ip.js';
import { decodeNdp } from '../frame/ndp.js';
import type { World } from '../world.js';

export interface Claim {
  address: string;
  mac: string;
  /** It answers a question, or might. */
  answers: boolean;
  /** It answers nobody: an announcement. */
  gratuitous: boolean;
}

/** Null: none. A probe claims nothing (RFC 5227 section 1.1). */
export function claimIn(bytes: Uint8Array): Claim | null {
  const frame = decodeEthernet(bytes);
  if (typeof frame === 'string') return null;
  if (frame.etherType === ETHERTYPE_ARP) {
    const arp = decodeArp(frame.payload);
    if (typeof arp === 'string' || arp.spa === UNSPECIFIED_V4) return null;
    return { address: arp.spa, mac: arp.sha, answers: arp.op === 'reply', gratuitous: isGratuitous(arp) };
  }
  if (frame.etherType !== ETHERTYPE_IPV6) return null;
  const ndp = decodeNdp(frame.payload);
  if (typeof ndp === 'string') return null;
  if (ndp.type === 'neighbour-advertisement') {
    const mac = ndp.targetLinkLayer ?? frame.source;
    return { address: ndp.target, mac, answers: true, gratuitous: !ndp.solicited };
  }
  if (ndp.source === UNSPECIFIED_V6) return null;
  return { address: ndp.source, mac: ndp.sourceLinkLayer ?? frame.source, answers: false, gratuitous: false };
}

/** Is it a MAC of this node's? */
export function isOwnMac({ host }: World, mac: string): boolean {
  return Object.values(host).some((seen) => seen.mac === mac);
}
