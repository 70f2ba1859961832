/**
 * Disks that all nodes share, as arbiter (MEMBERSHIP A7): what is on them, and what befalls them. They are one here: a
 * write counts only when it is on all of them.
 */
import type { ArbiterTrouble, DiskBlock, DiskRequest, DiskView } from '../../src/membership/arbiter-record.js';
import { newestVersion } from '../../src/membership/disk-arbiter.js';
import { compareVersions, type Document } from '../../src/membership/document.js';
import type { Ms } from '../../src/input.js';
import type { Random } from './random.js';
import type { World } from './wire.js';

/** One write or read, synced. */
const IO_MS = { from: 0.1, to: 3 };

interface Contents {
  storageId: string;
  /** Null: torn. */
  blocks: Record<string, DiskBlock | null>;
  /** By node: the document in its block. */
  documents: Record<string, Document>;
}

/** Why nothing was read or written. */
export interface DiskFailure {
  text: string;
  why?: ArbiterTrouble;
}

export type DiskState = 'well' | 'dead' | 'read-only' | 'full' | 'foreign';

export class SharedDisk {
  state: DiskState = 'well';
  /** What each write and read takes beside its own time. */
  slowMs: Ms = 0;
  /** Node → how often its way to it is cut. */
  readonly #cuts = new Map<string, number>();
  readonly world: World;
  readonly #random: Random;
  #contents: Contents;
  /** What reads show instead of what is there. */
  #stale: Contents | null = null;
  #frozen = false;
  readonly #held: (() => void)[] = [];

  constructor(world: World) {
    this.world = world;
    this.#random = world.random.stream('shared disk');
    this.#contents = this.#blank();
  }

  /** May it answer at all? A slow disk, and one that shows old blocks, now and then has the answer of a moment ago. */
  get answers(): boolean {
    return this.state === 'well' && !this.#frozen;
  }

  get storageId(): string {
    return this.#contents.storageId;
  }

  /** The newest document on it. */
  get document(): Document | null {
    return viewOf(this.#contents).document;
  }

  /** `go` when the disk has done what it was asked. */
  io(go: () => void): void {
    this.world.clock.after(this.#random.between(IO_MS.from, IO_MS.to) + this.slowMs, () => {
      if (this.#frozen) this.#held.push(go);
      else go();
    });
  }

  write(node: string, { storageId, block, document, mend }: Extract<DiskRequest, { ask: 'put' }>): DiskFailure | null {
    const failure = this.#failure(node);
    if (failure !== null) return failure;
    if (this.state === 'read-only') return { text: 'EROFS: read-only file system' };
    if (this.state === 'full') return { text: 'ENOSPC: no space left on device' };
    const contents = this.#contents;
    // The survey before the write shows it.
    if (contents.storageId !== storageId || (contents.blocks[node] === null && !mend)) return null;
    contents.blocks[node] = structuredClone(block);
    contents.documents[node] = structuredClone(document);
    this.world.changed();
    return null;
  }

  read(node: string): DiskView | DiskFailure {
    return this.#failure(node) ?? viewOf(this.#stale ?? this.#contents);
  }

  #failure(node: string): DiskFailure | null {
    if (this.state === 'dead' || !this.reaches(node)) return { text: 'EIO: i/o error' };
    return this.state === 'foreign' ? { text: 'it is the arbiter of the cluster "other"', why: 'foreign' } : null;
  }

  reaches(node: string): boolean {
    return (this.#cuts.get(node) ?? 0) === 0;
  }

  /** Blows add up: each must be healed. */
  cutOff(node: string): () => void {
    const add = (n: number): void => {
      this.#cuts.set(node, (this.#cuts.get(node) ?? 0) + n);
      this.world.changed();
    };
    add(1);
    return () => add(-1);
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    for (const go of this.#held.splice(0)) go();
  }

  /** From now on reads show what is there now. */
  stick(): void {
    this.#stale = structuredClone(this.#contents);
  }

  unstick(): void {
    this.#stale = null;
  }

  /** That node's block fails its checksum. */
  tear(node: string): void {
    if (this.#contents.blocks[node] !== undefined) this.#contents.blocks[node] = null;
  }

  /** Nodes whose block fails its checksum: until they write it again nothing that the disk shows counts. */
  get torn(): string[] {
    const { blocks } = this.#contents;
    return Object.keys(blocks).filter((name) => blocks[name] === null);
  }

  /** Made anew: another voter. */
  forget(): void {
    this.#contents = this.#blank();
  }

  #blank(): Contents {
    const word = (): string => (this.#random.integer() >>> 0).toString(16).padStart(8, '0');
    return { storageId: word() + word() + word() + word(), blocks: {}, documents: {} };
  }
}

function viewOf({ storageId, blocks, documents }: Contents): DiskView {
  const newest = newestVersion(blocks);
  const node = Object.keys(blocks).find(
    (name) => newest !== null && blocks[name] && compareVersions(blocks[name].version, newest) === 0,
  );
  const document = node === undefined ? null : documents[node]!;
  return structuredClone({ outcome: 'blocks', storageId, blocks, document });
}
