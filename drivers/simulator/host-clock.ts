/** The clock of one host, which may run wrong: its daemon and its kernel's time-outs go by it. */
import type { Ms } from '../../src/input.js';
import type { Clock } from './clock.js';

export class HostClock {
  readonly #clock: Clock;
  /** Milliseconds of this clock in one of the world's. */
  #rate = 1;
  /** The moment of the world, and of this clock, from which on it runs at that rate. */
  #from: { world: Ms; host: Ms } = { world: 0, host: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get now(): Ms {
    return this.#from.host + (this.#clock.now - this.#from.world) * this.#rate;
  }

  /** It goes on from where it is, so many parts per million too fast. */
  drift(ppm: number): void {
    this.#from = { world: this.#clock.now, host: this.now };
    this.#rate = 1 + ppm / 1e6;
  }

  /** Which moment of the world that one is, as long as the rate stays. */
  worldAt(at: Ms): Ms {
    return this.#from.world + (at - this.#from.host) / this.#rate;
  }
}
