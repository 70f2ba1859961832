/**
 * Who answers for a floating address? Looked up in the simulated kernels themselves, at every change of the world: which
 * hosts have the address on a NIC and let it speak through their gate.
 */
import type { Hold, Overlap } from '../lab.js';
import { Port } from './bridge.js';
import type { Cable } from './cable.js';
import type { Host } from './host.js';
import { Macvlan } from './macvlan.js';
import type { Nic } from './nic.js';
import type { World } from './wire.js';

export class Watcher {
  /** Called once for each moment at which something changed, after all that changed in it. */
  onLooked: () => void = () => {};
  readonly addresses: readonly string[];
  readonly #world: World;
  readonly #hosts: ReadonlyMap<string, Host>;
  /** Address → names of the hosts that answer for it. */
  readonly #answering = new Map<string, string[]>();
  /** Address → every host that ever answered for it. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #overlaps: Overlap[] = [];
  /** Who answered for what, by the begin; what goes on has no end yet. */
  readonly #holds: Hold[] = [];
  /** Address → the overlap under way. */
  readonly #open = new Map<string, Overlap>();
  #due = false;

  constructor(world: World, hosts: ReadonlyMap<string, Host>, addresses: readonly string[]) {
    this.#world = world;
    this.#hosts = hosts;
    this.addresses = addresses;
    for (const address of addresses) {
      this.#answering.set(address, []);
      this.#holders.set(address, new Set());
    }
    world.onChanged(() => this.#lookSoon());
  }

  /** Hosts that answer for it now. */
  answering(address: string): readonly string[] {
    return this.#answering.get(address) ?? [];
  }

  /** Who answers for it on a switch, so that clients see it; null: nobody. */
  holder(address: string): string | null {
    return this.answering(address).find((name) => isSeen(this.#hosts.get(name)!, address)) ?? null;
  }

  /** The first one first. */
  holders(address: string): string[] {
    return [...(this.#holders.get(address) ?? [])];
  }

  holds(): Hold[] {
    const now = this.#world.clock.now;
    return this.#holds.map((hold) => ({ ...hold, toMs: Math.min(hold.toMs, now) }));
  }

  overlaps(): Overlap[] {
    const now = this.#world.clock.now;
    return [...this.#overlaps, ...[...this.#open.values()].map((overlap) => ({ ...overlap, toMs: now }))];
  }

  /** Addresses and gates are compared when the event is over: within one moment nobody can ask twice. */
  #lookSoon(): void {
    if (this.#due) return;
    this.#due = true;
    this.#world.clock.after(0, () => {
      this.#due = false;
      this.look();
    });
  }

  look(): void {
    for (const address of this.addresses) {
      const before = this.#answering.get(address)!;
      const nodes: string[] = [];
      for (const host of this.#hosts.values()) if (answers(host, address)) nodes.push(host.name);
      if (nodes.length === before.length && nodes.every((name, i) => name === before[i])) continue;
      this.#answering.set(address, nodes);
      for (const name of nodes) this.#holders.get(address)!.add(name);
      this.#book(address, nodes);
    }
    this.onLooked();
  }

  #book(address: string, nodes: string[]): void {
    const now = this.#world.clock.now;
    const under = this.#holds.filter((hold) => hold.address === address && hold.toMs === Infinity);
    for (const hold of under) if (!nodes.includes(hold.node)) hold.toMs = now;
    for (const node of nodes)
      if (!under.some((hold) => hold.node === node)) this.#holds.push({ address, node, fromMs: now, toMs: Infinity });
    const open = this.#open.get(address);
    if (open) {
      this.#open.delete(address);
      this.#overlaps.push({ ...open, toMs: now });
    }
    if (nodes.length > 1) this.#open.set(address, { address, nodes, fromMs: now, toMs: now });
  }
}

/**
 * Would it answer a question on some wire? Its word need not reach anybody now: the next moment it may; but a fence device
 * opens a port only when it is told.
 */
function answers(host: Host, address: string): boolean {
  if (!host.powered || !host.gate.lets(address)) return false;
  for (const nic of host.nics.values()) if (nic.admin && nic.has(address) && cableOf(nic)?.closed !== true) return true;
  return false;
}

function cableOf(nic: Nic): Cable | null | undefined {
  return nic instanceof Macvlan ? nic.below.cable : nic.cable;
}

function isSeen(host: Host, address: string): boolean {
  for (const nic of host.nics.values()) {
    const { cable } = nic instanceof Macvlan ? nic.below : nic;
    if (!nic.has(address) || !cable?.passes(0) || !cable.passes(1)) continue;
    if (!cable.ends.some((end) => end instanceof Port && end.bridge.mute)) return true;
  }
  return false;
}
