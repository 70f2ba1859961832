/**
 * Which NIC names of the cluster file exist in this namespace, and under which ifindex. It follows deletion, renaming and
 * re-creation by looking, because events come late when rtnl is busy; looking takes no rtnl.
 */
import { readFileSync } from 'node:fs';
import { NAME_SPACE, readNames } from './socket.js';

export interface NicWatcher {
  appeared(nic: string, ifindex: number): void;
  /** Deleted, renamed, or replaced by another one of that name (`appeared` follows). */
  vanished(nic: string, ifindex: number): void;
}

export class Nics {
  readonly names: readonly string[];
  readonly #ifindexes = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #watchers: NicWatcher[] = [];
  readonly #sysfs: string;

  constructor(names: readonly string[], sysfs = '/sys/class/net') {
    this.names = [...new Set(names)];
    this.#sysfs = sysfs;
  }

  /** Told of changes from now on, in the order of asking. */
  watch(watcher: NicWatcher): void {
    this.#watchers.push(watcher);
  }

  /** 0: there is no such NIC. */
  ifindexOf(nic: string): number {
    return this.#ifindexes.get(nic) ?? 0;
  }

  /** Undefined for NICs that are none of ours. */
  nameOf(ifindex: number): string | undefined {
    return this.#names.get(ifindex);
  }

  /** The folder of its sysfs files. */
  folder(nic: string): string {
    return `${this.#sysfs}/${nic}`;
  }

  /** Looks again at these NICs and tells the watchers what changed. */
  refresh(names: readonly string[] = this.names): void {
    const known = names.filter((nic) => this.#ifindexes.has(nic));
    const present = namesNow(known.map((nic) => this.ifindexOf(nic)));
    known.forEach((nic, i) => {
      if (present[i] !== nic) this.#vanish(nic);
    });
    const found = names.flatMap((nic) => {
      const ifindex = this.#ifindexes.has(nic) ? 0 : this.#read(nic);
      return ifindex > 0 ? [{ nic, ifindex }] : [];
    });
    // A sysfs of another namespace shows names that are not here: the kernel's word for the ifindex decides.
    const confirmed = namesNow(found.map(({ ifindex }) => ifindex));
    found.forEach(({ nic, ifindex }, i) => {
      if (confirmed[i] === nic) this.#appear(nic, ifindex);
    });
  }

  #read(nic: string): number {
    try {
      return Number(readFileSync(`${this.folder(nic)}/ifindex`, 'latin1'));
    } catch {
      return 0;
    }
  }

  #appear(nic: string, ifindex: number): void {
    this.#ifindexes.set(nic, ifindex);
    this.#names.set(ifindex, nic);
    for (const watcher of this.#watchers) watcher.appeared(nic, ifindex);
  }

  #vanish(nic: string): void {
    const ifindex = this.ifindexOf(nic);
    this.#ifindexes.delete(nic);
    this.#names.delete(ifindex);
    for (const watcher of this.#watchers) watcher.vanished(nic, ifindex);
  }
}

function namesNow(ifindexes: number[]): string[] {
  if (ifindexes.length === 0) return [];
  const slab = Buffer.alloc(ifindexes.length * NAME_SPACE);
  readNames(Int32Array.from(ifindexes), slab);
  return ifindexes.map((_, i) => {
    const slot = slab.subarray(i * NAME_SPACE, (i + 1) * NAME_SPACE);
    return slot.toString('utf8', 0, slot.indexOf(0));
  });
}
