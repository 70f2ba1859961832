/** How far an exploration is. */
import type { SeedReport } from '../../drill/explorer/exploration.js';

export class ExplorationTally {
  readonly #startedAt: number;
  #seeds = 0;
  #simulatedMs = 0;
  violated = 0;

  /** Wall clock, milliseconds. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  count({ simulatedMs, violations }: Pick<SeedReport, 'simulatedMs' | 'violations'>): void {
    this.#seeds++;
    this.#simulatedMs += simulatedMs;
    if (violations.length > 0) this.violated++;
  }

  text(now: number): string {
    const tookMs = Math.max(1, now - this.#startedAt);
    const aSecond = ((this.#seeds * 1000) / tookMs).toFixed(2);
    const hours = (this.#simulatedMs / 3_600_000).toFixed(2);
    const times = (this.#simulatedMs / tookMs).toFixed(0);
    return `${this.#seeds} seeds, ${aSecond} a second, ${hours} h simulated, ${times} × real time, ${this.violated} violated`;
  }
}
