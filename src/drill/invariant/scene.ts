/** The simulated world as facts, and its changes as news for the invariants. */
import type { SimulatorLab } from '../../../drivers/simulator/lab.js';
import type { Host } from '../../../drivers/simulator/host.js';
import type { Cluster } from '../../config/cluster.js';
import type { Ms } from '../../input.js';
import { allInvariants, type Choice } from './all.js';
import { Invariants, type Facts, type HostFacts, type InvariantName } from './invariant.js';

const SYSCTL = /^(ipv[46]\/(?:conf|neigh))\/([^/]+)\/(\w+)$/;

class SimulatedHost implements HostFacts {
  runsSince: Ms = Infinity;
  awakeSince: Ms = Infinity;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  get powered(): boolean {
    return this.#host.powered;
  }

  get powerLosses(): number {
    return this.#host.boot;
  }

  get heldMs(): Ms {
    return this.#host.heldMs;
  }

  get gateStands(): boolean {
    return this.#host.gate.stands;
  }

  get leaseLeftMs(): Ms {
    return this.#host.gate.leaseLeftMs;
  }

  lets(address: string): boolean {
    return this.#host.gate.lets(address);
  }

  nics(): ReturnType<HostFacts['nics']> {
    return this.#host.nics.values();
  }

  routes(): ReturnType<HostFacts['routes']> {
    return this.#host.routes.list;
  }

  setting(name: string): string | undefined {
    const [, group, nic, key] = SYSCTL.exec(name) ?? [];
    return group === undefined ? undefined : this.#host.sysctl(group, nic!, key!);
  }
}

/** To be made after the world is built, before its daemons start. */
export class SimulatedScene implements Facts {
  readonly lab: SimulatorLab;
  readonly cluster: Cluster;
  readonly nodes: readonly string[];
  readonly invariants: Invariants;
  readonly isUnopened = false;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #violated: Facts['violated'];
  #touched = new Set<string>();

  constructor(lab: SimulatorLab, violated: (name: InvariantName, text: string) => void, choice: Choice = {}) {
    this.lab = lab;
    this.#violated = violated;
    const { world, hosts, daemons } = lab.network;
    this.nodes = [...daemons.keys()];
    this.cluster = lab.clusterOf(this.nodes[0]!);
    for (const [name, host] of hosts) this.#hosts.set(name, new SimulatedHost(host));
    this.invariants = new Invariants(this, allInvariants(this, choice));
    const { invariants } = this;
    world.onTouched = (name) => {
      if (this.#hosts.has(name)) this.#touched.add(name);
    };
    world.onSpoken = (host, bytes) => invariants.spoken(host, bytes);
    lab.ports.onMoved = (from, to) => invariants.macMoved(from, to);
    lab.watcher.onLooked = () => this.#changed();
    lab.witness = {
      stepping: (...news) => invariants.stepping(...news),
      stepped: (...news) => invariants.stepped(...news),
      made: (node, step, code) => {
        if (code === null) invariants.made(node, step);
      },
    };
  }

  get floating(): readonly string[] {
    return this.lab.watcher.addresses;
  }

  now(): Ms {
    return this.lab.network.world.clock.now;
  }

  after(ms: Ms, run: () => void): void {
    this.lab.network.world.clock.after(ms, run);
  }

  host(node: string): HostFacts {
    return this.#hosts.get(node)!;
  }

  answering(address: string): readonly string[] {
    return this.lab.watcher.answering(address);
  }

  calmSince(): Ms {
    return this.lab.calmSince();
  }

  violated(name: InvariantName, text: string): void {
    this.#violated(name, text);
  }

  #changed(): void {
    for (const [name, { runs, awake }] of this.lab.network.daemons) {
      const host = this.#hosts.get(name)!;
      if (runs !== (host.runsSince !== Infinity)) host.runsSince = runs ? this.now() : Infinity;
      if (awake === (host.awakeSince !== Infinity)) continue;
      host.awakeSince = awake ? this.now() : Infinity;
      this.#touched.add(name);
    }
    const touched = this.#touched;
    this.#touched = new Set();
    this.invariants.changed(touched);
  }
}
