/** The life of a simulated batond: the machine behind its driver, started, killed, frozen, ended; the run directory outlives it. */
import type { Action, Step } from '../../src/action.js';
import type { Cluster } from '../../src/config/cluster.js';
import type { Input, Ms } from '../../src/input.js';
import { KeyedCalls, RECORDING_FORMAT, type RecordedInput, type RecordingStart } from '../../src/daemon/recording.js';
import { Node } from '../../src/node.js';
import type { JournalEntry, NodeStatus, OperatorAnswer, OperatorRequest } from '../../src/status.js';
import { floatingTexts } from '../../src/takeover/floating-address.js';
import { hasGate } from '../../src/takeover/gate-order.js';
import { macvlansOf } from '../../src/takeover/macvlan.js';
import { packageVersion } from '../../src/version.js';
import { ArbiterCalls, type ArbiterLine } from './arbiter-calls.js';
import type { AgentLine } from '../agent/agent-port.js';
import { Disk } from './disk.js';
import { DiskCalls, type DiskLine } from './disk-calls.js';
import { SimulatorDriver, type DriverOptions, type Wiring } from './driver.js';
import type { RunDirectory } from './hands.js';
import type { Host } from './host.js';
import type { Errno } from './routes.js';
import type { SerialWire } from './serial-wire.js';
import type { SimulatedKeys } from './key-file.js';
import type { SharedDisk } from './shared-disk.js';

/** From exec to the first input: Node starts, the file is read. */
const START_MS: Ms = 300;
const KEY_LOOK_MS: Ms = 1000;

export interface DaemonOptions {
  host: Host;
  cluster: Cluster;
  /** The file that may replace it. */
  later: Cluster;
  /** Its key file. */
  keys: SimulatedKeys;
  /** The arbiter, if that is on disks. */
  sharedDisk?: SharedDisk;
  /** The serial line, if its host has one. */
  serial?: SerialWire;
  settle: () => void;
  /** Programs on its host, for one run of it. Absent: there are none. */
  agents?: () => AgentLine;
  journal: (at: Ms, entry: JournalEntry) => void;
  made: (step: Step, code: Errno | null) => void;
  /** Before each input. */
  stepping?: (input: Input, node: Node, now: Ms) => void;
  /** After each input: what was taken, and what came of it. */
  stepped?: (input: Input, actions: readonly Action[], node: Node) => void;
  /** As `DriverOptions.pauseMs`. */
  pauseMs?: DriverOptions['pauseMs'];
  /** Takes each line of a flight recording; one that has `recording` begins another. */
  record?: (line: RecordingStart | RecordedInput) => void;
}

interface Run {
  /** Of a recorded run. */
  calls: KeyedCalls | null;
  driver: SimulatorDriver;
  node: Node;
  offsetMs: Ms;
  answers: Map<number, (answer: OperatorAnswer) => void>;
}

export class Daemon {
  readonly #options: DaemonOptions;
  readonly disk: Disk;
  readonly #diskLine: DiskLine = { busyIn: null };
  readonly #runDirectory: RunDirectory = {};
  #run: Run | null = null;
  #runs = 0;
  #asked = 0;
  /** Changes until the blow falls. */
  #changesLeft = Infinity;
  #cluster: Cluster;
  #diskLost = false;
  /** Stops that are to come: before which effect, counted from when. */
  #pauses: { before: 'effect' | 'gate'; left: number; forMs: Ms }[] = [];
  #onExit: (() => void) | null = null;
  /** Asked to stop. */
  #ending = false;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#cluster = options.cluster;
    const { world, name } = options.host;
    this.disk = new Disk(world, world.random.stream(`disk ${name}`));
  }

  get keys(): SimulatedKeys {
    return this.#options.keys;
  }

  get host(): Host {
    return this.#options.host;
  }

  get runs(): boolean {
    return this.#run !== null;
  }

  /** Runs, and is not stopped. */
  get awake(): boolean {
    return this.#run !== null && !this.#run.driver.frozen;
  }

  /** The machine, for whoever judges it. */
  get node(): Node | null {
    return this.#run?.node ?? null;
  }

  /** This node's own clock, which its journal and status tell. */
  now(): Ms {
    return this.#run?.driver.now() ?? 0;
  }

  #arbiter(): ArbiterLine | null {
    const { host, sharedDisk } = this.#options;
    if (sharedDisk) return new DiskCalls(host, sharedDisk, this.#diskLine);
    const address = arbiterAddress(this.#cluster);
    return address === null ? null : new ArbiterCalls(host, address, `${host.name} ${this.#runs}`);
  }

  /** After the time that a process needs to start; one that is still ending ends first. */
  startSoon(): void {
    if (this.#run && this.#ending) {
      this.#onExit = () => this.startSoon();
      return;
    }
    this.#options.host.world.clock.after(START_MS, () => this.start());
  }

  start(): void {
    const { host, keys, settle, made } = this.#options;
    const cluster = this.#cluster;
    if (this.#run || !host.powered) return;
    if (this.#diskLost) this.disk.lose();
    this.#diskLost = false;
    const random = host.world.random.stream(`daemon ${host.name} ${this.#runs++}`);
    const self = cluster.nodes.find((node) => node.name === host.name);
    const arbiter = this.#arbiter();
    const offsetMs = Math.floor(random.between(10_000, 1_000_000));
    const driver = new SimulatorDriver({
      host,
      nics: [...new Set(self?.nets.flatMap((net) => [net.primary, ...net.standby]))],
      macvlans: self ? macvlansOf(cluster, self).map(({ name }) => name) : [],
      timing: cluster.timing,
      random,
      runDirectory: this.#runDirectory,
      disk: this.disk,
      wiring: wiringOf(cluster, host.name),
      ...(arbiter === null ? {} : { arbiter }),
      pauseMs: (where) => this.#pauseMs(where),
      ...(this.#options.agents && { agents: this.#options.agents() }),
      ...(this.#options.serial && { line: this.#options.serial.open(host) }),
      offsetMs,
      settle,
      mayChange: () => this.#mayChange(),
      made,
    });
    const hex = (): string => (random.integer() >>> 0).toString(16).padStart(8, '0');
    const incarnation = hex() + hex();
    const calls = this.#options.record ? new KeyedCalls() : null;
    const { seal, cipher } = calls?.of(keys.ring) ?? keys.ring;
    keys.holdAlone();
    const seed = random.integer();
    // Of a recorded run each node's own calls are kept, so each reads for itself.
    const polls = calls === null ? { polls: host.world.polls } : {};
    const node = new Node(
      { cluster, node: host.name, seal, cipher, ...polls, keys: keys.ids, incarnation, seed },
      driver.now(),
    );
    this.#options.record?.({
      recording: RECORDING_FORMAT,
      version: packageVersion(),
      at: driver.now(),
      commonAt: host.world.clock.now,
      ...{ cluster, node: host.name, incarnation, keys: keys.ids, seed },
      state: null,
    });
    this.#run = { calls, driver, node, offsetMs, answers: new Map() };
    this.#ending = false;
    this.#changesLeft = Infinity;
    driver.start((input) => this.#take(input));
    host.world.changed();
  }

  /** SIGKILL: what it held in memory is gone, its run directory and the kernel's state stay. */
  kill(): void {
    if (this.#run) {
      this.#run.driver.end();
      this.disk.crash();
      this.#options.host.world.changed();
    }
    this.#run = null;
    const exited = this.#onExit;
    this.#onExit = null;
    exited?.();
  }

  /** The host loses its power: the run directory is gone too. */
  powerOff(): void {
    this.#onExit = null;
    this.kill();
    for (const file of Object.keys(this.#runDirectory) as (keyof RunDirectory)[]) delete this.#runDirectory[file];
  }

  /** The state directory is empty when it next starts. */
  loseDisk(): void {
    this.#diskLost = true;
  }

  /** What it reads when it next starts. */
  replaceFile(): void {
    this.#cluster = this.#options.later;
  }

  /** The key file holds these from now on: a look at it once a second tells. */
  writeKeys(written: readonly number[]): void {
    const { host, keys } = this.#options;
    keys.put(written);
    const { random, clock } = host.world;
    const run = this.#run;
    const tell = (): void => {
      if (this.#run !== run || run === null) return;
      if (run.driver.frozen) clock.after(KEY_LOOK_MS, tell);
      else {
        this.#take({ kind: 'keys-read', keys: keys.ids });
        if (this.#run === run) keys.ring.keepOnly(run.node.keys);
      }
    };
    clock.after(random.stream(`keys ${host.name} ${clock.now}`).between(0, KEY_LOOK_MS), tell);
  }

  /** Will the state directory be empty when it next starts? */
  get losesDisk(): boolean {
    return this.#diskLost;
  }

  /** The record in the state directory is damaged. */
  tearDisk(): void {
    this.disk.damage();
  }

  pauseBefore(before: 'effect' | 'gate', nth: number, forMs: Ms): void {
    this.#pauses.push({ before, left: nth, forMs });
  }

  #pauseMs(where: 'effect' | 'gate'): Ms {
    let ms = this.#options.pauseMs?.(where) ?? 0;
    if (this.#pauses.length === 0) return ms;
    for (const pause of this.#pauses) if (pause.before === where && --pause.left === 0) ms = Math.max(ms, pause.forMs);
    this.#pauses = this.#pauses.filter(({ left }) => left > 0);
    return ms;
  }

  killAt(change: number): void {
    this.#changesLeft = change;
  }

  /** SIGTERM or SIGHUP; `exited` once its hands have done what they were told. */
  stop(how: 'stop' | 'restart', exited?: () => void): void {
    if (!this.#run) {
      exited?.();
      return;
    }
    this.#onExit = exited ?? null;
    this.#ending = true;
    this.#take({ kind: 'stop-asked', how });
  }

  /** SIGSTOP; what it gives back is SIGCONT. Stops may overlap. */
  freeze(): () => void {
    const driver = this.#run?.driver;
    driver?.freeze();
    return () => driver?.thaw();
  }

  ask(request: OperatorRequest, answered: (answer: OperatorAnswer) => void): void {
    const id = ++this.#asked;
    this.#run?.answers.set(id, answered);
    this.#take({ kind: 'operator-asked', id, request });
  }

  status(): NodeStatus | null {
    return this.#run && this.awake ? this.#run.node.status(this.#run.driver.now()) : null;
  }

  #mayChange(): boolean {
    if (--this.#changesLeft > 0) return true;
    this.kill();
    return false;
  }

  #take(input: Input): void {
    const run = this.#run;
    if (!run) return;
    const now = run.driver.now();
    this.#options.stepping?.(input, run.node, now);
    const actions = run.node.step(now, input);
    this.#record(run, now, input, actions);
    for (const action of actions) this.#keep(run, action);
    this.#options.stepped?.(input, actions, run.node);
    // Whoever judges may have asked as well.
    run.calls?.take();
    if (actions.length > 0) run.driver.perform(actions);
    run.driver.wakeAt(run.node.deadline());
    if (actions.some((action) => action.kind === 'exit')) run.driver.settle(() => this.kill());
  }

  #record({ calls }: Run, at: Ms, input: Input, actions: readonly Action[]): void {
    if (calls === null) return;
    const journal = actions.flatMap((action) => (action.kind === 'journal' ? [action.entry] : []));
    const commonAt = this.#options.host.world.clock.now;
    this.#options.record?.({ at, commonAt, input, ...calls.take(), ...(journal.length > 0 && { journal }) });
  }

  /** What the daemon does with an action beside the driver. */
  #keep(run: Run, action: Action): void {
    const { journal, host } = this.#options;
    if (action.kind === 'journal') journal(host.clock.worldAt(action.entry.at - run.offsetMs), action.entry);
    if (action.kind === 'answer-operator') {
      run.answers.get(action.id)?.(action.answer);
      run.answers.delete(action.id);
    }
  }
}

function wiringOf(cluster: Cluster, name: string): Wiring {
  const heartbeats = new Set(cluster.nets.filter((net) => net.heartbeat).map((net) => net.name));
  const nets = cluster.nodes.find((node) => node.name === name)?.nets.filter(({ net }) => heartbeats.has(net)) ?? [];
  const listens = new Set(nets.flatMap((net) => net.addresses.map(({ address }) => address)));
  return { listens, port: cluster.port, ...(hasGate(cluster) && { floating: floatingTexts(cluster) }) };
}

/** Where its etcd is: the host of its first endpoint. */
function arbiterAddress(cluster: Cluster): string | null {
  const arbiter = typeof cluster.quorum === 'object' ? cluster.quorum.arbiter : undefined;
  if (arbiter?.kind !== 'etcd') return null;
  return new URL(arbiter.endpoints[0]!).hostname.replace(/^\[|\]$/g, '');
}
