/**
 * The arbiter of the arena on a shared disk (MEMBERSHIP A7): a node's write may land late, and nothing more is begun for it
 * before. `record` shows what the judge asks of any arbiter.
 */
import { newestVersion } from '../../src/membership/disk-arbiter.js';
import type { ArbiterAnswer, DiskBlock, DiskRequest, DiskView } from '../../src/membership/arbiter-record.js';
import { ARBITER, compareVersions, type Document } from '../../src/membership/document.js';
import type { Arena } from './world.js';

/** One in so many writes or reads takes seconds. */
const HANGS = 60;

export class ArenaDisk {
  readonly #arena: Arena;
  #storageId = '';
  #blocks: Record<string, DiskBlock> = {};
  #documents: Record<string, Document> = {};
  readonly #busy = new Set<string>();

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#makeAnew();
  }

  #makeAnew(): void {
    this.#storageId = Array.from({ length: 32 }, () => Math.floor(this.#arena.random() * 16).toString(16)).join('');
    this.#blocks = {};
    this.#documents = {};
  }

  ask(node: string, request: DiskRequest, answered: (answer: ArbiterAnswer) => void): void {
    if (this.#busy.has(node)) return;
    this.#busy.add(node);
    const fail = (): void => {
      this.#busy.delete(node);
      answered({ outcome: 'unknown', text: 'EIO' });
    };
    const read = (): void =>
      this.#io(node, fail, () => {
        this.#busy.delete(node);
        answered(this.#view());
      });
    if (request.ask === 'look') return read();
    this.#io(node, fail, () => {
      this.#write(node, request);
      read();
    });
  }

  #io(node: string, fail: () => void, done: () => void): void {
    const hangs = !this.#arena.healed && this.#arena.random() < 1 / HANGS;
    const late = this.#arena.t < this.#arena.arbiterDelayTill ? this.#arena.uniform(0, 700) : 0;
    this.#arena.after(this.#arena.uniform(0.1, 3) + late + (hangs ? this.#arena.uniform(300, 10_000) : 0), () => {
      // Its data were lost meanwhile: an operator made it anew.
      if (this.#arena.arbiter.record === null && newestVersion(this.#blocks) !== null) this.#makeAnew();
      if (!this.#arena.arbiter.up || this.#arena.isCut(node, ARBITER) || this.#arena.isCut(ARBITER, node)) fail();
      else done();
    });
  }

  #write(node: string, { storageId, block, document }: Extract<DiskRequest, { ask: 'put' }>): void {
    if (storageId !== this.#storageId) return;
    if (newestVersion(this.#blocks) === null && document.version.term === 0) this.#arena.forget();
    this.#blocks[node] = structuredClone(block);
    this.#documents[node] = structuredClone(document);
    const { document: newest } = this.#view();
    const term = Math.max(...Object.values(this.#blocks).map((it) => it.term));
    this.#arena.arbiter.record = { storageId, term, votedFor: null, document: newest!, beat: 0 };
  }

  #view(): DiskView {
    const newest = newestVersion(this.#blocks);
    const node = Object.keys(this.#blocks).find(
      (name) => newest !== null && compareVersions(this.#blocks[name]!.version, newest) === 0,
    );
    const document = node === undefined ? null : this.#documents[node]!;
    return structuredClone({ outcome: 'blocks', storageId: this.#storageId, blocks: this.#blocks, document });
  }
}
