/**
 * The lab in memory: a scenario's network of bridges, cables, hosts and clients in virtual time. The same seed gives the
 * same drill, byte for byte.
 *
 *   clock, random ─▶ wire ─▶ cable, bridge, nic ─▶ host: addresses, routes, neighbours, sysctls
 *                                                   ├─▶ hands, driver ─▶ daemon (the machine)
 *                                                   └─▶ asker ─▶ client: probes, TCP, multicast
 *   network builds it, faults break it, trace writes it down.
 */
import type { Cluster } from '../../src/config/cluster.js';
import { operatorRequestOf } from '../../src/drill/operate.js';
import type { Fault, Scenario } from '../../src/drill/scenario.js';
import type { Ms } from '../../src/input.js';
import type { JournalEntry, NodeStatus, OperatorAnswer } from '../../src/status.js';
import { floatingTexts } from '../../src/takeover/floating-address.js';
import type {
  AnnouncementSeen,
  CommandResult,
  Hold,
  Lab,
  NodeTruth,
  Overlap,
  ProbeReport,
  Stay,
  TcpReport,
} from '../lab.js';
import { isToldRoute, routeText } from '../route-text.js';
import { Prober, type Client } from './client.js';
import { ClusterFiles } from './cluster-files.js';
import { Daemon, type DaemonOptions } from './daemon.js';
import { inflict } from './faults.js';
import { FencePrograms } from './fence-device.js';
import type { Host } from './host.js';
import { buildNetwork, hasDiskArbiter, type Network } from './network.js';
import { PortWatch } from './port-watch.js';
import { makeKey, SimulatedKeys } from './key-file.js';
import { isLinkLocal } from './prefix.js';
import { Recordings } from './recordings.js';
import { writeTrace, type TraceLine } from './trace.js';
import { Watcher } from './watcher.js';
import { World } from './wire.js';

/** Long enough for the kernels to have their link-local addresses before a daemon starts. */
const SETTLE_MS: Ms = 3000;
/** From a daemon's start to its first observation and a look at every NIC. */
const READY_MS: Ms = 50;
const OPERATOR_WAITS_MS: Ms = 15_000;
/** Of all nodes, but of those whose key differs. */
const KEY = 0xba;
const OTHER_KEY = 0xbb;

/** Told of all that daemons and their hands do, within the moment in which they do it. */
export interface Witness {
  stepping?: (node: string, ...rest: Parameters<NonNullable<DaemonOptions['stepping']>>) => void;
  stepped?: (node: string, ...rest: Parameters<NonNullable<DaemonOptions['stepped']>>) => void;
  made?: (node: string, ...rest: Parameters<DaemonOptions['made']>) => void;
}

export interface SimulatorOptions {
  seed?: number;
  /** After each input of a daemon. */
  stepped?: (node: string, ...rest: Parameters<NonNullable<DaemonOptions['stepped']>>) => void;
  /** How long a node's process stands still before its next effect, or between two effects of its gate's hand. */
  pauseMs?: (node: string, where: 'effect' | 'gate') => Ms;
}

export class SimulatorLab implements Lab {
  readonly name = 'simulator';
  readonly #network: Network;
  /** Where MACs are sent from. */
  readonly ports: PortWatch;
  /** To be named before daemons start. */
  witness: Witness | null = null;
  readonly #healing = new Map<string, () => void>();
  readonly #journal: (JournalEntry & { node: string })[] = [];
  readonly #trace: TraceLine[] = [];
  readonly #datagrams: Ms[] = [];
  /** Nodes that ask as clients do. */
  readonly #asking: Prober[] = [];
  #zero: Ms = 0;
  #disturbedUntil: Ms = 0;
  #recordings: Recordings | null = null;
  readonly #options: SimulatorOptions;
  #scenario: Scenario | null = null;
  #files: ClusterFiles | null = null;
  #watcher: Watcher | null = null;

  constructor(options: SimulatorOptions = {}) {
    this.#options = options;
    const maps = {
      bridges: new Map(),
      trunks: new Map(),
      hosts: new Map(),
      clients: new Map(),
      daemons: new Map(),
      ports: new Map(),
      boots: new Map(),
      fences: new Map(),
    };
    this.#network = { world: new World(options.seed ?? 1), ...maps, arbiter: null, sharedDisk: null, serial: null };
    this.ports = new PortWatch(this.#network.world);
  }

  record(folder: string): void {
    this.#recordings = new Recordings(folder);
  }

  async build(scenario: Scenario): Promise<void> {
    this.#scenario = scenario;
    const files = new ClusterFiles(scenario);
    this.#files = files;
    const { world, hosts, bridges } = this.#network;
    const clusters = new Map(Object.keys(scenario.topology.nodes).map((name) => [name, files.of(name)]));
    buildNetwork(this.#network, scenario, (name) => clusters.get(name)!);
    if ([...scenario.before, ...scenario.steps.map(({ fault }) => fault)].some((fault) => fault?.startsWith('replay')))
      for (const bridge of bridges.values()) bridge.record();
    for (const [name, host] of hosts) this.#raiseDaemon(name, host, clusters.get(name)!);
    const floating = [...clusters.values()].flatMap(floatingTexts);
    this.#watcher = new Watcher(world, hosts, [...new Set(floating)]);
    world.clock.runUntil(SETTLE_MS);
  }

  #raiseDaemon(name: string, host: Host, cluster: Cluster): void {
    const { stepped, pauseMs } = this.#options;
    host.onDatagram = () => this.#datagrams.push(this.#network.world.clock.now);
    const key = this.#scenario!.differs[name]?.['key'] === undefined ? KEY : OTHER_KEY;
    const daemon = new Daemon({
      host,
      cluster,
      later: this.#files!.of(name, true),
      keys: new SimulatedKeys(key),
      settle: () => this.#settle(),
      ...(this.#network.fences.size > 0 && { agents: () => new FencePrograms(this.#network) }),
      journal: (at, entry) => this.#tell(name, at, entry),
      ...(this.#network.sharedDisk && hasDiskArbiter(cluster) && { sharedDisk: this.#network.sharedDisk }),
      ...(this.#network.serial && { serial: this.#network.serial }),
      made: (step, code) => {
        this.#note(name, `hands ${JSON.stringify(step)} ${code ?? 'done'}`);
        this.witness?.made?.(name, step, code);
      },
      ...(this.#recordings && { record: this.#recordings.of(name) }),
      stepping: (...rest) => this.witness?.stepping?.(name, ...rest),
      stepped: (...rest) => {
        stepped?.(name, ...rest);
        this.witness?.stepped?.(name, ...rest);
      },
      ...(pauseMs === undefined
        ? {}
        : {
            pauseMs: (where) => {
              const ms = pauseMs(name, where);
              if (ms > 0) this.#disturb(ms);
              return ms;
            },
          }),
    });
    this.#network.daemons.set(name, daemon);
  }

  /** The world itself, for whoever judges it. */
  get network(): Network {
    return this.#network;
  }

  get watcher(): Watcher {
    return this.#watcher!;
  }

  /** The cluster file as that node has it. */
  clusterOf(node: string): Cluster {
    return this.#files!.of(node);
  }

  /** That blow is not healed: it may be dealt again. */
  forget(fault: Fault): void {
    this.#healing.delete(JSON.stringify(fault));
  }

  /** The drill's time of a moment of the world. */
  drillTime(at: Ms): Ms {
    return at - this.#zero;
  }

  async startDaemon(node: string): Promise<void> {
    this.#daemon(node).start();
    if (this.#scenario?.world?.start !== 'together') this.#advance(READY_MS);
  }

  now(): Ms {
    return this.#network.world.clock.now - this.#zero;
  }

  begin(): void {
    const { world, clients } = this.#network;
    // Probes come on whole milliseconds of the drill.
    world.clock.runUntil(Math.ceil(world.clock.now));
    this.#zero = world.clock.now;
    for (const [name, client] of clients) {
      const planned = this.#scenario!.topology.clients[name]!;
      for (const address of planned.probes) client.probe(address);
      for (const address of planned.tcp) client.connect(address);
    }
    const { multicast, asking } = this.#scenario!.topology;
    for (const [node, addresses] of Object.entries(asking))
      for (const address of addresses) this.#asking.push(new Prober(this.#host(node), address));
    for (const prober of this.#asking) prober.asker.start();
    if (multicast) clients.get(multicast.from)?.stream(multicast.group);
  }

  async runUntil(at: Ms): Promise<void> {
    this.#network.world.clock.runUntil(at + this.#zero);
  }

  /** Moment of the world since which no blow fell, none was in force and no process stood still; Infinity: one is in force. */
  calmSince(): Ms {
    return this.#healing.size > 0 ? Infinity : this.#disturbedUntil;
  }

  #disturb(forMs: Ms): void {
    this.#disturbedUntil = Math.max(this.#disturbedUntil, this.#network.world.clock.now + forMs);
  }

  async inflict(fault: Fault): Promise<void> {
    const key = JSON.stringify(fault);
    if (this.#healing.has(key)) throw new Error(`${fault.fault} is in force already; heal it first`);
    this.#note('world', `fault ${key}`);
    this.#disturb(lastsMs(fault));
    const heal = inflict(this.#network, fault);
    if (heal) this.#healing.set(key, heal);
  }

  async heal(fault: Fault): Promise<void> {
    const key = JSON.stringify(fault);
    const heal = this.#healing.get(key);
    if (!heal) throw new Error(`${fault.fault} cannot be healed: it is not in force`);
    this.#note('world', `heal ${key}`);
    this.#healing.delete(key);
    this.#disturb(0);
    heal();
  }

  async operate(node: string, command: string[]): Promise<CommandResult> {
    if (command[0] === 'keygen') return makeKey(this.#daemon(node), command);
    const request = operatorRequestOf(command);
    if (typeof request === 'string') return { code: 2, stdout: '', stderr: `${request}\n` };
    const daemon = this.#daemon(node);
    if (!daemon.runs) return { code: 3, stdout: '', stderr: `no batond answers on ${node}\n` };
    let answer: OperatorAnswer | undefined;
    daemon.ask(request, (given) => (answer = given));
    const until = this.now() + OPERATOR_WAITS_MS;
    while (answer === undefined && this.now() < until) this.#advance(1);
    if (answer === undefined) return { code: 3, stdout: '', stderr: `batond on ${node} does not answer\n` };
    const text = `${answer.text}\n`;
    if (answer.ok) return { code: 0, stdout: text, stderr: '' };
    return { code: answer.why === 'no-quorum' ? 4 : 1, stdout: '', stderr: text };
  }

  ask(node: string, command: string[]): void {
    const daemon = this.#daemon(node);
    this.#note('world', `asks ${node} ${command.join(' ')}`);
    if (command[0] === 'keygen') {
      makeKey(daemon, command);
      return;
    }
    const request = operatorRequestOf(command);
    if (typeof request === 'string') throw new Error(request);
    if (daemon.awake) daemon.ask(request, () => {});
  }

  async truth(node: string): Promise<NodeTruth> {
    const host = this.#host(node);
    const addresses = [...host.nics.values()].map((nic): [string, string[]] => {
      const told = nic.addresses.filter((held) => !isLinkLocal(held.local));
      return [nic.name, told.map((held) => `${held.local}/${held.prefixLength}`).sort()];
    });
    return {
      addresses: Object.fromEntries(addresses),
      routes: host.routes.list.filter(isToldRoute).map(routeText).sort(),
    };
  }

  async status(node: string): Promise<NodeStatus | null> {
    this.#settle();
    return this.#daemon(node).status();
  }

  journal(): (JournalEntry & { node: string })[] {
    return this.#journal.map((entry) => ({ ...entry, at: entry.at - this.#zero }));
  }

  probes(): ProbeReport[] {
    const drill = (at: Ms): Ms => at - this.#zero;
    return this.#probers().map((prober) => {
      const report = prober.report();
      return {
        ...report,
        gaps: report.gaps.map((gap) => ({ fromMs: drill(gap.fromMs), toMs: drill(gap.toMs) })),
      };
    });
  }

  connections(): TcpReport[] {
    return this.#clients((client) => client.connections.map((connection) => connection.report()));
  }

  announcements(): AnnouncementSeen[] {
    const seen = this.#clients((client) => client.announcements);
    return seen.map((one) => ({ ...one, at: one.at - this.#zero })).sort((a, b) => a.at - b.at);
  }

  holder(address: string): string | null {
    return this.#watcher?.holder(address) ?? null;
  }

  holders(address: string): string[] {
    return this.#watcher?.holders(address) ?? [];
  }

  holds(): Hold[] {
    const holds = this.#watcher?.holds() ?? [];
    return holds.map((one) => ({ ...one, fromMs: this.drillTime(one.fromMs), toMs: this.drillTime(one.toMs) }));
  }

  overlaps(): Overlap[] {
    const overlaps = this.#watcher?.overlaps() ?? [];
    return overlaps.map((one) => ({ ...one, fromMs: this.drillTime(one.fromMs), toMs: this.drillTime(one.toMs) }));
  }

  stays(): Stay[] {
    return this.ports.stays(this.#zero);
  }

  async neighbour(client: string, address: string): Promise<string | null> {
    const neighbours = this.#network.clients.get(client)?.host.neighbours.entries.values() ?? [];
    return [...neighbours].find((entry) => entry.address === address)?.mac ?? null;
  }

  multicastReceived(node: string, since: Ms): number {
    if (this.#scenario?.topology.multicast?.node !== node) return 0;
    return this.#datagrams.filter((at) => at - this.#zero >= since).length;
  }

  /** The whole drill so far as text, for golden files. */
  trace(): string {
    const heard = this.#clients((client) => client.announcements).map(
      ({ at, client, address, mac, form }): TraceLine => ({
        at,
        who: client,
        text: `hears ${form} ${address} is at ${mac}`,
      }),
    );
    return writeTrace([...this.#trace, ...heard], this.#zero);
  }

  async destroy(): Promise<void> {
    this.#recordings?.close();
    for (const daemon of this.#network.daemons.values()) daemon.kill();
    for (const map of [this.#network.daemons, this.#network.clients, this.#network.hosts, this.#network.bridges])
      map.clear();
  }

  #tell(node: string, at: Ms, entry: JournalEntry): void {
    this.#journal.push({ ...entry, at, node });
    const { event, ...rest } = entry;
    this.#trace.push({ at, who: node, text: `${event} ${JSON.stringify({ ...rest, at: undefined })}` });
  }

  #note(who: string, text: string): void {
    this.#trace.push({ at: this.#network.world.clock.now, who, text });
  }

  #settle(): void {
    for (const prober of this.#probers()) prober.asker.settle();
    for (const connection of this.#clients((client) => client.connections)) connection.asker.settle();
  }

  #probers(): Prober[] {
    return [...this.#clients((client) => client.probes), ...this.#asking];
  }

  #clients<T>(take: (client: Client) => T[]): T[] {
    return [...this.#network.clients.values()].flatMap(take);
  }

  #advance(ms: Ms): void {
    const { clock } = this.#network.world;
    clock.runUntil(clock.now + ms);
  }

  #host(name: string): Host {
    const host = this.#network.hosts.get(name);
    if (!host) throw new Error(`the topology has no node "${name}"`);
    return host;
  }

  #daemon(name: string): Daemon {
    const daemon = this.#network.daemons.get(name);
    if (!daemon) throw new Error(`the topology has no node "${name}"`);
    return daemon;
  }
}

/** Of one that ends by itself. */
function lastsMs(fault: Fault): Ms {
  if (fault.fault === 'freeze-for') return fault.forMs;
  return fault.fault === 'flap' ? fault.times * (fault.downMs + fault.upMs) : 0;
}
