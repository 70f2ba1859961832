/** The part of ip6addr 0.2 that baton uses; the package brings no types. */
declare module 'ip6addr' {
  export interface Addr {
    kind(): 'ipv4' | 'ipv6';
    /** RFC 5952 text of an IPv6 address, dotted quad of an IPv4 one. */
    toString(options?: { format?: 'auto' | 'v4' | 'v4-mapped' | 'v6'; zeroElide?: boolean }): string;
    toBuffer(buffer?: Uint8Array): Uint8Array;
  }
  export interface CIDR {
    contains(address: Addr | string): boolean;
    first(): Addr;
    last(): Addr;
    broadcast(): Addr;
    address(): Addr;
    prefixLength(format?: 'auto' | 'v4' | 'v6'): number;
    toString(): string;
  }
  export function parse(text: string): Addr;
  export function createCIDR(address: string | Addr, prefixLength?: number): CIDR;
  const ip6addr: { parse: typeof parse; createCIDR: typeof createCIDR };
  export default ip6addr;
}
