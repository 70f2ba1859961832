/** Writes the flight recording into the state directory, bounded: past a size it goes on in a new file, which opens with a snapshot. */
import { createWriteStream, openSync, readdirSync, rmSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

const FILE_BYTES_MAX = 64 * 1024 * 1024;
const FILES_KEPT = 4;
const FILE_NAME = /^recording-\d{6}\.jsonl$/;

export class Recorder {
  readonly #stateDir: string;
  readonly #onFull: () => void;
  readonly #onTrouble: (error: Error) => void;
  #file: WriteStream | undefined;
  #bytes = 0;

  /** `onFull`: a snapshot is wanted, which `begin` then takes. */
  constructor(stateDir: string, onFull: () => void, onTrouble: (error: Error) => void) {
    this.#stateDir = stateDir;
    this.#onFull = onFull;
    this.#onTrouble = onTrouble;
  }

  /** Opens the next file with this first line, and removes the oldest ones. Returns its path; null where there is none to be had. */
  begin(start: string): string | null {
    this.#file?.end();
    this.#file = undefined;
    this.#bytes = 0;
    try {
      const path = this.#nextPath();
      this.#file = createWriteStream(path, { fd: openSync(path, 'wx', 0o600) });
      this.#file.on('error', this.#onTrouble);
      this.add(start);
      return path;
    } catch (error) {
      this.#onTrouble(error as Error);
      return null;
    }
  }

  #nextPath(): string {
    const kept = readdirSync(this.#stateDir)
      .filter((file) => FILE_NAME.test(file))
      .sort();
    const number = Number(kept.at(-1)?.slice('recording-'.length, -'.jsonl'.length) ?? 0) + 1;
    for (const old of kept.slice(0, Math.max(0, kept.length - FILES_KEPT + 1))) rmSync(join(this.#stateDir, old));
    return join(this.#stateDir, `recording-${String(number).padStart(6, '0')}.jsonl`);
  }

  add(lines: string): void {
    const before = this.#bytes;
    this.#bytes += lines.length;
    this.#file?.write(lines);
    if (before < FILE_BYTES_MAX && this.#bytes >= FILE_BYTES_MAX) this.#onFull();
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => (this.#file ? this.#file.end(() => resolve()) : resolve()));
  }
}
