/** The hands of a simulated daemon: changes of the kernel and records of the run directory, one after the other, each taking its time. */
import type { Action, RunRecord, Step } from '../../src/action.js';
import type { SwitchFailure } from '../../src/input.js';
import type { Host } from './host.js';
import { applyStep, ERROR_TEXT, nicsOf, wasDone } from './kernel.js';
import type { Random } from './random.js';
import type { Errno } from './routes.js';

export type HandsAction = Extract<Action, { kind: 'change-host' | 'persist' | 'observe' }>;

/** What one netlink request, and one record with its rename, take. */
const STEP_MS = { from: 0.05, to: 0.3 };
const RECORD_MS = { from: 0.1, to: 0.4 };

/** The two files of a run directory, as JSON text: what outlives the daemon. */
export type RunDirectory = Partial<Record<keyof RunRecord, string>>;

export interface HandsOptions {
  host: Host;
  random: Random;
  runDirectory: RunDirectory;
  /** All steps of a change were made, or one failed. */
  changed: (id: number, failed: SwitchFailure | undefined, undone: boolean, nics: string[]) => void;
  observe: (nics: string[]) => void;
  /** About to make a change; false: the daemon was killed at this very moment. */
  mayChange: () => boolean;
  made: (step: Step, code: Errno | null) => void;
}

export class Hands {
  readonly #options: HandsOptions;
  readonly #queue: HandsAction[] = [];
  #busy = false;
  #ended = false;
  #frozen = false;
  /** What goes on once they are no longer frozen. */
  #held: (() => void) | null = null;
  #idle: (() => void)[] = [];

  constructor(options: HandsOptions) {
    this.#options = options;
  }

  post(action: HandsAction): void {
    this.#queue.push(action);
    if (!this.#busy) this.#next();
  }

  /** Calls back when all that was posted so far is done. */
  settle(done: () => void): void {
    if (this.#busy) this.#idle.push(done);
    else done();
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    if (frozen) return;
    const held = this.#held;
    this.#held = null;
    held?.();
  }

  end(): void {
    this.#ended = true;
  }

  #after(span: { from: number; to: number }, run: () => void): void {
    const { host, random } = this.#options;
    const go = (): void => {
      if (this.#ended) return;
      if (this.#frozen) this.#held = go;
      else run();
    };
    host.heldMs += host.slowMs;
    host.world.clock.after(host.slowMs + random.between(span.from, span.to), go);
  }

  #next(): void {
    const action = this.#queue.shift();
    this.#busy = action !== undefined;
    if (action === undefined) {
      for (const done of this.#idle.splice(0)) done();
      return;
    }
    switch (action.kind) {
      case 'observe':
        this.#after(STEP_MS, () => {
          this.#options.observe(action.nics);
          this.#next();
        });
        break;
      case 'persist':
        this.#record(action.record, () => this.#next());
        break;
      case 'change-host':
        this.#record(action.record, () => this.#change(action, 0));
        break;
    }
  }

  #record(record: RunRecord | undefined, then: () => void): void {
    if (record === undefined) {
      then();
      return;
    }
    this.#after(RECORD_MS, () => {
      for (const file of ['switch', 'ledger'] as const)
        if (record[file] !== undefined) this.#options.runDirectory[file] = JSON.stringify(record[file]);
      then();
    });
  }

  #change(action: Extract<HandsAction, { kind: 'change-host' }>, at: number): void {
    const step = action.steps[at];
    if (step === undefined) {
      this.#finish(action, undefined, false);
      return;
    }
    this.#after(STEP_MS, () => {
      const code = this.#make(step);
      if (code === 'killed') return;
      if (code === null) this.#change(action, at + 1);
      else this.#fail(action, { step: at, code, text: ERROR_TEXT[code] });
    });
  }

  #fail(action: Extract<HandsAction, { kind: 'change-host' }>, failure: SwitchFailure): void {
    const undo = action.undo?.slice(0, failure.step).reverse();
    const takeBack = (at: number): void => {
      const step = undo?.[at];
      if (step === undefined) {
        this.#finish(action, failure, undo !== undefined);
        return;
      }
      this.#after(STEP_MS, () => {
        if (this.#make(step) !== 'killed') takeBack(at + 1);
      });
    };
    takeBack(0);
  }

  #make(step: Step): Errno | 'killed' | null {
    if (!this.#options.mayChange()) return 'killed';
    const code = applyStep(this.#options.host, step);
    this.#options.made(step, code);
    return code !== null && wasDone(step, code) ? null : code;
  }

  #finish(
    action: Extract<HandsAction, { kind: 'change-host' }>,
    failed: SwitchFailure | undefined,
    undone: boolean,
  ): void {
    const nics = [...new Set(action.steps.flatMap(nicsOf))];
    this.#options.changed(action.id, failed, undone, nics);
    this.#next();
  }
}
