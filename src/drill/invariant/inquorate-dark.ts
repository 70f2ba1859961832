import type { Ms } from '../../input.js';
import type { Invariant, Scene } from './invariant.js';

/** Beyond nodeTimeout, which lease and margin fit into: sums of fractions do not come out even. */
const SLACK_MS: Ms = 5;

/**
 * S2: a node without quorum stops answering within its lease, also if its daemon is stopped or dead. A node counts as
 * without quorum here once no node that it could hear could hear a majority of the voters; where that cannot be told from
 * the wires alone (loss, one direction) it counts as with quorum.
 */
export class InquorateDark implements Invariant {
  readonly #scene: Scene;
  /** Node → since when it is without quorum. */
  readonly #since = new Map<string, Ms>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  changed(): void {
    const { lab, cluster } = this.#scene;
    const now = this.#scene.now();
    const boundMs = cluster.timing.nodeTimeoutMs + SLACK_MS;
    for (const { name } of cluster.nodes) {
      if (this.#mayBeQuorate(name)) {
        this.#since.delete(name);
        continue;
      }
      const since = this.#since.get(name);
      if (since === undefined) {
        this.#since.set(name, now);
        lab.network.world.clock.after(boundMs + 1, () => this.changed());
      } else if (now > since + boundMs) this.#mustBeDark(name, now - since);
    }
  }

  #mustBeDark(name: string, forMs: Ms): void {
    const { lab } = this.#scene;
    if (!lab.network.hosts.get(name)!.gate.stands) return;
    for (const address of lab.watcher.addresses)
      if (lab.watcher.answering(address).includes(name))
        this.#scene.violated('S2', `${name} answers for ${address}, without quorum for ${forMs.toFixed(1)} ms`);
  }

  #mayBeQuorate(name: string): boolean {
    const { nodes } = this.#scene.cluster;
    return nodes.some((node) => this.#linked(name, node.name) && this.#hasMajority(node.name));
  }

  #hasMajority(name: string): boolean {
    const { cluster, lab } = this.#scene;
    const { arbiter } = lab.network;
    const voters = cluster.nodes.length + (arbiter ? 1 : 0);
    const heard = cluster.nodes.filter((node) => this.#linked(name, node.name)).length;
    const asked = arbiter?.runs && !this.#blocked(name, 'arbiter') ? 1 : 0;
    return 2 * (heard + asked) > voters;
  }

  #linked(one: string, other: string): boolean {
    const { daemons } = this.#scene.lab.network;
    if (!daemons.get(one)!.awake || !daemons.get(other)!.awake) return false;
    return one === other || (!this.#blocked(one, other) && this.#wired(one, other));
  }

  #blocked(one: string, other: string): boolean {
    const { hosts, arbiter } = this.#scene.lab.network;
    const hostOf = (name: string) => (name === 'arbiter' ? arbiter!.host : hosts.get(name)!);
    const deaf = (to: string, from: string): boolean =>
      [...hostOf(from).nics.values()].every((nic) => hostOf(to).deafTo.has(nic.mac));
    return deaf(one, other) || deaf(other, one);
  }

  /** Is there a net on which both have a carrier? */
  #wired(one: string, other: string): boolean {
    const { cluster, lab } = this.#scene;
    const lit = (node: string, net: string): boolean => {
      const has = cluster.nodes.find(({ name }) => name === node)?.nets.find((candidate) => candidate.net === net);
      const { nics } = lab.network.hosts.get(node)!;
      return has !== undefined && [has.primary, ...has.standby].some((nic) => nics.get(nic)?.carrier);
    };
    return cluster.nets.some(({ name, heartbeat }) => heartbeat && lit(one, name) && lit(other, name));
  }
}
