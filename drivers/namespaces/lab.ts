/**
 * The kernel lab: a scenario's network made of namespaces, bridges and veth pairs on this machine, with real daemons in
 * it and real clients that measure. Everything it makes carries its prefix in the name (names.ts), so that nothing else
 * is ever touched and nothing of it stays.
 */
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { floatingBySwitch } from '../../src/drill/floating.js';
import { parseFault, type ArbiterFault, type Fault, type Scenario } from '../../src/drill/scenario.js';
import type { JournalEntry, NodeStatus } from '../../src/status.js';
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
import { ArbiterProcess, type MemberPlace } from './arbiter.js';
import { Certificates, withCertificates, type Holder } from './certificates.js';
import { strikeArbiter, strikeDaemon } from './daemon-faults.js';
import { DaemonProcess } from './daemon-process.js';
import { fillDisk, mountDisk, unmountBelow } from './disk.js';
import { strikeHost } from './host-faults.js';
import { flushFirewall, keepCpuBusy, keepFirewallBusy } from './load-faults.js';
import { placeCommands, strikeFence, withCommands } from './fence-commands.js';
import { DrillKeys } from './keys.js';
import { clearLeftovers, fenceFolderOf, folderOf, namespacesOf, nextPrefix, removeNamespace } from './names.js';
import { bootNode, loseNode } from './power.js';
import { movingMacs, PortWatch } from './port-watch.js';
import { Prober, compileProber, monotonicMs, type Watched } from './prober.js';
import { arbiterRefusal, refusal } from './prerequisites.js';
import { disturb, record } from './relay.js';
import { SerialLine } from './serial-line.js';
import { cutFromDisks, diskPaths, SharedDisk, together, withDisks } from './shared-disk.js';
import { raiseTopology } from './topology.js';
import { neighbourOf, truthOf } from './truth.js';
import { Watch } from './watcher.js';
import { breakWire, type Undo, type Wire } from './wire-faults.js';
import { CLIENT_NIC, planWiring } from './wiring.js';

export { refusal };

/** Every blow of the story. */
function faultsOf(scenario: Scenario): Fault[] {
  return [...scenario.before, ...scenario.steps.flatMap((step) => step.fault ?? [])].map(parseFault);
}

/** Until all that was on the wire at a moment is told. */
const TOLD_LATE_MS = 25;
/** Nodes ask the arbiter each nodeTimeout, 1 s, and read their certificates anew after a question that failed. */
const MISSED_MS = 1500;

export class NamespacesLab implements Lab {
  readonly name = 'kernel';
  readonly #prefix = nextPrefix();
  readonly #daemons = new Map<string, DaemonProcess>();
  /** Node → writes its later cluster file. */
  readonly #laterFiles = new Map<string, () => Promise<void>>();
  readonly #probers: Prober[] = [];
  /** On nodes: echo servers and multicast receivers. */
  readonly #receivers = new Map<string, Prober>();
  readonly #watchers: Prober[] = [];
  readonly #watch = new Watch((mac, at) => this.#nodeOf(mac, at));
  #ports: PortWatch | null = null;
  /** Switch → what keeps baton's frames there, for a replay. */
  readonly #recorders = new Map<string, Prober>();
  #arbiter: ArbiterProcess | null = null;
  #certificates: Certificates | null = null;
  readonly #disks: SharedDisk[] = [];
  #line: SerialLine | null = null;
  #keys: DrillKeys | null = null;
  #scenario: Scenario | null = null;
  /** What heals each fault in force, by the fault as JSON. */
  readonly #undo = new Map<string, Undo>();
  readonly #ending = new AbortController();
  /** Folder for flight recordings; null: none are kept. */
  #recordTo: string | null = null;
  #wire: Wire | null = null;
  /** Of what goes on by itself; the drill hears of it at its next step. */
  #failure: Error | null = null;
  #zero = monotonicMs();

  /** Name of the namespace that stands for a switch, node or client: for a look from outside. */
  readonly namespaceOf = (name: string): string => `${this.#prefix}-${name}`;

  record(folder: string): void {
    this.#recordTo = folder;
  }

  async build(told: Scenario): Promise<void> {
    const scenario = withCommands(told, this.#prefix);
    const reason = refusal();
    if (reason !== null) throw new Error(reason);
    const lacking = scenario.topology.arbiter === undefined ? null : arbiterRefusal(scenario);
    if (lacking !== null) throw new Error(lacking);
    await clearLeftovers();
    const program = await compileProber();
    const watched = floatingBySwitch(scenario);
    const wiring = planWiring(scenario.topology, [...watched.keys()]);
    this.#scenario = scenario;
    this.#wire = {
      wiring,
      namespaceOf: this.namespaceOf,
      ...(scenario.topology.arbiter === undefined ? {} : { arbiter: scenario.topology.arbiter }),
      signal: this.#ending.signal,
      onFailure: (error) => (this.#failure ??= error),
    };
    await mkdir(folderOf(this.#prefix), { mode: 0o700 });
    await raiseTopology(scenario, wiring, this.namespaceOf);
    await placeCommands(scenario, this.#wire, this.#prefix);
    await this.#raiseDisks(scenario, this.#wire);
    await this.#makeCertificates(scenario);
    await this.#placeDaemons(scenario, wiring.nodes);
    if (this.#disks.length > 0) await this.#prepareDisks();
    this.#line = await SerialLine.start(scenario);
    await this.#startArbiter(scenario);
    await this.#startProbers(scenario, program);
    this.#ports = await PortWatch.start(program, wiring, this.namespaceOf, movingMacs(scenario, wiring));
    for (const [i, addresses] of [...watched.values()].entries())
      await this.#startWatcher(program, wiring.watchers[i]!, addresses);
    for (const fault of faultsOf(scenario))
      if (fault.fault === 'replay' && !this.#recorders.has(fault.switch))
        this.#recorders.set(fault.switch, await record(this.#wire, fault.switch));
  }

  async #placeDaemons(scenario: Scenario, nodes: readonly string[]): Promise<void> {
    const fillable = faultsOf(scenario).flatMap((fault) => (fault.fault === 'disk-full' ? [fault.node] : []));
    const paths = this.#disks.map(({ path }) => path);
    const cluster = withCertificates(withDisks(scenario.cluster, paths), this.#certificates);
    const keys = new DrillKeys(folderOf(this.#prefix));
    this.#keys = keys;
    for (const node of nodes) {
      const folder = join(folderOf(this.#prefix), node);
      await mkdir(folder, { mode: 0o700 });
      const { key, ...differs } = scenario.differs[node] ?? {};
      const config = join(folder, 'cluster.yaml');
      const chosen = await keys.place(node, key === 'other');
      const recorded = this.#recordTo === null ? {} : { record: true };
      const file = { cluster: 'drill', key: chosen, ...cluster, ...differs, ...recorded };
      await writeFile(config, stringify(file));
      this.#laterFiles.set(node, () => writeFile(config, stringify({ ...file, ...scenario.later })));
      const daemon = new DaemonProcess({ node, namespace: this.namespaceOf(node), folder, config });
      if (fillable.includes(node)) await mountDisk(daemon.stateDirectory);
      this.#daemons.set(node, daemon);
    }
  }

  async #raiseDisks(scenario: Scenario, { onFailure }: Wire): Promise<void> {
    for (const [i] of diskPaths(scenario).entries()) {
      const folder = join(folderOf(this.#prefix), `disk${i}`);
      const nodes = Object.keys(scenario.topology.nodes);
      this.#disks.push(await SharedDisk.start(folder, nodes, this.namespaceOf, onFailure));
    }
  }

  #arbiterPlaces({ topology: { arbiter, clients, members } }: Scenario): MemberPlace[] {
    if (arbiter === undefined) return [];
    return [arbiter, ...members].map((member) => {
      const address = clients[member]?.addresses[0]!.split('/')[0];
      if (address === undefined) throw new Error(`the arbiter is to run on "${member}", which is no client`);
      return { name: member, namespace: this.namespaceOf(member), address };
    });
  }

  async #makeCertificates(scenario: Scenario): Promise<void> {
    if (!scenario.topology.certificates) return;
    const addresses = this.#arbiterPlaces(scenario).map(({ address }) => address);
    this.#certificates = await Certificates.make(join(folderOf(this.#prefix), 'certificates'), addresses);
  }

  async #expire(holder: Holder): Promise<Undo> {
    const certificates = this.#certificates;
    if (!certificates || !this.#arbiter) throw new Error('the topology has no certificates');
    await certificates.expire(holder);
    await this.#arbiter.restart(MISSED_MS);
    return () => certificates.renew(holder);
  }

  async #startArbiter(scenario: Scenario): Promise<void> {
    const places = this.#arbiterPlaces(scenario);
    if (places.length === 0) return;
    this.#arbiter = new ArbiterProcess(places, folderOf(this.#prefix), this.#certificates);
    await this.#arbiter.start();
  }

  async #startProbers(scenario: Scenario, program: string): Promise<void> {
    const { clients, nodes, multicast } = scenario.topology;
    for (const node of Object.keys(nodes)) await this.#startReceiver(scenario, program, node);
    for (const [name, client] of Object.entries(clients)) {
      const words = [
        ...['hear', CLIENT_NIC],
        ...client.probes.flatMap((address) => ['ping', address]),
        ...client.tcp.flatMap((address) => ['tcp', address]),
        ...(multicast?.from === name ? ['send', multicast.group, CLIENT_NIC] : []),
      ];
      this.#probers.push(await Prober.start(program, this.namespaceOf(name), name, words));
    }
  }

  async #startReceiver(scenario: Scenario, program: string, node: string): Promise<void> {
    const { clients, multicast, asking } = scenario.topology;
    const tcp = Object.values(clients).some((client) => client.tcp.length > 0);
    const words = [
      ...(tcp ? ['echo'] : []),
      ...(multicast?.node === node ? ['receive', multicast.group, multicast.nic] : []),
      ...(asking[node] ?? []).flatMap((address) => ['ping', address]),
    ];
    if (words.length > 0) this.#receivers.set(node, await Prober.start(program, this.namespaceOf(node), node, words));
  }

  async #startWatcher(program: string, name: string, addresses: readonly string[]): Promise<void> {
    const words = addresses.flatMap((address) => ['watch', address, CLIENT_NIC]);
    // Of a MAC that moves the port tells whose it is, and another process tells the port.
    const take = (told: Watched): void => {
      if ('mac' in told && this.#ports?.seeks(told.mac)) setTimeout(() => this.#watch.take(name, told), TOLD_LATE_MS);
      else this.#watch.take(name, told);
    };
    this.#watchers.push(await Prober.start(program, this.namespaceOf(name), name, words, take));
  }

  /** Null: it is no node's. */
  #nodeOf(mac: string, at: number): string | null {
    const owner = this.#ports?.seeks(mac)
      ? this.#ports.senderAt(mac, at)
      : this.#wire?.wiring.cables.find((cable) => cable.mac === mac)?.owner;
    return owner != null && this.#daemons.has(owner) ? owner : null;
  }

  #daemon(node: string): DaemonProcess {
    const daemon = this.#daemons.get(node);
    if (!daemon) throw new Error(`the topology has no node "${node}"`);
    return daemon;
  }

  async startDaemon(node: string): Promise<void> {
    await this.#daemon(node).start();
  }

  now(): number {
    return monotonicMs() - this.#zero;
  }

  begin(): void {
    this.#zero = monotonicMs();
  }

  async runUntil(at: number): Promise<void> {
    // A timer may fire a moment early.
    while (this.now() < at) await sleep(Math.max(1, at - this.now()));
    if (this.#failure !== null) throw this.#failure;
  }

  async inflict(fault: Fault): Promise<void> {
    const key = JSON.stringify(fault);
    if (this.#undo.has(key)) throw new Error(`${fault.fault} is in force already; heal it first`);
    const undo = await this.#strike(fault);
    if (undo) this.#undo.set(key, undo);
  }

  async heal(fault: Fault): Promise<void> {
    const key = JSON.stringify(fault);
    const undo = this.#undo.get(key);
    if (!undo) throw new Error(`${fault.fault} cannot be healed: it is not in force`);
    this.#undo.delete(key);
    await undo();
  }

  async #strike(fault: Fault): Promise<Undo | null> {
    if (!this.#wire) throw new Error('the lab is not built');
    switch (fault.fault) {
      case 'cut':
      case 'drop':
      case 'bind-port':
      case 'loss':
      case 'trunk':
      case 'switch-off':
      case 'switch-mute':
      case 'flap':
      case 'client-off':
        return breakWire(this.#wire, fault);
      case 'block':
      case 'split':
        return together(await cutFromDisks(this.#wire, this.#disks, fault));
      case 'admin-down':
      case 'delete':
      case 'rename':
      case 'remove-address':
      case 'manager':
      case 'rtnl-busy':
      case 'claim':
      case 'add-address':
        return strikeHost(this.#wire, fault);
      case 'kill':
      case 'kill-at':
      case 'restart':
      case 'stop':
      case 'freeze':
      case 'freeze-for':
        return strikeDaemon(this.#daemon(fault.node), fault, this.#ending.signal);
      case 'power-off':
        return this.#powerOff(this.#wire, fault.node);
      case 'disk-full':
        return fillDisk(this.#daemon(fault.node).stateDirectory);
      case 'fence-hang':
      case 'fence-fail':
      case 'fence-lie':
      case 'fence-slow':
        return strikeFence(this.#prefix, fault);
      case 'serial-cut':
      case 'serial-unplug':
      case 'serial-noise':
        if (!this.#line) throw new Error('the cluster has no serial line');
        return this.#line.strike(fault);
      case 'disk-lost':
        this.#daemon(fault.node).loseDisk();
        return null;
      case 'copy-key':
        await this.#keys!.copy(fault.from, fault.to);
        return null;
      case 'new-file':
        await this.#laterFiles.get(fault.node)?.();
        return null;
      case 'duplicate':
      case 'reorder':
        return disturb(this.#wire, fault);
      case 'replay':
        await this.#recorders.get(fault.switch)?.replay();
        return null;
      case 'certificate-over':
        return this.#expire(fault.holder);
      case 'arbiter-off':
      case 'arbiter-freeze':
      case 'arbiter-forget':
      case 'arbiter-backup':
      case 'arbiter-restore':
      case 'arbiter-slow':
      case 'arbiter-torn':
      case 'arbiter-stale':
      case 'arbiter-read-only':
      case 'arbiter-full':
      case 'arbiter-foreign':
        return this.#strikeArbiter(fault);
      case 'flush-firewall':
        await flushFirewall(this.#wire, fault.node);
        return null;
      case 'cpu-busy':
        return keepCpuBusy(this.#wire, fault.processes);
      case 'firewall-busy':
        return keepFirewallBusy(this.#wire, fault.node, folderOf(this.#prefix));
      case 'drift':
        throw new Error('all namespaces share one clock: drift exists in the simulator only');
      case 'drop-trunk':
      case 'clog':
      case 'clog-trunk':
      case 'corrupt':
      case 'delay':
      case 'disk-read-only':
      case 'disk-torn':
      case 'disk-slow':
      case 'kernel-slow':
      case 'pause':
      case 'start':
        throw new Error(`${fault.fault} exists in the simulator only`);
    }
  }

  async #strikeArbiter(fault: ArbiterFault): Promise<Undo | null> {
    const [disk] = this.#disks;
    if (disk === undefined) {
      if (!this.#arbiter) throw new Error('the topology has no arbiter');
      return strikeArbiter(this.#arbiter, fault);
    }
    if (fault.fault !== 'arbiter-forget') return disk.strike(fault);
    await this.#prepareDisks('--force');
    return null;
  }

  /** As an operator does it, on the first node. */
  async #prepareDisks(...words: string[]): Promise<void> {
    const [first] = this.#daemons.values();
    const { code, stderr } = await first!.operate(['arbiter', 'init', ...words]);
    if (code !== 0) throw new Error(`baton arbiter init: ${stderr}`);
  }

  async #powerOff(wire: Wire, node: string): Promise<Undo> {
    const daemon = this.#daemon(node);
    await loseNode(wire, node);
    await Promise.all([daemon.end('SIGKILL'), this.#receivers.get(node)?.stop()]);
    return async () => {
      await bootNode(wire, node, this.#scenario!);
      await daemon.emptyRunDirectory();
      await this.#startReceiver(this.#scenario!, await compileProber(), node);
      await daemon.start();
    };
  }

  operate(node: string, command: string[]): Promise<CommandResult> {
    return this.#daemon(node).operate(command);
  }

  ask(node: string, command: string[]): void {
    void this.operate(node, command);
  }

  truth(node: string): Promise<NodeTruth> {
    return truthOf(this.namespaceOf(node));
  }

  status(node: string): Promise<NodeStatus | null> {
    return this.#daemon(node).status();
  }

  journal(): (JournalEntry & { node: string })[] {
    const lines = [...this.#daemons.values()].flatMap((daemon) => daemon.journal);
    return lines.map((line) => ({ ...line, at: line.at - this.#zero })).sort((a, b) => a.at - b.at);
  }

  /** What each daemon wrote to its log. */
  logs(): Record<string, string> {
    return Object.fromEntries([...this.#daemons].map(([node, daemon]) => [node, daemon.log()]));
  }

  probes(): ProbeReport[] {
    return [...this.#probers, ...this.#receivers.values()].flatMap((prober) => prober.probes(this.#zero));
  }

  connections(): TcpReport[] {
    return this.#probers.flatMap((prober) => prober.connections(this.#zero));
  }

  announcements(): AnnouncementSeen[] {
    return this.#probers.flatMap((prober) => prober.announcements(this.#zero)).sort((a, b) => a.at - b.at);
  }

  holder(address: string): string | null {
    return this.#watch.holder(address);
  }

  holders(address: string): string[] {
    return this.#watch.holders(address);
  }

  holds(): Hold[] {
    return this.#watch.holds(this.#zero);
  }

  overlaps(): Overlap[] {
    return this.#watch.overlaps(this.#zero);
  }

  stays(): Stay[] {
    return this.#ports?.stays(this.#zero) ?? [];
  }

  neighbour(client: string, address: string): Promise<string | null> {
    return neighbourOf(this.namespaceOf(client), address);
  }

  multicastReceived(node: string, since: number): number {
    return this.#receivers.get(node)?.datagramsSince(since + this.#zero) ?? 0;
  }

  /** What a lost disk had is not among them. */
  async #keepRecordings(): Promise<void> {
    if (this.#recordTo === null) return;
    await mkdir(this.#recordTo, { recursive: true });
    for (const [node, { stateDirectory }] of this.#daemons)
      for (const name of await readdir(stateDirectory).catch(() => []))
        if (name.startsWith('recording-'))
          await copyFile(join(stateDirectory, name), join(this.#recordTo, name.replace('recording', node)));
  }

  async destroy(): Promise<void> {
    this.#ending.abort();
    const daemons = [...this.#daemons.values()].map((daemon) => daemon.end('SIGKILL'));
    const probers = [
      ...[...this.#probers, ...this.#receivers.values()],
      ...[...this.#watchers, ...this.#recorders.values()],
    ].map((prober) => prober.stop());
    await Promise.allSettled([...daemons, ...probers, this.#ports?.stop(), this.#arbiter?.stop(), this.#line?.stop()]);
    await Promise.allSettled(this.#disks.map((disk) => disk.stop()));
    await this.#keepRecordings();
    await unmountBelow(folderOf(this.#prefix));
    for (const namespace of await namespacesOf(this.#prefix)) await removeNamespace(namespace);
    await rm(folderOf(this.#prefix), { recursive: true, force: true });
    await rm(fenceFolderOf(this.#prefix), { recursive: true, force: true });
  }
}
