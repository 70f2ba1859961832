import type { Ms } from '../../input.js';
import type { Invariant, Scene } from './invariant.js';

/** Beyond nodeTimeout, which lease and margin fit into: sums of fractions do not come out even. */
const SLACK_MS: Ms = 5;
const ARBITER = 'arbiter';

/**
 * S2: a node without quorum stops answering within its lease, also if its daemon is stopped or dead. A node counts as with
 * quorum if within that time it was linked to one (itself perhaps) that was linked to a majority of the voters, to each at
 * some moment: they need not answer at once. Where the wires alone do not tell (loss, one direction) links count as up.
 */
export class InquorateDark implements Invariant {
  readonly #scene: Scene;
  /** `alpha beta` → the last moment at which they were linked; Infinity: they are. */
  readonly #linkedAt = new Map<string, Ms>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  changed(): void {
    const { lab, cluster } = this.#scene;
    const names = cluster.nodes.map(({ name }) => name);
    for (const name of names) {
      for (const other of names) this.#note(`${name} ${other}`, this.#linked(name, other));
      if (lab.network.arbiter) this.#note(`${name} ${ARBITER}`, this.#reaches(name));
    }
    const since = this.#scene.now() - cluster.timing.nodeTimeoutMs - SLACK_MS;
    for (const name of names) if (!this.#wasQuorate(name, since)) this.#mustBeDark(name);
  }

  #note(link: string, isUp: boolean): void {
    const known = this.#linkedAt.get(link);
    if (isUp) this.#linkedAt.set(link, Infinity);
    else if (known === Infinity) {
      this.#linkedAt.set(link, this.#scene.now());
      const { clock } = this.#scene.lab.network.world;
      clock.after(this.#scene.cluster.timing.nodeTimeoutMs + SLACK_MS + 1, () => this.changed());
    }
  }

  #wasQuorate(name: string, since: Ms): boolean {
    const { cluster, lab } = this.#scene;
    const voters = [...cluster.nodes.map((node) => node.name), ...(lab.network.arbiter ? [ARBITER] : [])];
    const met = (one: string, other: string): boolean => (this.#linkedAt.get(`${one} ${other}`) ?? -Infinity) >= since;
    return cluster.nodes.some(
      (node) => met(name, node.name) && 2 * voters.filter((voter) => met(node.name, voter)).length > voters.length,
    );
  }

  #mustBeDark(name: string): void {
    const { lab, cluster } = this.#scene;
    if (!lab.network.hosts.get(name)!.gate.stands) return;
    for (const address of lab.watcher.addresses)
      if (lab.watcher.answering(address).includes(name))
        this.#scene.violated('S2', `${name} answers for ${address}, ${cluster.timing.nodeTimeoutMs} ms without quorum`);
  }

  #linked(one: string, other: string): boolean {
    const { daemons } = this.#scene.lab.network;
    if (!daemons.get(one)!.awake || !daemons.get(other)!.awake) return false;
    return one === other || (!this.#blocked(one, other) && this.#wired(one, other));
  }

  #reaches(name: string): boolean {
    const { daemons, arbiter } = this.#scene.lab.network;
    return daemons.get(name)!.awake && arbiter!.runs && !this.#blocked(name, ARBITER);
  }

  #blocked(one: string, other: string): boolean {
    const { hosts, arbiter } = this.#scene.lab.network;
    const hostOf = (name: string) => (name === ARBITER ? arbiter!.host : hosts.get(name)!);
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
