/**
 * Between the engine's thread and the gate's hand, one line of messages, in order both ways:
 *
 *   engine ──write-gate──▶ hand        of several that wait only the newest is written
 *          ──settle──────▶
 *          ◀──gate-written─           of the newest of those that waited together
 *          ◀──gate-lost────           somebody altered the tables; they are back, closed
 *          ◀──noted────────           a line for the log
 *          ◀──settled──────           all that was posted before that settle is done
 */
import type { Action } from '../../src/action.js';
import type { Input, Ms } from '../../src/input.js';

export type GateAction = Extract<Action, { kind: 'write-gate' }>;
export type GateInput = Extract<Input, { kind: 'gate-written' | 'gate-lost' }>;

export type ToGate = GateAction | { kind: 'settle'; id: number };
export type FromGate = GateInput | { kind: 'settled'; id: number } | { kind: 'noted'; text: string };

/** `workerData` of the hand's thread. */
export interface GateData {
  /** Every floating address of the cluster file, of all packages; canonical. */
  floating: string[];
  /** τ of MEMBERSHIP G2: how long after its arming a write may still happen. */
  renewLateMaxMs: Ms;
  /**
   * `adopt`: an open gate with the right rules runs on (N7); anything else is replaced by a closed one. `create`: closed,
   * whatever is there.
   */
  start: 'adopt' | 'create';
}

/** The engine's view of the gate's hand. */
export interface Gate {
  /** Never blocks. */
  post(action: GateAction): void;
  /** Once; what came before is kept until then. */
  onInput(take: (input: GateInput) => void): void;
  /** Calls back when all that was posted so far is done. */
  settle(done: () => void): void;
  /** What the operator should read in the log, and no input tells. */
  onNote?(take: (text: string) => void): void;
}

/** A Worker, or a MessagePort, as seen from the engine. */
export interface GateLine {
  postMessage(message: ToGate): void;
  on(event: 'message', take: (message: FromGate) => void): unknown;
}

export class PortGate implements Gate {
  readonly #port: GateLine;
  readonly #settling = new Map<number, () => void>();
  #settles = 0;
  #note: (text: string) => void = () => undefined;

  constructor(port: GateLine) {
    this.#port = port;
  }

  post(action: GateAction): void {
    this.#port.postMessage(action);
  }

  onInput(take: (input: GateInput) => void): void {
    this.#port.on('message', (message: FromGate) => {
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
