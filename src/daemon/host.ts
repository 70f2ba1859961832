/** What `ip` says of this host's NICs. For commands and the daemon's start only: nothing here is in a hurry. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';

export interface HostAddress {
  family: 4 | 6;
  address: string;
  prefixLength: number;
  linkLocal: boolean;
  /** Seconds left; absent: forever. DHCP and router advertisements make such. */
  validS?: number;
}

export interface HostNic {
  nic: string;
  ifindex: number;
  mac: string;
  mtu: number;
  /** `ether`, `loopback`, `infiniband` ... */
  linkType: string;
  /** `veth`, `bond`, `vlan`; absent for most physical cards. */
  kind?: string;
  master?: string;
  masterKind?: string;
  /** Of a bond: how often it looks at the carrier of its ports, or asks by ARP (0: never), and how long it waits then. */
  bond?: { miimonMs: number; arpIntervalMs: number; downDelayMs: number };
  /** The NIC below a VLAN, macvlan or ipvlan. */
  below?: string;
  admin: boolean;
  carrier: boolean;
  addresses: HostAddress[];
}

const FOREVER = 0xffffffff;

const shown = z.object({
  ifname: z.string().optional(),
  ifindex: z.number().optional(),
  flags: z.array(z.string()).default([]),
  mtu: z.number().default(0),
  link: z.string().optional(),
  master: z.string().optional(),
  link_type: z.string().default('unknown'),
  address: z.string().default(''),
  linkinfo: z
    .object({
      info_kind: z.string().optional(),
      info_slave_kind: z.string().optional(),
      info_data: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
  addr_info: z
    .array(
      z.object({
        family: z.string().optional(),
        local: z.string().optional(),
        prefixlen: z.number().optional(),
        scope: z.string().optional(),
        valid_life_time: z.number().default(FOREVER),
      }),
    )
    .default([]),
});

const STACKED = ['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap'];

function bondIn(linkinfo: z.infer<typeof shown>['linkinfo']): HostNic['bond'] {
  const { info_kind: kind, info_data: data } = linkinfo ?? {};
  if (kind !== 'bond' || data === undefined) return undefined;
  const numberOf = (name: string): number => (typeof data[name] === 'number' ? data[name] : 0);
  return {
    miimonMs: numberOf('miimon'),
    arpIntervalMs: numberOf('arp_interval'),
    downDelayMs: numberOf('downdelay'),
  };
}

/** The answer of `ip -j -d address show`. iproute2 puts empty objects among the real ones; they are left out. */
export function readHost(json: unknown): HostNic[] {
  return z
    .array(shown)
    .parse(json)
    .flatMap((it) => {
      if (it.ifname === undefined || it.ifindex === undefined) return [];
      const kind = it.linkinfo?.info_kind;
      const masterKind = it.linkinfo?.info_slave_kind;
      const bond = bondIn(it.linkinfo);
      const addresses = it.addr_info.flatMap((one): HostAddress[] => {
        if (one.local === undefined || one.prefixlen === undefined) return [];
        const family = one.family === 'inet' ? 4 : 6;
        const lifetime = one.valid_life_time === FOREVER ? {} : { validS: one.valid_life_time };
        const linkLocal = family === 6 && one.scope === 'link';
        return [{ family, address: one.local, prefixLength: one.prefixlen, linkLocal, ...lifetime }];
      });
      return [
        {
          nic: it.ifname,
          ifindex: it.ifindex,
          mac: it.address,
          mtu: it.mtu,
          linkType: it.link_type,
          ...(kind === undefined ? {} : { kind }),
          ...(it.master === undefined ? {} : { master: it.master }),
          ...(masterKind === undefined ? {} : { masterKind }),
          ...(bond === undefined ? {} : { bond }),
          ...(it.link !== undefined && STACKED.includes(kind ?? '') ? { below: it.link } : {}),
          admin: it.flags.includes('UP'),
          carrier: it.flags.includes('LOWER_UP'),
          addresses,
        },
      ];
    });
}

/** Throws an Error with a sentence for the operator. */
export async function observeHost(): Promise<HostNic[]> {
  try {
    const { stdout } = await promisify(execFile)('ip', ['-j', '-d', 'address', 'show'], { maxBuffer: 1 << 26 });
    return readHost(JSON.parse(stdout));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Error('the program ip is missing; do: apt-get install iproute2');
    throw new Error(`ip address show failed: ${message.split('\n')[0]!}`);
  }
}
