/**
 * The engine thread: the only loop that decides. It takes inputs from the driver, steps the machine, hands the actions back,
 * and sets one wake-up. Nothing here may block: what can is the hands' or main's.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { AgentInput } from '../../drivers/agent/agent-port.js';
import { heartbeatAddresses } from '../../drivers/linux/datagrams.js';
import { LinuxDriver, type LocalAction } from '../../drivers/linux/driver.js';
import { setThreadName } from '../../drivers/linux/socket.js';
import { cipherWith } from '../../drivers/cipher.js';
import { Keyring } from '../../drivers/keyring.js';
import { sealWith } from '../../drivers/seal.js';
import type { Action } from '../action.js';
import { keyId } from '../config/key.js';
import type { Input, Ms } from '../input.js';
import { Node } from '../node.js';
import type { JournalEntry } from '../status.js';
import type { KeyId } from '../world.js';
import type { EngineSettings, FromEngine, ToEngine } from './engine-port.js';
import { startHands } from './hand-threads.js';
import { KeyedCalls, RECORDING_FORMAT, writeRecorded } from './recording.js';
import { withoutSecrets } from './secrets.js';
import { shadowed, type ShadowAnswer } from './shadow.js';

class Engine {
  readonly #settings: EngineSettings;
  readonly #say: (message: FromEngine) => void;
  readonly #driver: LinuxDriver;
  readonly #node: Node;
  #journal: JournalEntry[] = [];
  #agentExited: (input: AgentInput) => void = () => undefined;
  readonly #keyring = new Keyring();
  readonly #calls = new KeyedCalls();
  #inputs = 0;
  readonly #recording: boolean;
  readonly #startedAt: Ms;

  constructor(settings: EngineSettings, say: (message: FromEngine) => void) {
    this.#settings = settings;
    this.#say = say;
    this.#recording = settings.record;
    const { cluster, node, incarnation, seed } = settings;
    const self = cluster.nodes.find((candidate) => candidate.name === node);
    if (!self) throw new RangeError(`node ${node} is not in the cluster file`);
    const note = (text: string): void => say({ say: 'note', text });
    const addresses = heartbeatAddresses(cluster, self);
    this.#driver = new LinuxDriver({
      self,
      timing: cluster.timing,
      ...startHands(settings, self, note, (text) => this.#fail(text)),
      heartbeat: { port: cluster.port, addresses },
      ...(cluster.packages.length > 0 && { stateDir: settings.stateDir }),
      agents: {
        post: (action) => say({ say: 'agent', action }),
        onInput: (take) => (this.#agentExited = take),
      },
      local: (action) => this.#local(action),
      note,
    });
    this.#startedAt = this.#driver.now();
    const keys = this.#hold(settings.keys);
    const { seal, cipher } = settings.record ? this.#calls.of(this.#keyring) : this.#keyring;
    this.#node = new Node({ cluster, node, incarnation, seed, seal, cipher, keys }, this.#startedAt);
  }

  /** Returns their ids. */
  #hold(keys: readonly Uint8Array[]): KeyId[] {
    for (const key of keys) this.#keyring.hold(keyId(key), () => ({ seal: sealWith(key), cipher: cipherWith(key) }));
    return keys.map(keyId);
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
      case 'keys': {
        const { keys, trouble } = message;
        const told = trouble === undefined ? {} : { trouble };
        this.#take({ kind: 'keys-read', keys: this.#hold(keys), ...told });
        this.#keyring.keepOnly(this.#node.keys);
        break;
      }
      case 'stop':
        this.#take({ kind: 'stop-asked', how: message.how });
        break;
      case 'take':
        this.#agentExited(message.input);
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
    const answers: ShadowAnswer[] = [];
    const allowed = this.#settings.shadow ? shadowed(now, actions, answers) : actions;
    this.#driver.perform(allowed);
    if (this.#recording) {
      const journal = actions.flatMap((action) => (action.kind === 'journal' ? [action.entry] : []));
      this.#say({
        say: 'recorded',
        lines: writeRecorded({
          at: now,
          input,
          ...this.#calls.take(),
          ...(journal.length > 0 ? { journal } : {}),
        }),
      });
    }
    if (this.#journal.length > 0) this.#say({ say: 'journal', entries: this.#journal.splice(0) });
    for (const { input: answer, afterMs } of answers) setTimeout(() => this.#take(answer), afterMs);
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

  #startRecording(snapshot: boolean): void {
    const { node, incarnation, seed, version, boot } = this.#settings;
    const cluster = withoutSecrets(this.#settings.cluster);
    const keys = this.#settings.keys.map(keyId);
    const from = snapshot ? { at: this.#driver.now(), state: this.#node.state } : { at: this.#startedAt, state: null };
    this.#say({
      say: 'recording',
      start: writeRecorded({
        recording: RECORDING_FORMAT,
        version,
        ...(boot !== undefined && { boot }),
        ...from,
        cluster,
        node,
        incarnation,
        seed,
        keys,
      }),
    });
  }
}

if (parentPort) {
  const port = parentPort;
  setThreadName('baton-engine');
  const engine = new Engine(workerData as EngineSettings, (message) => port.postMessage(message));
  port.on('message', (message: ToEngine) => engine.hear(message));
  await engine.run();
}
