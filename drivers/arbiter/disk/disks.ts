/**
 * The disks of an arbiter as one: of two both are needed, for whoever reaches but one would not see a rival that reaches
 * the other. A write is on all before any is read again.
 */
import type { ArbiterAnswer, DiskRequest, DiskView } from '../../../src/membership/arbiter-record.js';
import { newestVersion } from '../../../src/membership/disk-arbiter.js';
import { compareVersions, type Document } from '../../../src/membership/document.js';
import { DiskError } from './device.js';
import type { DiskRecord } from './layout.js';
import { DiskRegister, Trouble, type Identity, type Survey } from './register.js';

/** A document may be replaced while it is read. */
const TRIES = 3;

export class Disks {
  readonly #paths: readonly string[];
  readonly #self: Identity;
  readonly #registers: DiskRegister[];

  constructor(paths: readonly string[], self: Identity) {
    this.#paths = paths;
    this.#self = self;
    this.#registers = paths.map((path) => new DiskRegister(path, self));
  }

  /** Blocks for as long as the disks do; throws nothing. */
  ask(request: DiskRequest): ArbiterAnswer {
    try {
      const surveys = this.#surveys();
      if (request.ask === 'look') return this.#view(surveys, 'newer');
      const own = surveys.map(({ records }) => records[this.#self.node]);
      const isSame = surveys[0]!.header.storageId === request.storageId;
      // Another disk, or a damaged block that is not to be written over: what is there is the answer.
      if (!isSame || (own.includes(null) && !request.mend)) return this.#view(surveys, 'older');
      for (const [i, register] of this.#registers.entries())
        register.write(surveys[i]!, request.block, request.document);
      return this.#view(this.#surveys(), 'older');
    } catch (error) {
      const text = (error as Error).message;
      // A device that failed once is opened anew.
      if (!(error instanceof Trouble)) this.close();
      return { outcome: 'unknown', text, ...(error instanceof Trouble && { why: error.why }) };
    }
  }

  close(): void {
    for (const register of this.#registers) register.close();
  }

  #surveys(): Survey[] {
    const surveys = this.#registers.map((register) => register.survey());
    for (const [i, { header }] of surveys.entries()) {
      const belongs = header.storageId === surveys[0]!.header.storageId && header.disks === surveys.length;
      const isTwice = surveys.some((other, j) => j !== i && other.header.disk === header.disk);
      if (!belongs || isTwice)
        throw new Trouble(
          this.#paths[i]!,
          'it was not made together with the other: do: baton arbiter init',
          'unprepared',
        );
    }
    return surveys;
  }

  /** `own`: which of two blocks of this node counts: the older one tells what is on both. */
  #view(first: Survey[], own: 'newer' | 'older'): DiskView {
    let surveys = first;
    for (let tries = 0; tries < TRIES; tries++) {
      if (tries > 0) surveys = this.#surveys();
      const records = this.#merged(surveys, own);
      const blocks = Object.fromEntries(
        Object.entries(records).map(([node, record]) => [node, record === null ? null : record.block]),
      );
      const document = this.#newest(surveys, newestVersion(blocks));
      if (document !== 'replaced')
        return { outcome: 'blocks', storageId: surveys[0]!.header.storageId, blocks, document };
    }
    throw new DiskError(`${this.#paths[0]}: its documents change faster than they are read`);
  }

  /** Node by node the newer of two records; damaged on one disk is damaged. */
  #merged(surveys: Survey[], own: 'newer' | 'older'): Record<string, DiskRecord | null> {
    const merged: Record<string, DiskRecord | null> = {};
    for (const node of new Set(surveys.flatMap(({ records }) => Object.keys(records)))) {
      const found = surveys.map(({ records }) => records[node]);
      if (found.includes(null)) merged[node] = null;
      else {
        const there = found.filter((record) => record !== undefined && record !== null);
        there.sort((a, b) => a.block.writes - b.block.writes);
        const takesOlder = own === 'older' && node === this.#self.node;
        const taken = takesOlder ? (there.length < found.length ? undefined : there[0]) : there.at(-1);
        if (taken !== undefined) merged[node] = taken;
      }
    }
    return merged;
  }

  #newest(surveys: Survey[], version: Document['version'] | null): Document | null | 'replaced' {
    if (version === null) return null;
    for (const [i, { header, records }] of surveys.entries()) {
      const record = Object.values(records).find(
        (it) => it !== null && compareVersions(it.block.version, version) === 0,
      );
      if (!record) continue;
      const document = this.#registers[i]!.document(header, record);
      if (document !== null) return document;
    }
    return 'replaced';
  }
}
