/** The files below /proc/sys/net of a simulated host, by NIC, with the defaults of a fresh kernel. */

/** `ipv4/conf/eth0/arp_ignore`: family and kind, NIC, key. */
const NAME = /^(ipv[46]\/(?:conf|neigh))\/([^/]+)\/(\w+)$/;

const DEFAULTS: Record<string, string> = {
  'ipv4/conf/arp_ignore': '0',
  'ipv4/conf/arp_announce': '0',
  'ipv4/conf/arp_notify': '0',
  'ipv4/conf/arp_accept': '0',
  'ipv4/conf/arp_filter': '0',
  'ipv4/conf/rp_filter': '0',
  'ipv4/conf/promote_secondaries': '0',
  'ipv4/conf/ignore_routes_with_linkdown': '0',
  'ipv6/conf/keep_addr_on_down': '0',
  'ipv6/conf/accept_ra': '1',
  'ipv6/conf/autoconf': '1',
  'ipv6/conf/accept_dad': '1',
  'ipv6/conf/disable_ipv6': '0',
  'ipv6/conf/ndisc_notify': '0',
  'ipv6/conf/ignore_routes_with_linkdown': '0',
  'ipv6/conf/addr_gen_mode': '0',
  'ipv6/conf/forwarding': '0',
  'ipv6/conf/force_mld_version': '0',
};

export class Sysctls {
  readonly #values = new Map<string, string>();

  /** What is set, else the kernel's default; undefined for a file that does not exist. */
  read(group: string, nic: string, key: string): string | undefined {
    return this.#values.get(`${group}/${nic}/${key}`) ?? DEFAULTS[`${group}/${key}`];
  }

  /** False if there is no such file. */
  write(name: string, value: string): boolean {
    const match = NAME.exec(name);
    if (!match || DEFAULTS[`${match[1]!}/${match[3]!}`] === undefined) return false;
    this.#values.set(name, value);
    return true;
  }

  forget(nic: string): void {
    for (const name of [...this.#values.keys()]) if (NAME.exec(name)?.[2] === nic) this.#values.delete(name);
  }

  rename(from: string, to: string): void {
    for (const [name, value] of [...this.#values]) {
      const match = NAME.exec(name);
      if (match?.[2] !== from) continue;
      this.#values.delete(name);
      this.#values.set(`${match[1]!}/${to}/${match[3]!}`, value);
    }
  }
}
