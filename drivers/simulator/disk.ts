/**
 * The state directory of a host: one record, replaced whole. What is synced outlives a loss of power; the write under way
 * may be there afterwards or not, and what waits behind it is not.
 */
import type { Ms } from '../../src/input.js';
import type { Random } from './random.js';
import type { World } from './wire.js';

/** Write, sync, rename, sync of the directory. */
const SYNC_MS = { from: 0.2, to: 8 };

export interface Stored {
  durable: unknown;
  damaged: boolean;
}

interface Write {
  id: number;
  text: string;
  done: (id: number, failed?: { code: string; text: string }) => void;
}

export class Disk {
  /** Why nothing can be written; null: it can. */
  refusal: { code: string; text: string } | null = null;
  /** Its syncs take so many times as long. */
  slowness = 1;
  readonly #world: World;
  readonly #random: Random;
  #text: string | null = null;
  #damaged = false;
  #writing: Write | null = null;
  #waiting: Write | null = null;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** What a starting daemon finds. */
  read(): Stored {
    if (this.#damaged) return { durable: null, damaged: true };
    return { durable: this.#text === null ? null : (JSON.parse(this.#text) as unknown), damaged: false };
  }

  /** The record as it lies there, for whoever judges; null: none. */
  get text(): string | null {
    return this.#text;
  }

  /** Of several that wait only the newest is written; its `done` stands for those before it. */
  write(id: number, record: unknown, done: Write['done']): void {
    this.#waiting = { id, text: JSON.stringify(record), done };
    if (this.#writing === null) this.#next();
  }

  /** Its writer is gone, with the power or without it. */
  crash(): void {
    const writing = this.#writing;
    this.#writing = this.#waiting = null;
    if (writing && this.#random.unit() < 0.5) this.#keep(writing);
  }

  /** The directory is empty. */
  lose(): void {
    this.#text = null;
    this.#damaged = false;
  }

  /** The record no longer fits its checksum. */
  damage(): void {
    this.#damaged = this.#text !== null;
  }

  #next(): void {
    const write = this.#waiting;
    this.#waiting = null;
    this.#writing = write;
    if (write === null) return;
    this.#world.clock.after(this.#syncMs(), () => {
      // The writer died meanwhile.
      if (this.#writing !== write) return;
      if (this.refusal) write.done(write.id, this.refusal);
      else {
        this.#keep(write);
        write.done(write.id);
      }
      if (this.#writing === write) this.#next();
    });
  }

  #syncMs(): Ms {
    return this.#random.between(SYNC_MS.from, SYNC_MS.to) * this.slowness;
  }

  #keep(write: Write): void {
    this.#text = write.text;
    this.#damaged = false;
  }
}
