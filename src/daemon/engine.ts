/**
 * The engine thread: the only loop that decides. It takes inputs from the driver, steps the machine, hands the actions back,
 * and sets one wake-up. Nothing here may block: what can is the hands' or main's.
 */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { LinuxDriver, type LocalAction } from '../../drivers/linux/driver.js';
import { PortHands, type HandsData } from '../../drivers/linux/hands-port.js';
import { setThreadName } from '../../drivers/linux/socket.js';
import { cipherWith } from '../../drivers/cipher.js';
import { sealWith } from '../../drivers/seal.js';
import type { Action } from '../action.js';
import type { Cluster } from '../config/cluster.js';
import type { Input, Ms } from '../input.js';
import { Node } from '../node.js';
import type { JournalEntry } from '../status.js';
import { OBSERVED_SETTINGS } from '../takeover/settings.js';
import type { Seal } from '../world.js';
import type { EngineSettings, FromEngine, ToEngine } from './engine-port.js';
import { toHex, writeRecorded } from './recording.js';
import { shadowed } from './shadow.js';

class Engine {
  readonly #settings: EngineSettings;
  readonly #say: (message: FromEngine) => void;
  readonly #driver: LinuxDriver;
  readonly #node: Node;
  #journal: JournalEntry[] = [];
  #seals: string[] = [];
  #inputs = 0;
  readonly #recording: boolean;
  readonly #startedAt: Ms;

  constructor(settings: EngineSettings, say: (message: FromEngine) => void) {
    this.#settings = settings;
    this.#say = say;
    this.#recording = settings.record;
    const { cluster, node, incarnation, seed, key } = settings;
    const self = cluster.nodes.find((candidate) => candidate.name === node);
    if (!self) throw new RangeError(`node ${node} is not in the cluster file`);
    const nics = self.nets.flatMap((net) => [net.primary, ...net.standby]);
    const data: HandsData = {
      nics,
      peers: peersOf(cluster, node),
      settings: [...OBSERVED_SETTINGS],
      runDir: settings.runDir,
    };
    const worker = new Worker(new URL('../../drivers/linux/hands.js', import.meta.url), {
      workerData: data,
      name: 'hands',
    });
    // Without hands nothing can be changed any more: better a new start, which adopts what is there.
    worker.on('error', (error) => this.#fail(`the hands failed: ${error.stack ?? error.message}`));
    const hands = new PortHands(worker);
    hands.onNote((text) => say({ say: 'note', text }));
    this.#driver = new LinuxDriver({
      self,
      timing: cluster.timing,
      hands,
      local: (action) => this.#local(action),
      note: (text) => say({ say: 'note', text }),
    });
    const seal = sealWith(key);
    const cipher = cipherWith(key);
    this.#startedAt = this.#driver.now();
    this.#node = new Node(
      { cluster, node, incarnation, seed, seal: settings.record ? this.#remembered(seal) : seal, cipher },
      this.#startedAt,
    );
  }

  async run(): Promise<void> {
    if (this.#recording) this.#startRecording(false);
    await this.#driver.open((input) => this.#take(input));
    this.#say({ say: 'ready' });
  }

  hear(message: ToEngine): void {
    switch (message.ask) {
      case 'status': {
        const status = this.#node.status(this.#driver.now());
        const dropped = { ...status.dropped, ...this.#driver.dropped() };
        this.#say({
          say: 'status',
          id: message.id,
          status: { ...status, dropped },
          lateness: this.#driver.lateness(),
          inputs: this.#inputs,
        });
        break;
      }
      case 'operator':
        this.#take({ kind: 'operator-asked', id: message.id, request: message.request });
        break;
      case 'stop':
        this.#take({ kind: 'stop-asked', how: message.how });
        break;
      case 'snapshot':
        if (this.#recording) this.#startRecording(true);
        break;
    }
  }

  #take(input: Input): void {
    this.#inputs++;
    const now = this.#driver.now();
    this.#perform(now, input, this.#node.step(now, input));
    this.#driver.wakeAt(this.#node.deadline());
  }

  #perform(now: Ms, input: Input, actions: Action[]): void {
    const answers: Input[] = [];
    const allowed = this.#settings.shadow ? shadowed(now, actions, answers) : actions;
    this.#driver.perform(allowed);
    if (this.#recording) {
      const journal = actions.flatMap((action) => (action.kind === 'journal' ? [action.entry] : []));
      const seals = this.#seals;
      this.#seals = [];
      this.#say({
        say: 'recorded',
        lines: writeRecorded({
          at: now,
          input,
          ...(seals.length > 0 ? { seals } : {}),
          ...(journal.length > 0 ? { journal } : {}),
        }),
      });
    }
    if (this.#journal.length > 0) this.#say({ say: 'journal', entries: this.#journal.splice(0) });
    for (const answer of answers) this.#take(answer);
  }

  #local(action: LocalAction): void {
    switch (action.kind) {
      case 'journal':
        this.#journal.push(action.entry);
        break;
      case 'answer-operator':
        this.#say({ say: 'operator', id: action.id, answer: action.answer });
        break;
      case 'exit':
        void this.#driver.close().then(() => this.#say({ say: 'exit', code: action.code }));
        break;
    }
  }

  #fail(text: string): void {
    this.#say({ say: 'note', text });
    this.#say({ say: 'exit', code: 1 });
  }

  #remembered(seal: Seal): Seal {
    return (bytes) => {
      const sealed = seal(bytes);
      this.#seals.push(toHex(sealed));
      return sealed;
    };
  }

  #startRecording(snapshot: boolean): void {
    const { cluster, node, incarnation, seed, version } = this.#settings;
    const from = snapshot ? { at: this.#driver.now(), state: this.#node.state } : { at: this.#startedAt, state: null };
    this.#say({
      say: 'recording',
      start: writeRecorded({ recording: 1, version, ...from, cluster, node, incarnation, seed }),
    });
  }
}

/** Addresses of the other nodes, whose neighbour entries a switch copies. */
function peersOf(cluster: Cluster, node: string): string[] {
  const others = cluster.nodes.filter((other) => other.name !== node);
  return others.flatMap((other) => other.nets.flatMap((net) => net.addresses.map((prefix) => prefix.address)));
}

if (parentPort) {
  const port = parentPort;
  setThreadName('baton-engine');
  const engine = new Engine(workerData as EngineSettings, (message) => port.postMessage(message));
  port.on('message', (message: ToEngine) => engine.hear(message));
  await engine.run();
}
