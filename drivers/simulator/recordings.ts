/** Flight recordings of simulated daemons: a file for each run, as batond writes them. */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { writeRecorded, type RecordedInput, type RecordingStart } from '../../src/daemon/recording.js';

/** So much is written at once. */
const CHUNK_CHARS = 1 << 20;

interface Open {
  file: number;
  text: string;
}

export class Recordings {
  readonly #folder: string;
  readonly #open = new Map<string, Open>();
  readonly #runs = new Map<string, number>();

  /** Made if it is not there; throws a `NodeJS.ErrnoException` if it cannot be. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
  }

  of(node: string): (line: RecordingStart | RecordedInput) => void {
    return (line) => {
      if ('recording' in line) this.#begin(node);
      const open = this.#open.get(node);
      if (open === undefined) return;
      open.text += writeRecorded(line);
      if (open.text.length >= CHUNK_CHARS) this.#write(open);
    };
  }

  close(): void {
    for (const node of [...this.#open.keys()]) this.#end(node);
  }

  #begin(node: string): void {
    this.#end(node);
    const run = (this.#runs.get(node) ?? 0) + 1;
    this.#runs.set(node, run);
    const path = join(this.#folder, `${node}-${String(run).padStart(6, '0')}.jsonl`);
    this.#open.set(node, { file: openSync(path, 'w'), text: '' });
  }

  #end(node: string): void {
    const open = this.#open.get(node);
    if (open === undefined) return;
    this.#open.delete(node);
    this.#write(open);
    closeSync(open.file);
  }

  #write(open: Open): void {
    writeSync(open.file, open.text);
    open.text = '';
  }
}
