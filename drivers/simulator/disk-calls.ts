/**
 * A node's way to a shared disk: one write or read at a time, which may hang for long. A question whose time is over is
 * given up; what was begun for it ends when it ends, and until then nothing else is begun, by another run of the daemon neither.
 */
import type { Ms } from '../../src/input.js';
import type { ArbiterAnswer, ArbiterRequest, DiskRequest } from '../../src/membership/arbiter-record.js';
import type { ArbiterLine } from './arbiter-calls.js';
import type { Host } from './host.js';
import type { SharedDisk } from './shared-disk.js';

/** Of one host, over all runs of its daemon. */
export interface DiskLine {
  /** The boot in which something was begun that is not done yet. */
  busyIn: number | null;
}

export class DiskCalls implements ArbiterLine {
  readonly #host: Host;
  readonly #disk: SharedDisk;
  readonly #line: DiskLine;
  #ended = false;

  constructor(host: Host, disk: SharedDisk, line: DiskLine) {
    this.#host = host;
    this.#disk = disk;
    this.#line = line;
  }

  ask(request: ArbiterRequest, withinMs: Ms, heard: (answer: ArbiterAnswer) => void): void {
    let open = true;
    const close = (answer: ArbiterAnswer): void => {
      if (open && !this.#ended) heard(answer);
      open = false;
    };
    this.#host.world.clock.after(withinMs, () => close({ outcome: 'unknown', text: 'the disk does not answer' }));
    // What the boot before began is gone with it.
    if (this.#line.busyIn === this.#host.boot) return;
    if (request.ask !== 'look' && request.ask !== 'put')
      return close({ outcome: 'unknown', text: 'a disk is no register' });
    this.#begin(request, close);
  }

  /** The daemon is gone; what it began is not. */
  end(): void {
    this.#ended = true;
  }

  #begin(request: DiskRequest, close: (answer: ArbiterAnswer) => void): void {
    const { boot, name } = this.#host;
    const line = this.#line;
    line.busyIn = boot;
    const isGone = (): boolean => this.#host.boot !== boot;
    const end = (answer: ArbiterAnswer): void => {
      if (!isGone()) line.busyIn = null;
      close(answer);
    };
    const read = (): void =>
      this.#disk.io(() => {
        const found = this.#disk.read(name);
        end('outcome' in found ? found : { outcome: 'unknown', ...found });
      });
    if (request.ask === 'look') return read();
    this.#disk.io(() => {
      // A write that was under way when the power went may be there or not.
      if (isGone() && this.#host.random.unit() < 0.5) return;
      const failure = this.#disk.write(name, request);
      if (failure !== null) end({ outcome: 'unknown', ...failure });
      else read();
    });
  }
}
