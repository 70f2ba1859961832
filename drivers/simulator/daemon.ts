/** The life of a simulated batond: the machine behind its driver, started, killed, frozen, ended; the run directory outlives it. */
import type { Action, Step } from '../../src/action.js';
import type { Cluster } from '../../src/config/cluster.js';
import type { Input, Ms } from '../../src/input.js';
import { Node } from '../../src/node.js';
import type { JournalEntry, NodeStatus, OperatorAnswer, OperatorRequest } from '../../src/status.js';
import type { Cipher, Seal } from '../../src/world.js';
import { SimulatorDriver } from './driver.js';
import type { RunDirectory } from './hands.js';
import type { Host } from './host.js';
import type { Errno } from './routes.js';

/** From exec to the first input: Node starts, the file is read. */
const START_MS: Ms = 300;

export interface DaemonOptions {
  host: Host;
  cluster: Cluster;
  seal: Seal;
  cipher: Cipher;
  settle: () => void;
  journal: (at: Ms, entry: JournalEntry) => void;
  made: (step: Step, code: Errno | null) => void;
}

interface Run {
  driver: SimulatorDriver;
  node: Node;
  offsetMs: Ms;
  answers: Map<number, (answer: OperatorAnswer) => void>;
}

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #runDirectory: RunDirectory = {};
  #run: Run | null = null;
  #runs = 0;
  #asked = 0;
  /** Changes until the blow falls. */
  #changesLeft = Infinity;
  #onExit: (() => void) | null = null;
  #frozen = false;
  /** Asked to stop. */
  #ending = false;

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  get runs(): boolean {
    return this.#run !== null;
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
    if (this.#run) return;
    const { host, cluster, seal, settle, made } = this.#options;
    const random = host.world.random.stream(`daemon ${host.name} ${this.#runs++}`);
    const self = cluster.nodes.find((node) => node.name === host.name);
    const offsetMs = Math.floor(random.between(10_000, 1_000_000));
    const driver = new SimulatorDriver({
      host,
      nics: self?.nets.flatMap((net) => [net.primary, ...net.standby]) ?? [],
      timing: cluster.timing,
      random,
      runDirectory: this.#runDirectory,
      offsetMs,
      settle,
      mayChange: () => this.#mayChange(),
      made,
    });
    const hex = (): string => (random.integer() >>> 0).toString(16).padStart(8, '0');
    const incarnation = hex() + hex();
    const { cipher } = this.#options;
    const node = new Node(
      { cluster, node: host.name, seal, cipher, incarnation, seed: random.integer() },
      driver.now(),
    );
    this.#run = { driver, node, offsetMs, answers: new Map() };
    this.#frozen = this.#ending = false;
    this.#changesLeft = Infinity;
    driver.start((input) => this.#take(input));
  }

  /** SIGKILL: what it held in memory is gone, its run directory and the kernel's state stay. */
  kill(): void {
    this.#run?.driver.end();
    this.#run = null;
    const exited = this.#onExit;
    this.#onExit = null;
    exited?.();
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

  freeze(): void {
    this.#frozen = true;
    this.#run?.driver.freeze();
  }

  thaw(): void {
    this.#frozen = false;
    this.#run?.driver.thaw();
  }

  ask(request: OperatorRequest, answered: (answer: OperatorAnswer) => void): void {
    const id = ++this.#asked;
    this.#run?.answers.set(id, answered);
    this.#take({ kind: 'operator-asked', id, request });
  }

  status(): NodeStatus | null {
    return this.#run && !this.#frozen ? this.#run.node.status(this.#run.driver.now()) : null;
  }

  #mayChange(): boolean {
    if (--this.#changesLeft > 0) return true;
    this.kill();
    return false;
  }

  #take(input: Input): void {
    const run = this.#run;
    if (!run) return;
    const actions = run.node.step(run.driver.now(), input);
    for (const action of actions) this.#keep(run, action);
    if (actions.length > 0) run.driver.perform(actions);
    run.driver.wakeAt(run.node.deadline());
    if (actions.some((action) => action.kind === 'exit')) run.driver.settle(() => this.kill());
  }

  /** What the daemon does with an action beside the driver. */
  #keep(run: Run, action: Action): void {
    if (action.kind === 'journal') this.#options.journal(action.entry.at - run.offsetMs, action.entry);
    if (action.kind === 'answer-operator') {
      run.answers.get(action.id)?.(action.answer);
      run.answers.delete(action.id);
    }
  }
}
