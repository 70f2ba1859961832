/**
 * Between the engine's thread and a hand, a thread that may block: one line of messages, in order both ways.
 *
 *   engine ──action───▶ hand      done one after the other
 *          ──settle───▶
 *          ◀──input────
 *          ◀──noted────          a line for the log
 *          ◀──settled──          all that was posted before that settle is done
 */
export type ToHand<A> = A | { kind: 'settle'; id: number };
export type FromHand<I> = I | { kind: 'settled'; id: number } | { kind: 'noted'; text: string };

/** The engine's view of a hand: `A` is what it does, `I` what comes of it. */
export interface Hand<A, I> {
  /** Never blocks. */
  post(action: A): void;
  /** Once; what came before is kept until then. */
  onInput(take: (input: I) => void): void;
  /** Calls back when all that was posted so far is done. */
  settle(done: () => void): void;
  /** What the operator should read in the log, and no input tells: a record that cannot be written. */
  onNote?(take: (text: string) => void): void;
}

/** A Worker, or a MessagePort, as seen from the engine. */
export interface Line<A, I> {
  postMessage(message: ToHand<A>): void;
  on(event: 'message', take: (message: FromHand<I>) => void): unknown;
}

export class PortHand<A extends { kind: string }, I extends { kind: string }> implements Hand<A, I> {
  readonly #port: Line<A, I>;
  readonly #settling = new Map<number, () => void>();
  #settles = 0;
  #note: (text: string) => void = () => undefined;

  constructor(port: Line<A, I>) {
    this.#port = port;
  }

  post(action: A): void {
    this.#port.postMessage(action);
  }

  onInput(take: (input: I) => void): void {
    this.#port.on('message', (message) => {
      if (isNoted(message)) return this.#note(message.text);
      if (!isSettled(message)) return take(message);
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

function isNoted(message: { kind: string }): message is { kind: 'noted'; text: string } {
  return message.kind === 'noted';
}

function isSettled(message: { kind: string }): message is { kind: 'settled'; id: number } {
  return message.kind === 'settled';
}
