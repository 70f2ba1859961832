/**
 * The durable record (MEMBERSHIP 2): `state.record` in the state directory, two slots (state-slots.ts) that are overwritten in
 * place by turns. Each write is one synchronous write (O_DSYNC) to blocks that the file has already: no new file, no new
 * name, no block to allocate, so one trip to the disk, and none that a full disk refuses. Only the first record, or one that
 * outgrows its slot, or one whose overwriting failed, gets a new file, synced, renamed, and its directory synced. All this
 * is done on libuv's pool: the engine's thread never waits for a disk.
 */
import { closeSync, constants, fdatasyncSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Input } from '../../src/input.js';
import { freshSlots, nextWrite, readSlots, type Slots, type SlotWrite } from './state-slots.js';

export type Persisted = Extract<Input, { kind: 'persisted' }>;

const FILE = 'state.record';
/** Never what a link of that name points to. */
const PLACE = constants.O_RDWR | constants.O_DSYNC | constants.O_NOFOLLOW;
const FRESH = PLACE | constants.O_CREAT | constants.O_TRUNC;

interface Waiting {
  id: number;
  text: Buffer;
}

/** The file as it was opened. */
interface Opened {
  file: FileHandle;
  slots: Slots;
}

export class StateStore {
  readonly #directory: string;
  readonly #done: (input: Persisted) => void;
  #opening: Promise<void> | null = null;
  #prepared = false;
  #opened: Opened | null = null;
  #waiting: Waiting | null = null;
  #busy = false;
  #writing: Promise<void> | null = null;

  /** `done` gets one input for each record that was written or could not be; it stands for the older ones that waited too. */
  constructor(directory: string, done: (input: Persisted) => void) {
    this.#directory = directory;
    this.#done = done;
  }

  /** Makes the next store as quick as any. To be called once the record was read: nothing is written while somebody reads. */
  prepare(): Promise<void> {
    return (this.#opening ??= this.#openOld().finally(() => (this.#prepared = true)));
  }

  /** The record as it is now. Of those that come while the disk is busy only the newest is written. */
  store(id: number, record: unknown): void {
    this.#waiting = { id, text: Buffer.from(JSON.stringify(record)) };
    if (!this.#busy) this.#writing = this.#writeAll();
  }

  /** Lets go of the file when all is written. */
  async close(): Promise<void> {
    await this.#opening;
    await this.#writing;
    await this.#opened?.file.close();
    this.#opened = null;
  }

  /** One that cannot be read will be replaced, when there is something to put into its place. */
  async #openOld(): Promise<void> {
    let file: FileHandle | undefined;
    try {
      file = await open(join(this.#directory, FILE), PLACE);
      const found = readSlots(await file.readFile());
      if ('wrong' in found) return await file.close();
      this.#opened = { file, slots: found.slots };
      // The same once more: the first takeover then waits neither for the compiler nor for the disk's cache.
      await this.#overwrite(this.#opened, nextWrite(found.slots, found.text)!);
    } catch {
      await file?.close().catch(() => undefined);
      this.#opened = null;
    }
  }

  async #writeAll(): Promise<void> {
    this.#busy = true;
    if (!this.#prepared) await this.prepare();
    for (let next = this.#next(); next !== null; next = this.#next()) {
      const failed = await failureOf(this.#write(next.text));
      this.#done({ kind: 'persisted', id: next.id, ...(failed && { failed }) });
    }
    this.#busy = false;
  }

  #next(): Waiting | null {
    const next = this.#waiting;
    this.#waiting = null;
    return next;
  }

  async #write(text: Buffer): Promise<void> {
    const write = this.#opened && nextWrite(this.#opened.slots, text);
    if (this.#opened === null || write === null) return this.#makeFile(text);
    try {
      // A file that somebody removed takes the record, and nobody ever reads it again.
      if (await this.#overwrite(this.#opened, write)) return;
    } catch {
      // A block that is bad, or a file system that writes elsewhere and has no room: perhaps another file can be written.
    }
    return this.#makeFile(text);
  }

  /** False: the file has no name any more. */
  async #overwrite(opened: Opened, { at, bytes, slots }: SlotWrite): Promise<boolean> {
    // No number twice, whatever becomes of this write; and the slot that is not hurt by it stays the newest until then.
    opened.slots = { ...opened.slots, write: slots.write };
    const [, { nlink }] = await Promise.all([writeAt(opened.file, bytes, at), opened.file.stat()]);
    opened.slots = slots;
    return nlink > 0;
  }

  async #makeFile(text: Buffer): Promise<void> {
    const path = join(this.#directory, FILE);
    const { bytes, slots } = freshSlots(text, (this.#opened?.slots.write ?? 0) + 1);
    const file = await open(`${path}.new`, FRESH, 0o600);
    try {
      await writeAt(file, bytes, 0);
      await file.sync();
      await rename(`${path}.new`, path);
      await withHandle(open(this.#directory, constants.O_RDONLY | constants.O_DIRECTORY), (folder) => folder.sync());
    } catch (error) {
      await file.close();
      await rm(`${path}.new`, { force: true });
      throw error;
    }
    const old = this.#opened?.file;
    this.#opened = { file, slots };
    await old?.close();
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

async function writeAt(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

async function withHandle(opening: Promise<FileHandle>, use: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await opening;
  try {
    await use(handle);
  } finally {
    await handle.close();
  }
}

export interface StateFound {
  /** Null: none, or none that can be believed. */
  durable: unknown;
  damaged: boolean;
  /** Why it cannot be believed, for the log. */
  trouble?: string;
}

/**
 * Blocks. Throws nothing: a record that cannot be read is a damaged one (MEMBERSHIP P2). What it finds is on the disk
 * afterwards: a daemon that was killed may have left it in the kernel's memory alone (P1).
 */
export function readState(directory: string): StateFound {
  const path = join(directory, FILE);
  let file: number | undefined;
  let folder: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY);
    const found = readSlots(readFileSync(file));
    fdatasyncSync(file);
    folder = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    fsyncSync(folder);
    if ('text' in found) return { durable: JSON.parse(found.text.toString()), damaged: false };
    return { durable: null, damaged: true, trouble: `${path} is damaged: ${found.wrong}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { durable: null, damaged: false };
    return { durable: null, damaged: true, trouble: `${path} cannot be read: ${message}` };
  } finally {
    for (const opened of [file, folder]) if (opened !== undefined) closeSync(opened);
  }
}
