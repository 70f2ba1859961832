/**
 * One end of a serial line, kept open: what was unplugged is opened again when it is back.
 *
 *   opening ──open──▶ up ──EIO, ENXIO, hung up──▶ opening, again and again, ever more slowly
 */
import { closeSync, readSync, writeSync } from 'node:fs';
import type { Ms } from '../../../src/input.js';
import type { SerialData, SerialNews } from '../serial-port.js';
import { flushLine, unwatchLine, watchLine, type LineWatch } from '../socket.js';
import { LineRefused, openLine } from './device.js';

const RETRY_MS: Ms = 100;
const RETRY_MAX_MS: Ms = 2000;
/** A line that takes nothing is tried again after this. */
const FULL_MS: Ms = 10;
/** What waits for a full line; older ones say nothing that newer ones do not say better. */
const FRAMES_MAX = 8;
const READ_BYTES = 4096;

export class Line {
  readonly #data: SerialData;
  readonly #post: (news: SerialNews) => void;
  readonly #room = new Uint8Array(READ_BYTES);
  #open: { fd: number; watch: LineWatch } | null = null;
  #told: string | null = null;
  #retryMs: Ms = RETRY_MS;
  #timer: NodeJS.Timeout | undefined;
  #queue: Uint8Array[] = [];
  /** So much of the first is written. */
  #written = 0;
  #lost = 0;

  /** Opens it at once, or tells why not. */
  constructor(data: SerialData, post: (news: SerialNews) => void) {
    this.#data = data;
    this.#post = post;
    this.#tryOpen();
  }

  send(frame: Uint8Array): void {
    if (this.#open === null) return;
    this.#queue.push(frame);
    if (this.#queue.length > FRAMES_MAX) {
      // The first is on the line in part: without its end the one after it were lost, too.
      this.#queue.splice(this.#written > 0 ? 1 : 0, 1);
      this.#lost++;
    }
    this.#write();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#shut();
  }

  #tryOpen(): void {
    const { device, baud } = this.#data;
    try {
      const fd = openLine(device, baud);
      this.#open = { fd, watch: watchLine(fd, () => this.#read()) };
    } catch (error) {
      if (!(error instanceof LineRefused)) throw error;
      this.#tell('down', error.message);
      this.#timer = setTimeout(() => this.#tryOpen(), this.#retryMs);
      this.#retryMs = Math.min(RETRY_MAX_MS, 2 * this.#retryMs);
      return;
    }
    this.#retryMs = RETRY_MS;
    this.#tell('up', '');
  }

  #tell(state: 'up' | 'down', text: string): void {
    const told = `${state} ${text}`;
    if (told !== this.#told) this.#post({ kind: 'serial-changed', state, text });
    this.#told = told;
  }

  #read(): void {
    if (this.#open === null) return;
    try {
      const length = readSync(this.#open.fd, this.#room, 0, READ_BYTES, null);
      if (length === 0) this.#fail('it was hung up');
      else this.#post({ kind: 'serial-read', bytes: this.#room.slice(0, length) });
    } catch (error) {
      this.#trouble(error);
    }
  }

  #write(): void {
    clearTimeout(this.#timer);
    try {
      for (let first = this.#queue[0]; this.#open !== null && first !== undefined; first = this.#queue[0]) {
        this.#written += writeSync(this.#open.fd, first, this.#written);
        if (this.#written < first.length) break;
        this.#queue.shift();
        this.#written = 0;
      }
    } catch (error) {
      this.#trouble(error);
    }
    if (this.#open !== null && this.#queue.length > 0) this.#timer = setTimeout(() => this.#write(), FULL_MS);
    if (this.#lost > 0) this.#post({ kind: 'serial-lost', frames: this.#lost });
    this.#lost = 0;
  }

  #trouble(error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EAGAIN' && code !== 'EINTR') this.#fail(message.split(',')[0]!);
  }

  #fail(text: string): void {
    clearTimeout(this.#timer);
    this.#shut();
    this.#tell('down', text);
    this.#timer = setTimeout(() => this.#tryOpen(), this.#retryMs);
  }

  #shut(): void {
    if (this.#open === null) return;
    const { fd, watch } = this.#open;
    this.#open = null;
    this.#queue = [];
    this.#written = 0;
    unwatchLine(watch);
    // What is not sent yet would hold the close for half a minute.
    flushLine(fd);
    closeSync(fd);
  }
}
