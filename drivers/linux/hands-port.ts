/**
 * Between the engine's thread and the hands, one line of messages, in order both ways:
 *
 *   engine ──HandsAction──▶ hands      change-host, persist, observe: done one after the other
 *          ──settle────────▶
 *          ◀──HandsInput──          started, host-observed, host-changed
 *          ◀──noted────────         a line for the log
 *          ◀──settled──────         all that was posted before that settle is done
 */
import type { Action } from '../../src/action.js';
import type { Input } from '../../src/input.js';

export type HandsAction = Extract<Action, { kind: 'change-host' | 'persist' | 'observe' }>;
export type HandsInput = Extract<Input, { kind: 'started' | 'host-observed' | 'host-changed' }>;

export type ToHands = HandsAction | { kind: 'settle'; id: number };
export type FromHands = HandsInput | { kind: 'settled'; id: number } | { kind: 'noted'; text: string };

/** `workerData` of the hands' thread. */
export interface HandsData {
  /** NICs of the cluster file on this node. */
  nics: string[];
  /** Canonical addresses whose neighbour entries are kept in view, besides those of gateways. */
  peers: string[];
  /** Sysctls to be observed, `ipv4/conf/{nic}/arp_ignore`: OBSERVED_SETTINGS of src/takeover/settings. */
  settings: string[];
  runDir: string;
}

/** The engine's view of the hands. */
export interface Hands {
  /** Never blocks. */
  post(action: HandsAction): void;
  /** Once; what came before is kept until then. */
  onInput(take: (input: HandsInput) => void): void;
  /** Calls back when all that was posted so far is done. */
  settle(done: () => void): void;
  /** What the operator should read in the log, and no input tells: a record that cannot be written. */
  onNote?(take: (text: string) => void): void;
}

/** A Worker, or a MessagePort, as seen from the engine. */
export interface Line {
  postMessage(message: ToHands): void;
  on(event: 'message', take: (message: FromHands) => void): unknown;
}

export class PortHands implements Hands {
  readonly #port: Line;
  readonly #settling = new Map<number, () => void>();
  #settles = 0;
  #note: (text: string) => void = () => undefined;

  constructor(port: Line) {
    this.#port = port;
  }

  post(action: HandsAction): void {
    this.#port.postMessage(action);
  }

  onInput(take: (input: HandsInput) => void): void {
    this.#port.on('message', (message: FromHands) => {
      if (message.kind === 'noted') return this.#note(message.text);
      if (message.kind !== 'settled') return take(message);
      this.#settling.get(message.id)?.();
      this.#settling.delete(message.id);
    });
  }

  onNote(take: (text: string) => void): void {
    this.#note = take;
  }

  settle(done: () => void): void {
    const id = ++this.#settles;
    this.#settling.set(id, done);
    this.#port.postMessage({ kind: 'settle', id });
  }
}
