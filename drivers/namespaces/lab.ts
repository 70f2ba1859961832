/**
 * The kernel lab: a scenario's network made of namespaces, bridges and veth pairs on this machine, with real daemons in
 * it and real clients that measure. Everything it makes carries its prefix in the name (names.ts), so that nothing else
 * is ever touched and nothing of it stays.
 */
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Fault, Scenario } from '../../src/drill/scenario.js';
import type { JournalEntry, NodeStatus } from '../../src/status.js';
import type {
  AnnouncementSeen,
  CommandResult,
  Lab,
  LabRefusal,
  NodeTruth,
  Overlap,
  ProbeReport,
  TcpReport,
} from '../lab.js';
import { DaemonProcess } from './daemon-process.js';
import { strikeHost } from './host-faults.js';
import { clearLeftovers, folderOf, namespacesOf, nextPrefix, removeNamespace } from './names.js';
import { Prober, compileProber, monotonicMs } from './prober.js';
import { raiseTopology } from './topology.js';
import { truthOf } from './truth.js';
import { breakWire, type Undo, type Wire } from './wire-faults.js';
import { CLIENT_NIC, planWiring } from './wiring.js';

/** A program that the lab runs, and the Debian package that has it. */
const PROGRAMS: Record<string, string> = { ip: 'iproute2', nft: 'nftables', cc: 'gcc libc6-dev' };

function isInPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why no scenario can run on this kernel by this user, or null. */
export function refusal(): LabRefusal {
  if (process.getuid?.() !== 0) return 'the kernel lab needs root: it makes network namespaces';
  const missing = Object.keys(PROGRAMS).filter((program) => !isInPath(program));
  if (missing.length === 0) return null;
  return `the kernel lab needs ${missing.join(', ')}: apt-get install ${missing.map((name) => PROGRAMS[name]).join(' ')}`;
}

export class NamespacesLab implements Lab {
  readonly name = 'kernel';
  readonly #prefix = nextPrefix();
  readonly #daemons = new Map<string, DaemonProcess>();
  readonly #probers: Prober[] = [];
  /** On nodes: echo servers and multicast receivers. */
  readonly #receivers = new Map<string, Prober>();
  /** What heals each fault in force, by the fault as JSON. */
  readonly #undo = new Map<string, Undo>();
  readonly #ending = new AbortController();
  #wire: Wire | null = null;
  /** Of what goes on by itself; the drill hears of it at its next step. */
  #failure: Error | null = null;
  #zero = monotonicMs();

  /** Name of the namespace that stands for a switch, node or client: for a look from outside. */
  readonly namespaceOf = (name: string): string => `${this.#prefix}-${name}`;

  async build(scenario: Scenario): Promise<void> {
    const reason = refusal();
    if (reason !== null) throw new Error(reason);
    await clearLeftovers();
    const program = await compileProber();
    const wiring = planWiring(scenario.topology);
    this.#wire = {
      wiring,
      namespaceOf: this.namespaceOf,
      signal: this.#ending.signal,
      onFailure: (error) => (this.#failure ??= error),
    };
    const config = await this.#writeClusterFile(scenario);
    await raiseTopology(scenario, wiring, this.namespaceOf);
    for (const node of wiring.nodes) {
      const folder = join(folderOf(this.#prefix), node);
      await mkdir(folder, { mode: 0o700 });
      this.#daemons.set(node, new DaemonProcess({ node, namespace: this.namespaceOf(node), folder, config }));
    }
    await this.#startProbers(scenario, program);
  }

  async #writeClusterFile(scenario: Scenario): Promise<string> {
    const folder = folderOf(this.#prefix);
    await mkdir(folder, { mode: 0o700 });
    const key = join(folder, 'cluster.key');
    await writeFile(key, randomBytes(32).toString('hex') + '\n', { mode: 0o600 });
    const config = join(folder, 'cluster.yaml');
    await writeFile(config, stringify({ cluster: 'drill', key, ...scenario.cluster }));
    return config;
  }

  async #startProbers(scenario: Scenario, program: string): Promise<void> {
    const { clients, nodes, multicast } = scenario.topology;
    const tcp = Object.values(clients).some((client) => client.tcp.length > 0);
    for (const node of Object.keys(nodes)) {
      const words = [
        ...(tcp ? ['echo'] : []),
        ...(multicast?.node === node ? ['receive', multicast.group, multicast.nic] : []),
      ];
      if (words.length > 0) this.#receivers.set(node, await Prober.start(program, this.namespaceOf(node), node, words));
    }
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
      case 'loss':
      case 'trunk':
      case 'switch-off':
      case 'switch-mute':
      case 'flap':
      case 'client-off':
        return breakWire(this.#wire, fault);
      case 'admin-down':
      case 'delete':
      case 'rename':
      case 'remove-address':
      case 'manager':
      case 'rtnl-busy':
        return strikeHost(this.#wire, fault);
      case 'kill':
      case 'kill-at':
      case 'restart':
      case 'stop':
      case 'freeze':
        return this.#strikeDaemon(fault, this.#daemon(fault.node));
      default:
        throw new Error(`the kernel lab does not know ${fault.fault}`);
    }
  }

  async #strikeDaemon(
    fault: Extract<Fault, { fault: 'kill' | 'kill-at' | 'restart' | 'stop' | 'freeze' }>,
    daemon: DaemonProcess,
  ): Promise<Undo | null> {
    switch (fault.fault) {
      case 'kill':
        await daemon.end('SIGKILL');
        return () => daemon.start();
      case 'stop':
        await daemon.end('SIGTERM');
        return () => daemon.start();
      case 'restart':
        await daemon.end('SIGHUP');
        await daemon.start();
        return null;
      case 'freeze':
        daemon.signal('SIGSTOP');
        return () => Promise.resolve(daemon.signal('SIGCONT'));
      case 'kill-at': {
        const disarm = await daemon.killAt(fault.step);
        const callOff = (): void => void disarm();
        this.#ending.signal.addEventListener('abort', callOff);
        return async () => {
          this.#ending.signal.removeEventListener('abort', callOff);
          if (!(await disarm()))
            throw new Error(`${fault.node} lives: its hands sent fewer than ${fault.step} messages`);
          await daemon.start();
        };
      }
    }
  }

  operate(node: string, command: string[]): Promise<CommandResult> {
    return this.#daemon(node).operate(command);
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
    return this.#probers.flatMap((prober) => prober.probes(this.#zero));
  }

  connections(): TcpReport[] {
    return this.#probers.flatMap((prober) => prober.connections(this.#zero));
  }

  announcements(): AnnouncementSeen[] {
    return this.#probers.flatMap((prober) => prober.announcements(this.#zero)).sort((a, b) => a.at - b.at);
  }

  holder(_address: string): string | null {
    return null;
  }

  overlaps(): Overlap[] {
    return [];
  }

  multicastReceived(node: string, since: number): number {
    return this.#receivers.get(node)?.datagramsSince(since + this.#zero) ?? 0;
  }

  async destroy(): Promise<void> {
    this.#ending.abort();
    const daemons = [...this.#daemons.values()].map((daemon) => daemon.end('SIGKILL'));
    const probers = [...this.#probers, ...this.#receivers.values()].map((prober) => prober.stop());
    await Promise.allSettled([...daemons, ...probers]);
    for (const namespace of await namespacesOf(this.#prefix)) await removeNamespace(namespace);
    await rm(folderOf(this.#prefix), { recursive: true, force: true });
  }
}
