/** All links of this namespace by ifindex and by name, kept by the kernel's news. */
import type { LagPort } from '../../src/input.js';
import type { Link } from './netlink/link.js';
import type { NicNames } from './netlink/route.js';

/** Kinds whose link below is one that they live on; a veth's is its peer. */
const CHILD_KINDS = ['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap'];

const LAG_KINDS = ['bond', 'team'];
/** The kernel stacks no more (MAX_NEST_DEV). */
const VLAN_DEPTH_MAX = 8;

function portState(port: Link): LagPort['state'] {
  if (!port.admin || !port.carrier) return 'down';
  return port.bondPort ?? 'up';
}

export class LinkTable implements NicNames {
  readonly #links = new Map<number, Link>();
  readonly #indexes = new Map<string, number>();
  /** Names that links had before. */
  readonly #former = new Map<string, number>();

  nameOf(ifindex: number): string | undefined {
    return this.#links.get(ifindex)?.name;
  }

  indexOf(name: string): number | undefined {
    return this.#indexes.get(name);
  }

  /** The link that had this name before it was renamed, if it is still there. */
  formerIndexOf(name: string): number | undefined {
    const ifindex = this.#former.get(name);
    return ifindex !== undefined && this.#links.has(ifindex) ? ifindex : undefined;
  }

  get(ifindex: number | undefined): Link | undefined {
    return ifindex === undefined ? undefined : this.#links.get(ifindex);
  }

  put(link: Link): void {
    this.#forgetName(link.ifindex);
    this.#links.set(link.ifindex, link);
    this.#indexes.set(link.name, link.ifindex);
  }

  delete(ifindex: number): void {
    this.#forgetName(ifindex);
    this.#links.delete(ifindex);
  }

  replaceAll(links: readonly Link[]): void {
    for (const [name, ifindex] of this.#indexes) this.#former.set(name, ifindex);
    this.#links.clear();
    this.#indexes.clear();
    for (const link of links) this.put(link);
  }

  /** A name that another link took over meanwhile stays with that one. */
  #forgetName(ifindex: number): void {
    const name = this.nameOf(ifindex);
    if (name === undefined || this.#indexes.get(name) !== ifindex) return;
    this.#indexes.delete(name);
    this.#former.set(name, ifindex);
  }

  /** Ports of this bond or team, or of the one it is a VLAN on, by name; undefined for any other link. */
  portsOf(link: Link): LagPort[] | undefined {
    const lag = this.lagOf(link);
    if (lag === undefined) return undefined;
    const ports = [...this.#links.values()].filter(({ master }) => master === lag.ifindex);
    return ports.map((port) => ({ nic: port.name, state: portState(port) })).sort((a, b) => (a.nic < b.nic ? -1 : 1));
  }

  /** The bond or team that this link is, or is a VLAN on. */
  lagOf(link: Link): Link | undefined {
    let lag: Link | undefined = link;
    for (let depth = 0; lag?.kind === 'vlan' && depth < VLAN_DEPTH_MAX; depth++) lag = this.get(lag.below);
    return lag?.kind !== undefined && LAG_KINDS.includes(lag.kind) ? lag : undefined;
  }

  /** Names of links that live on this one, sorted. */
  childrenOf(ifindex: number): string[] {
    const names: string[] = [];
    for (const { below, kind, name } of this.#links.values())
      if (below === ifindex && kind !== undefined && CHILD_KINDS.includes(kind)) names.push(name);
    return names.sort();
  }
}
