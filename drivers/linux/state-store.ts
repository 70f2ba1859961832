/**
 * The durable record (MEMBERSHIP 2): `state.json` in the state directory, one line `{"checksum":…,"record":…}`. It is
 * written to a new file, synced, renamed, and its directory synced, all on libuv's pool: the engine's thread never waits
 * for a disk.
 */
import { createHash } from 'node:crypto';
import { constants, readFileSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Input } from '../../src/input.js';

export type Persisted = Extract<Input, { kind: 'persisted' }>;

const FILE = 'state.json';
/** A new file only for its owner, and never what a link of that name points to. */
const FRESH = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
const LINE = /^\{"checksum":"([0-9a-f]{64})","record":(.+)\}\n$/s;

interface Waiting {
  id: number;
  line: string;
}

export class StateStore {
  readonly #directory: string;
  readonly #done: (input: Persisted) => void;
  #waiting: Waiting | null = null;
  #busy = false;

  /** `done` gets one input for each record that was written or could not be; it stands for the older ones that waited too. */
  constructor(directory: string, done: (input: Persisted) => void) {
    this.#directory = directory;
    this.#done = done;
  }

  /** The record as it is now. Of those that come while the disk is busy only the newest is written. */
  store(id: number, record: unknown): void {
    this.#waiting = { id, line: stateLine(record) };
    if (!this.#busy) void this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#busy = true;
    for (let next = this.#next(); next !== null; next = this.#next()) {
      const failed = await failureOf(writeState(this.#directory, next.line));
      this.#done({ kind: 'persisted', id: next.id, ...(failed && { failed }) });
    }
    this.#busy = false;
  }

  #next(): Waiting | null {
    const next = this.#waiting;
    this.#waiting = null;
    return next;
  }
}

async function failureOf(writing: Promise<void>): Promise<Persisted['failed']> {
  try {
    await writing;
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { code: code ?? 'EUNKNOWN', text: message };
  }
}

async function writeState(directory: string, line: string): Promise<void> {
  const path = join(directory, FILE);
  const fresh = `${path}.new`;
  await withHandle(open(fresh, FRESH, 0o600), async (file) => {
    await file.writeFile(line);
    await file.sync();
  });
  await rename(fresh, path);
  await withHandle(open(directory, constants.O_RDONLY | constants.O_DIRECTORY), (folder) => folder.sync());
}

async function withHandle(opening: Promise<FileHandle>, use: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await opening;
  try {
    await use(handle);
  } finally {
    await handle.close();
  }
}

export function stateLine(record: unknown): string {
  const text = JSON.stringify(record);
  return `{"checksum":"${checksumOf(text)}","record":${text}}\n`;
}

export interface StateFound {
  /** Null: none, or none that can be believed. */
  durable: unknown;
  damaged: boolean;
  /** Why it cannot be believed, for the log. */
  trouble?: string;
}

/** Blocks. Throws nothing: a record that cannot be read is a damaged one (MEMBERSHIP P2). */
export function readState(directory: string): StateFound {
  const path = join(directory, FILE);
  try {
    const [, checksum, text] = LINE.exec(readFileSync(path, 'utf8')) ?? [];
    if (text !== undefined && checksumOf(text) === checksum) return { durable: JSON.parse(text), damaged: false };
    return { durable: null, damaged: true, trouble: `${path} is damaged: its checksum fails` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { durable: null, damaged: false };
    return { durable: null, damaged: true, trouble: `${path} cannot be read: ${message}` };
  }
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
