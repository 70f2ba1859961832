/**
 * The network of a case, on this host: one bridge a net in a namespace of its own. QEMU's cards are tap devices on it, nodes
 * of this kernel hang on it by veth, and a prober of this kernel asks who has an address, undisturbed by the emulation.
 *
 *     guest eth0 ══ QEMU ══ tap c0 ┐ bridge sw ┌ veth ══ eth0 of a namespace (a node)
 *     guest eth1 ══ QEMU ══ tap c1 ┘           └ veth ══ eth0 of the watcher's
 */
import type { Watched } from '../../drivers/namespaces/prober.js';
import { Prober, compileProber, monotonicMs } from '../../drivers/namespaces/prober.js';
import { removeNamespace } from '../../drivers/namespaces/names.js';
import { ip, run } from '../../drivers/namespaces/shell.js';

export interface Answered {
  address: string;
  mac: string;
  at: number;
}

export class Segment {
  readonly namespace: string;
  readonly #nodes: string[] = [];
  readonly #probers: Prober[] = [];
  /** Every answer that the watcher got, oldest first. */
  readonly answers: Answered[] = [];

  private constructor(namespace: string) {
    this.namespace = namespace;
  }

  /** `cards`: on which bridge each of the guest's cards hangs, in order. */
  static async build(name: string, cards: readonly string[]): Promise<Segment> {
    const segment = new Segment(`btvm${process.pid}-${name}`);
    await run('ip', ['netns', 'add', segment.namespace]);
    await ip(segment.namespace, [
      'link set lo up',
      ...[...new Set(cards)].flatMap((bridge) => [
        `link add ${bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
        `link set ${bridge} up`,
      ]),
      ...cards.flatMap((bridge, i) => [`tuntap add c${i} mode tap`, `link set c${i} master ${bridge} up`]),
    ]);
    return segment;
  }

  /** Words for QEMU: its cards, each with the id under which the monitor unplugs it. */
  static cards(count: number): string[] {
    return Array.from({ length: count }, (_, i) => [
      ...['-netdev', `tap,id=n${i},ifname=c${i},script=no,downscript=no`],
      ...['-device', `virtio-net-pci,id=card${i},netdev=n${i},romfile=,mac=${cardMac(i)}`],
    ]).flat();
  }

  /** A node of this kernel on these bridges: its eth0, eth1 ... in order. */
  async addNode(node: string, bridges: readonly string[]): Promise<string> {
    const namespace = `${this.namespace}-${node}`;
    this.#nodes.push(namespace);
    await run('ip', ['netns', 'add', namespace]);
    await ip(namespace, ['link set lo up']);
    for (const [i, bridge] of bridges.entries()) {
      const port = `${node}${i}`;
      await ip(this.namespace, [
        `link add ${port} type veth peer name eth${i} netns ${namespace}`,
        `link set ${port} master ${bridge} up`,
      ]);
      await ip(namespace, [`link set eth${i} up`]);
    }
    return namespace;
  }

  /** A machine of its own that has `own`, and asks each 20 ms who has these addresses. */
  async watch(bridge: string, own: string, addresses: readonly string[]): Promise<void> {
    const namespace = await this.addNode('watcher', [bridge]);
    await ip(namespace, [`address add ${own} dev eth0`]);
    const words = addresses.flatMap((address) => ['watch', address, 'eth0']);
    const take = (told: Watched): void => {
      if ('mac' in told) this.answers.push({ address: told.who, mac: told.mac, at: told.at });
    };
    this.#probers.push(await Prober.start(await compileProber(), namespace, 'watcher', words, take));
  }

  /** Longest time between two answers for the address since then, which may still last. */
  gapMs(address: string, since: number): number {
    const times = this.answers.filter((one) => one.address === address && one.at >= since).map(({ at }) => at);
    const marks = [since, ...times, monotonicMs()];
    return Math.max(...marks.slice(1).map((at, i) => at - marks[i]!));
  }

  /** MAC of the newest answer. */
  holderOf(address: string): string | undefined {
    return this.answers.findLast((one) => one.address === address)?.mac;
  }

  async destroy(): Promise<void> {
    for (const prober of this.#probers) await prober.stop();
    for (const namespace of [...this.#nodes, this.namespace]) await removeNamespace(namespace);
  }
}

export function cardMac(i: number): string {
  return `52:54:00:ba:70:${i.toString(16).padStart(2, '0')}`;
}
