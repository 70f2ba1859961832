/**
 * The gate's own hand in a simulated daemon: arm, check, act (MEMBERSHIP G2 to G4), each transaction taking the time that
 * the kernel takes to commit it. The process may be stopped between any two of them; what the kernel was told goes on.
 */
import type { Action } from '../../src/action.js';
import type { GateOutcome, Ms } from '../../src/input.js';
import type { Host } from './host.js';
import type { Random } from './random.js';

type WriteGate = Extract<Action, { kind: 'write-gate' }>;

/** What a commit takes; one in RARELY waits for another that holds the kernel's lock. */
const COMMIT_MS = { from: 0.05, to: 1 };
const HELD_UP_MS = { from: 5, to: 60 };
const RARELY = 0.003;
/** From the flush of the rules to the word of it. */
const NOTICE_MS = { from: 0.3, to: 3 };
/** G3: beyond the token's life, for what the kernel rounds. */
const ROUNDING_MS: Ms = 2;

export interface GateHandOptions {
  host: Host;
  random: Random;
  /** Floating addresses of the cluster file. */
  floating: readonly string[];
  tokenMs: Ms;
  /** This node's own clock, in which leases are told. */
  now: () => Ms;
  written: (id: number, outcome: GateOutcome, tookMs: Ms) => void;
  lost: (text: string) => void;
  /** Called between any two effects: there the whole process may be stopped, and this hand with it. */
  mayPause: () => void;
}

export class GateHand {
  readonly #options: GateHandOptions;
  #waiting: WriteGate | null = null;
  #busy = false;
  #ended = false;
  #frozen = 0;
  #held: (() => void)[] = [];
  #key = 0;

  constructor(options: GateHandOptions) {
    this.#options = options;
    const { gate } = options.host;
    gate.raise(options.floating);
    gate.onFlushed = () => this.#after(NOTICE_MS, () => this.#putBack());
  }

  /** Of several that wait only the newest is written. */
  post(action: WriteGate): void {
    this.#waiting = action;
    if (!this.#busy) this.#next();
  }

  freeze(): void {
    this.#frozen++;
  }

  thaw(): void {
    if (--this.#frozen > 0) return;
    for (const held of this.#held.splice(0)) this.#go(held);
  }

  end(): void {
    this.#ended = true;
    this.#options.host.gate.onFlushed = () => {};
  }

  #next(): void {
    const action = this.#waiting;
    this.#waiting = null;
    this.#busy = action !== null;
    if (action === null) return;
    const startedAt = this.#options.now();
    const answer = (outcome: GateOutcome): void => {
      this.#options.written(action.id, outcome, this.#options.now() - startedAt);
      this.#next();
    };
    if (action.leaseEnd === null) this.#close(action.held, answer);
    else this.#arm(action.held, action.leaseEnd, answer);
  }

  #close(held: readonly string[], answer: (outcome: GateOutcome) => void): void {
    const { gate } = this.#options.host;
    this.#commit(
      () => gate.close(held),
      (done) => answer(done === 'done' ? { ok: true } : MISSING),
    );
  }

  #arm(held: readonly string[], leaseEnd: Ms, answer: (outcome: GateOutcome) => void): void {
    const { host, tokenMs, now } = this.#options;
    const key = ++this.#key;
    this.#commit(
      () => host.gate.arm(key, tokenMs),
      (armed) => {
        if (!armed) {
          answer(MISSING);
          return;
        }
        const remainder = leaseEnd - now() - tokenMs - ROUNDING_MS;
        if (remainder <= 0) {
          answer({ ok: false, why: 'late' });
          return;
        }
        this.#pausing(() => this.#act(key, held, remainder, answer));
      },
    );
  }

  #act(key: number, held: readonly string[], remainder: Ms, answer: (outcome: GateOutcome) => void): void {
    const { gate } = this.#options.host;
    this.#commit(
      () => gate.open(key, held, remainder),
      (done) => answer(done === 'done' ? { ok: true } : done === 'late' ? { ok: false, why: 'late' } : MISSING),
    );
  }

  /** The kernel commits whether the process runs on or not; the process reads the answer when it runs. */
  #commit<T>(effect: () => T, then: (result: T) => void): void {
    const { host, random } = this.#options;
    const span = random.unit() < RARELY ? HELD_UP_MS : COMMIT_MS;
    const { boot } = host;
    host.world.clock.after(host.slowMs + random.between(span.from, span.to), () => {
      // The power went meanwhile.
      if (host.boot !== boot) return;
      const result = effect();
      this.#pausing(() => then(result));
    });
  }

  #putBack(): void {
    const { host, floating, lost } = this.#options;
    this.#commit(
      () => host.gate.raise(floating),
      () => lost('the rules of the gate were flushed'),
    );
  }

  #pausing(run: () => void): void {
    if (!this.#ended) this.#options.mayPause();
    this.#go(run);
  }

  #after(span: { from: Ms; to: Ms }, run: () => void): void {
    this.#options.host.world.clock.after(this.#options.random.between(span.from, span.to), () => this.#go(run));
  }

  #go(run: () => void): void {
    if (this.#ended) return;
    if (this.#frozen > 0) this.#held.push(run);
    else run();
  }
}

const MISSING: GateOutcome = { ok: false, why: 'failed', text: 'No such file or directory' };
