/**
 * From which node's NIC a MAC is sent. Two nodes may have the same one, one after the other: then only the port of the
 * switch, by which its frames come in, tells who speaks.
 */
import { floatingAddresses } from '../../src/drill/floating.js';
import type { Scenario } from '../../src/drill/scenario.js';
import type { Stay } from '../lab.js';
import { Prober } from './prober.js';
import { type Cable, portsOf, type Wiring } from './wiring.js';

/** One line of the prober (prober/ports.c). */
export interface Sighted {
  port: string;
  mac: string;
  at: number;
}

interface Sighting {
  node: string;
  nic: string;
  at: number;
}

/** MACs that are not bound to one NIC: those of floating addresses, and where a net says `mac: follow` those of all cards. */
export function movingMacs(scenario: Scenario, wiring: Wiring): string[] {
  const nets = Object.values((scenario.cluster['nets'] ?? {}) as Record<string, { mac?: string } | null>);
  const nodes = wiring.cables.filter(({ owner }) => wiring.nodes.includes(owner)).map(({ mac }) => mac);
  const follow = nets.some((net) => net?.mac === 'follow') ? nodes : [];
  return [...new Set([...floatingAddresses(scenario).flatMap(({ mac }) => mac ?? []), ...follow])];
}

/** Frames are told each 10 ms while the port stays the same. */
const TOLD_EACH_MS = 10;

export class PortWatch {
  readonly #cables: readonly Cable[];
  readonly #macs: ReadonlySet<string>;
  readonly #probers: Prober[] = [];
  /** MAC → by time of arrival at the switch. */
  readonly #sightings = new Map<string, Sighting[]>();

  constructor(cables: readonly Cable[], macs: readonly string[]) {
    this.#cables = cables;
    this.#macs = new Set(macs);
  }

  /** One prober on each switch. */
  static async start(
    program: string,
    wiring: Wiring,
    namespaceOf: (name: string) => string,
    macs: readonly string[],
  ): Promise<PortWatch> {
    const watch = new PortWatch(wiring.cables, macs);
    for (const name of macs.length === 0 ? [] : wiring.switches) {
      const words = [
        ...macs.flatMap((mac) => ['seek', mac]),
        ...portsOf(wiring, name).flatMap((port) => ['port', port.name]),
      ];
      const prober = await Prober.start(program, namespaceOf(name), name, words);
      prober.onSighted((sighted) => watch.take(name, sighted));
      watch.#probers.push(prober);
    }
    return watch;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#probers.map((prober) => prober.stop()));
  }

  seeks(mac: string): boolean {
    return this.#macs.has(mac);
  }

  /** What came in by a trunk was seen at another switch. */
  take(name: string, { port, mac, at }: Sighted): void {
    const cable = this.#cables.find((one) => one.port.switch === name && one.port.name === port);
    if (cable === undefined) return;
    const known = this.#sightings.get(mac) ?? [];
    this.#sightings.set(mac, known);
    known.push({ node: cable.owner, nic: cable.nic, at });
    // Ports are read one after the other.
    for (let i = known.length - 1; i > 0 && known[i - 1]!.at > at; i--)
      [known[i - 1], known[i]] = [known[i]!, known[i - 1]!];
  }

  /** Who had sent under that MAC last at that moment; null: nobody yet. */
  senderAt(mac: string, at: number): string | null {
    return this.#sightings.get(mac)?.findLast((one) => one.at <= at)?.node ?? null;
  }

  /** Times are counted from `zero`. */
  stays(zero: number): Stay[] {
    const stays: Stay[] = [];
    for (const [mac, sightings] of this.#sightings) {
      let last: Stay | undefined;
      for (const { node, nic, at } of sightings) {
        const atMs = at - zero;
        if (last?.node === node && last.nic === nic) last.toMs = atMs;
        else stays.push((last = { mac, node, nic, fromMs: atMs, toMs: atMs }));
      }
    }
    return stays.map((stay) => ({ ...stay, toMs: stay.toMs + TOLD_EACH_MS }));
  }
}
