/** Links (RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK). Source: include/uapi/linux/if_link.h, RFC 3549 section 3.1.1. */
import { macText } from './address-text.js';
import { readI32, readU16, readU32, writeU32 } from './host-order.js';
import { asText, asU32, attribute, attributeMap, attributeText, attributeU32 } from './message.js';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_EXT_MASK = 29;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const IFLA_BOND_SLAVE_STATE = 1;
const IFLA_BOND_SLAVE_MII_STATUS = 2;
/** BOND_STATE_ACTIVE and BOND_LINK_UP (include/uapi/linux/if_bonding.h). */
const BOND_STATE_ACTIVE = 0;
const BOND_LINK_UP = 0;
const RTEXT_FILTER_SKIP_STATS = 1 << 3;

const IFF_UP = 0x1;
const IFF_LOWER_UP = 0x10000;
const FIXED = 16;

export interface Link {
  ifindex: number;
  name: string;
  mac: string;
  mtu: number;
  /** ARPHRD_*: 1 is Ethernet. */
  linkType: number;
  kind?: string;
  /** What somebody wrote on it. */
  alias?: string;
  /** Ifindex of the bridge, bond, team or VRF it is a port of. */
  master?: number;
  /** Ifindex of the link below (VLAN, macvlan) or of the veth peer, if it is in this namespace. */
  below?: number;
  /** As a port of a bond: how the bond uses it. */
  bondPort?: 'active' | 'backup' | 'down';
  admin: boolean;
  carrier: boolean;
}

/** Null if malformed, or if it is a bridge's own view of a port: its RTM_DELLINK means that the port left, not that the link is gone. */
export function decodeLink(payload: Buffer): Link | null {
  if (payload.length < FIXED || payload[0] !== 0) return null;
  const attributes = attributeMap(payload, FIXED);
  const name = asText(attributes.get(IFLA_IFNAME));
  if (name === undefined) return null;
  const flags = readU32(payload, 8);
  const info = attributes.get(IFLA_LINKINFO);
  const kind = info && asText(attributeMap(info).get(IFLA_INFO_KIND));
  const bondPort = info && bondPortIn(attributeMap(info));
  const alias = asText(attributes.get(IFLA_IFALIAS));
  const master = asU32(attributes.get(IFLA_MASTER));
  const below = attributes.has(IFLA_LINK_NETNSID) ? undefined : asU32(attributes.get(IFLA_LINK));
  return {
    ifindex: readI32(payload, 4),
    name,
    mac: macText(attributes.get(IFLA_ADDRESS) ?? Buffer.alloc(0)),
    mtu: asU32(attributes.get(IFLA_MTU)) ?? 0,
    linkType: readU16(payload, 2),
    ...(kind !== undefined && { kind }),
    ...(alias && { alias }),
    ...(master && { master }),
    ...(below && { below }),
    ...(bondPort && { bondPort }),
    admin: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
  };
}

/** IFLA_BOND_SLAVE_* (drivers/net/bonding/bond_netlink.c, bond_fill_slave_info). */
function bondPortIn(info: ReadonlyMap<number, Buffer>): Link['bondPort'] {
  if (asText(info.get(IFLA_INFO_SLAVE_KIND)) !== 'bond') return undefined;
  const data = attributeMap(info.get(IFLA_INFO_SLAVE_DATA) ?? Buffer.alloc(0));
  const [state, mii] = [data.get(IFLA_BOND_SLAVE_STATE)?.[0], data.get(IFLA_BOND_SLAVE_MII_STATUS)?.[0]];
  if (mii !== undefined && mii !== BOND_LINK_UP) return 'down';
  return state === BOND_STATE_ACTIVE ? 'active' : 'backup';
}

function fixedPart(ifindex: number): Buffer {
  const fixed = Buffer.alloc(FIXED);
  writeU32(fixed, ifindex, 4);
  return fixed;
}

/** For a dump of all links, without the counters, which make each one four times as long. */
export function encodeLinkDump(): Buffer[] {
  return [fixedPart(0), attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)];
}

/** For one link by its name (Linux 2.6.33). */
export function encodeLinkByName(name: string): Buffer[] {
  return [fixedPart(0), attributeText(IFLA_IFNAME, name), attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)];
}

/** For RTM_NEWLINK without CREATE: another MAC for an existing link. */
export function encodeMacChange(ifindex: number, mac: Uint8Array): Buffer[] {
  return [fixedPart(ifindex), attribute(IFLA_ADDRESS, mac)];
}
