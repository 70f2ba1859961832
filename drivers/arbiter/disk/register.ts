/**
 * One disk of the arbiter: reads all blocks, writes the own one (MEMBERSHIP A7). Nothing is written before header and own
 * record were read and found to be ours.
 */
import type { ArbiterTrouble, DiskBlock } from '../../../src/membership/arbiter-record.js';
import { compareVersions, readDocument, type Document } from '../../../src/membership/document.js';
import { Device, DiskError } from './device.js';
import {
  BLOCK,
  decodeHeader,
  decodeRecord,
  digestOf,
  diskBytes,
  documentAt,
  encodeRecord,
  HEADER_BYTES,
  inBlocks,
  recordAt,
  type DiskRecord,
  type Header,
} from './layout.js';

/** Something other than an I/O error is wrong with it. */
export class Trouble extends DiskError {
  readonly why: ArbiterTrouble;

  constructor(path: string, text: string, why: ArbiterTrouble) {
    super(`${path}: ${text}`);
    this.why = why;
  }
}

export interface Survey {
  header: Header;
  /** By node; null: damaged. Absent: blank. */
  records: Record<string, DiskRecord | null>;
}

export interface Identity {
  cluster: string;
  node: string;
  /** See `diskKey`. */
  keys: readonly Buffer[];
}

export class DiskRegister {
  readonly #path: string;
  readonly #self: Identity;
  #device: Device | null = null;
  #isLocked = false;
  /** The newest document that was read or written here. */
  #known: Document | null = null;

  constructor(path: string, self: Identity) {
    this.#path = path;
    this.#self = self;
  }

  /**
   * Records first, then the header: who makes the disk anew writes the header first, so a header that is still the same
   * shows that no record had been cleared. Throws DiskError.
   */
  survey(): Survey {
    const device = this.#open();
    const count = this.#headerOf(device).nodes.length;
    const bytes = device.read(recordAt(0), count * BLOCK);
    const header = this.#headerOf(device);
    const records: Survey['records'] = {};
    for (const [place, node] of header.nodes.slice(0, count).entries()) {
      const { storageId } = header;
      const found = decodeRecord(bytes.subarray(place * BLOCK), { storageId, node }, this.#self.keys);
      if (found !== 'blank') records[node] = found === 'damaged' ? null : found;
    }
    return { header, records };
  }

  /** The own block, over what that survey showed: the document first, then the record that names it. Throws DiskError. */
  write({ header, records }: Survey, block: DiskBlock, document: Document): void {
    const device = this.#open();
    const { node, keys } = this.#self;
    const own = records[node];
    const index = header.nodes.indexOf(node);
    if (index < 0) throw new Trouble(this.#path, `it has no place for ${node}: do: baton arbiter init`, 'unprepared');
    this.#lock(device, index);
    const text = Buffer.from(JSON.stringify(document), 'utf8');
    if (text.length > header.documentBytes)
      throw new DiskError(
        `${this.#path}: the document has ${text.length} bytes, there is room for ${header.documentBytes}`,
      );
    const digest = digestOf(text);
    const isThere = own !== undefined && own !== null && own.digest.equals(digest) && own.length === text.length;
    const place = isThere ? own.place : own?.place === 0 ? 1 : 0;
    if (!isThere) device.write(documentAt(header, index, place), text);
    const record = { node, block, place, length: text.length, digest };
    device.write(recordAt(index), encodeRecord(header.storageId, record, keys[0]!));
    this.#known = document;
  }

  /** What that record names; null: another one was written meanwhile. Throws DiskError. */
  document(header: Header, { node, block, place, length, digest }: DiskRecord): Document | null {
    if (this.#known !== null && compareVersions(this.#known.version, block.version) === 0) return this.#known;
    const device = this.#open();
    if (length > header.documentBytes) throw this.#damaged(node);
    const at = documentAt(header, header.nodes.indexOf(node), place);
    const text = device.read(at, inBlocks(length)).subarray(0, length);
    if (!digestOf(text).equals(digest)) return null;
    const document = documentIn(text);
    if (document === null || compareVersions(document.version, block.version) !== 0) throw this.#damaged(node);
    this.#known = document;
    return document;
  }

  #damaged(node: string): Trouble {
    return new Trouble(this.#path, `the document in the block of ${node} is damaged`, 'damaged');
  }

  close(): void {
    this.#device?.close();
    this.#device = null;
    this.#isLocked = false;
    this.#known = null;
  }

  /** The device itself; opened anew when the path leads elsewhere. */
  #open(): Device {
    if (this.#device?.isThere === false) this.close();
    return (this.#device ??= new Device(this.#path));
  }

  /** Nobody writes under this node's name while a write of an earlier run is still under way. */
  #lock(device: Device, index: number): void {
    if (!this.#isLocked) device.lock(recordAt(index), BLOCK);
    this.#isLocked = true;
  }

  #headerOf(device: Device): Header {
    const found = decodeHeader(device.read(0, HEADER_BYTES), this.#self.cluster, this.#self.keys);
    if (found.is === 'blank') throw new Trouble(this.#path, 'it is blank: do: baton arbiter init', 'unprepared');
    if (found.is === 'foreign') throw new Trouble(this.#path, found.text, 'foreign');
    const needed = diskBytes(found.header);
    if (device.bytes < needed)
      throw new DiskError(`${this.#path}: it has ${device.bytes} bytes, of ${needed}: part of it is gone`);
    return found.header;
  }
}

function documentIn(text: Buffer): Document | null {
  try {
    return readDocument(JSON.parse(text.toString('utf8')));
  } catch {
    return null;
  }
}
