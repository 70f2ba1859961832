/** Macvlans (RTM_NEWLINK with IFLA_LINKINFO) and what is set on a link. Source: include/uapi/linux/if_link.h, drivers/net/macvlan.c. */
import { writeU32 } from './host-order.js';
import { attribute, attributeText, attributeU32, nested } from './message.js';

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_MACVLAN_MODE = 1;
const MACVLAN_MODE_BRIDGE = 4;
const IFF_UP = 1;
const FIXED = 16;

/** struct ifinfomsg: the flags named by `change` become `flags`. */
function fixedPart(ifindex: number, flags = 0, change = 0): Buffer {
  const fixed = Buffer.alloc(FIXED);
  writeU32(fixed, ifindex, 4);
  writeU32(fixed, flags, 8);
  writeU32(fixed, change, 12);
  return fixed;
}

/** For RTM_NEWLINK with CREATE and EXCL: a new one, set down, in bridge mode. */
export function encodeMacvlan(name: string, below: number, mac: Uint8Array): Buffer[] {
  return [
    fixedPart(0),
    attributeText(IFLA_IFNAME, name),
    attributeU32(IFLA_LINK, below),
    attribute(IFLA_ADDRESS, mac),
    nested(IFLA_LINKINFO, [
      attributeText(IFLA_INFO_KIND, 'macvlan'),
      nested(IFLA_INFO_DATA, [attributeU32(IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE)]),
    ]),
  ];
}

/** For RTM_NEWLINK without CREATE. The kernel takes no alias with a new link. */
export function encodeAlias(name: string, alias: string): Buffer[] {
  return [fixedPart(0), attributeText(IFLA_IFNAME, name), attribute(IFLA_IFALIAS, Buffer.from(alias))];
}

/** For RTM_NEWLINK without CREATE. */
export function encodeAdmin(ifindex: number, up: boolean): Buffer[] {
  return [fixedPart(ifindex, up ? IFF_UP : 0, IFF_UP)];
}

/** For RTM_DELLINK. */
export function encodeLinkDeletion(ifindex: number): Buffer[] {
  return [fixedPart(ifindex)];
}
