/** All links of this namespace by ifindex and by name, kept by the kernel's news. */
import type { Link } from './netlink/link.js';
import type { NicNames } from './netlink/route.js';

/** Kinds whose link below is one that they live on; a veth's is its peer. */
const CHILD_KINDS = ['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap'];

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

  /** Names of links that live on this one, sorted. */
  childrenOf(ifindex: number): string[] {
    const names: string[] = [];
    for (const { below, kind, name } of this.#links.values())
      if (below === ifindex && kind !== undefined && CHILD_KINDS.includes(kind)) names.push(name);
    return names.sort();
  }
}
