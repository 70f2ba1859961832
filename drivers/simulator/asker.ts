/**
 * A program that asks the same thing again and again. Each question is walked through the world as it is at that moment;
 * while nothing of the world changes, the next questions fare alike, and are counted without being walked.
 */
import type { Ms } from '../../src/input.js';
import type { Timer } from './clock.js';
import type { Random } from './random.js';
import type { Trace, World } from './wire.js';

/** A walk also keeps entries of bridges fresh, so one is made now and then, whatever happens. */
const REPEAT_MS: Ms = 10_000;

interface Outcome {
  answered: boolean;
  chance: number;
  counted: Trace['counted'];
}

export interface AskerOptions {
  everyMs: Ms;
  /** Sends the question on its way. */
  ask: (trace: Trace) => void;
  /** `count` questions, the first at `from`, all answered or all not. */
  heard: (answered: boolean, from: Ms, count: number) => void;
  /** Wait after the n-th failure (from 1) in a row; absent: the next question comes as ever. */
  retry?: (failures: number) => Ms;
}

export class Asker {
  readonly #world: World;
  readonly #random: Random;
  readonly #options: AskerOptions;
  #next: Ms = Infinity;
  /** How each question fares until the world changes; null: the next one must be walked. */
  #outcome: Outcome | null = null;
  #timer: Timer | undefined;
  #failures = 0;
  /** The world changed since the walk began. */
  #disturbed = false;

  constructor(world: World, random: Random, options: AskerOptions) {
    this.#world = world;
    this.#random = random;
    this.#options = options;
    world.onChanged(() => this.#worldChanged());
  }

  start(): void {
    this.#next = Math.ceil(this.#world.clock.now);
    this.#schedule(this.#next);
  }

  /** Counts the questions up to now. */
  settle(): void {
    if (this.#outcome)
      this.#count(this.#outcome, Math.floor((this.#world.clock.now - this.#next) / this.#options.everyMs) + 1);
  }

  #worldChanged(): void {
    this.#disturbed = true;
    const outcome = this.#outcome;
    if (!outcome) return;
    this.#outcome = null;
    this.#count(outcome, Math.ceil((this.#world.clock.now - this.#next) / this.#options.everyMs));
    this.#schedule(this.#next);
  }

  #schedule(at: Ms): void {
    if (this.#timer) this.#timer.cancelled = true;
    this.#timer = this.#world.clock.at(at, () => this.#walk());
  }

  #walk(): void {
    if (this.#outcome) this.#worldChanged();
    if (this.#next > this.#world.clock.now) return;
    const outcome: Outcome = { answered: false, chance: 1, counted: [] };
    const trace: Trace = { answered: () => (outcome.answered = true), chance: 1, counted: outcome.counted };
    this.#disturbed = false;
    this.#options.ask(trace);
    const steady = !this.#disturbed;
    outcome.chance = trace.chance ?? 1;
    const passed = outcome.answered && (outcome.chance === 1 || this.#random.unit() < outcome.chance);
    this.#tell(passed, this.#next, 1);
    this.#next += passed || !this.#options.retry ? this.#options.everyMs : this.#options.retry(this.#failures);
    const repeats = steady && !(this.#options.retry && (!passed || outcome.chance < 1));
    if (repeats) this.#outcome = outcome;
    this.#schedule(repeats ? this.#world.clock.now + REPEAT_MS : this.#next);
  }

  #count(outcome: Outcome, count: number): void {
    if (count <= 0) return;
    for (const { counters, counter } of outcome.counted) counters[counter] += count;
    const from = this.#next;
    this.#next += count * this.#options.everyMs;
    if (!outcome.answered || outcome.chance === 1) this.#tell(outcome.answered, from, count);
    else
      for (let i = 0; i < count; i++)
        this.#tell(this.#random.unit() < outcome.chance, from + i * this.#options.everyMs, 1);
  }

  #tell(answered: boolean, from: Ms, count: number): void {
    this.#failures = answered ? 0 : this.#failures + count;
    this.#options.heard(answered, from, count);
  }
}
