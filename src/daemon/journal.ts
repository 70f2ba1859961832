/** The journal as the daemon keeps it: the newest entries in memory, all of them in a bounded file of the state directory. */
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import type { JournalLine } from '../client/document.js';
import type { JournalEntry } from '../status.js';

const KEPT_IN_MEMORY = 5000;
const FILE_NAME = 'journal.jsonl';
const FILE_SIZE = '5M';
const FILES_KEPT = 4;

export class Journal {
  readonly #lines: JournalLine[] = [];
  readonly #news = new EventEmitter().setMaxListeners(0);
  readonly #node: string;
  readonly #file: RotatingFileStream;

  /** `onTrouble` is told once when the file cannot be written; entries go on being kept in memory. */
  constructor(stateDir: string, node: string, onTrouble: (error: Error) => void) {
    this.#node = node;
    this.#lines.push(...tailOf(join(stateDir, FILE_NAME)));
    this.#file = createStream(FILE_NAME, { path: stateDir, size: FILE_SIZE, maxFiles: FILES_KEPT });
    this.#file.once('error', onTrouble);
    this.#file.on('error', () => {});
    // After a line that a crash cut short, the next one would be lost with it.
    if (endsMidLine(join(stateDir, FILE_NAME))) this.#file.write('\n');
  }

  add(entry: JournalEntry): JournalLine {
    const line: JournalLine = { time: new Date().toISOString(), node: this.#node, ...entry };
    this.#lines.push(line);
    if (this.#lines.length > KEPT_IN_MEMORY) this.#lines.splice(0, this.#lines.length - KEPT_IN_MEMORY);
    this.#file.write(JSON.stringify(line) + '\n');
    this.#news.emit('line', line);
    return line;
  }

  /** The newest `count` entries, oldest of them first. */
  last(count = Infinity): readonly JournalLine[] {
    return count >= this.#lines.length ? [...this.#lines] : this.#lines.slice(this.#lines.length - count);
  }

  /** Calls back for each new entry until the returned function is called. */
  follow(onLine: (line: JournalLine) => void): () => void {
    this.#news.on('line', onLine);
    return () => this.#news.off('line', onLine);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#file.once('error', () => resolve());
      this.#file.end(() => resolve());
    });
  }
}

function endsMidLine(path: string): boolean {
  return existsSync(path) && !/(^|\n)$/.test(readFileSync(path, 'utf8').slice(-1));
}

/** Lines that do not parse (a daemon died while it wrote) are passed over. */
function tailOf(path: string): JournalLine[] {
  if (!existsSync(path)) return [];
  const lines: JournalLine[] = [];
  for (const text of readFileSync(path, 'utf8').split('\n').slice(-KEPT_IN_MEMORY)) {
    try {
      if (text !== '') lines.push(JSON.parse(text) as JournalLine);
    } catch {
      continue;
    }
  }
  return lines;
}
