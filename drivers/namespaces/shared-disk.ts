/**
 * The disks of a drill's arbiter: files that this process serves (`fuse.ts`), each node's daemon reaches them by the same
 * path, and every blow at them is an answer that a real disk may give.
 */
import { readlinkSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArbiterFault, Fault, Scenario } from '../../src/drill/scenario.js';
import { diskKey, encodeHeader, recordAt, PLACES } from '../arbiter/disk/layout.js';
import { ERRNO, FuseFile } from './fuse.js';
import type { NamespaceOf } from './topology.js';
import { breakWire, type Undo, type Wire } from './wire-faults.js';

const ARBITER = 'arbiter';
const BYTES = 8 << 20;
/** Where a record has its node's name, and its length. */
const NAME = { at: 152, lengthAt: 66 };
const TORN_AT = 120;

/** Paths of the disks in a scenario's cluster file; none: its arbiter is no disk. */
export function diskPaths({ cluster }: Scenario): string[] {
  const quorum = cluster['quorum'] as { arbiter?: { disk?: string | string[] } } | undefined;
  return [quorum?.arbiter?.disk ?? []].flat();
}

/** The cluster file with these disks in the place of its own. */
export function withDisks(cluster: Scenario['cluster'], paths: readonly string[]): Scenario['cluster'] {
  if (paths.length === 0) return cluster;
  const quorum = cluster['quorum'] as { arbiter: Record<string, unknown> };
  return { ...cluster, quorum: { ...quorum, arbiter: { ...quorum.arbiter, disk: [...paths] } } };
}

export class SharedDisk {
  readonly #bytes = Buffer.alloc(BYTES);
  readonly #onFailure: (error: Error) => void;
  /** Node → inode of its network namespace. */
  readonly #namespaces: Map<string, number>;
  readonly #cuts = new Map<string, number>();
  #file: FuseFile | null = null;
  #stale: Buffer | null = null;
  #foreign: Buffer | null = null;
  /** Processes that have seen that it is another cluster's. */
  readonly #warned = new Set<number>();
  #readFails = 0;
  #writeFails = 0;
  #slowMs = 0;
  #frozen: Promise<void> | null = null;
  #thaw: () => void = () => undefined;

  private constructor(nodes: readonly string[], namespaceOf: NamespaceOf, onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
    this.#namespaces = new Map(nodes.map((node) => [node, statSync(`/run/netns/${namespaceOf(node)}`).ino]));
  }

  static async start(
    folder: string,
    nodes: readonly string[],
    namespaceOf: NamespaceOf,
    onFailure: (error: Error) => void,
  ): Promise<SharedDisk> {
    const disk = new SharedDisk(nodes, namespaceOf, onFailure);
    disk.#file = await FuseFile.serve(folder, 'arbiter', {
      bytes: BYTES,
      read: (pid, at, length) => disk.#read(pid, at, length),
      write: (pid, at, bytes) => disk.#write(pid, at, bytes),
    });
    return disk;
  }

  get path(): string {
    return this.#file!.path;
  }

  async #read(pid: number, at: number, length: number): Promise<Buffer | number> {
    await this.#takeTime();
    if (this.#readFails !== 0 || this.#isCutOff(pid)) return -(this.#readFails || ERRNO.EIO);
    if (this.#foreign !== null && at === 0) this.#warned.add(pid);
    return Buffer.from((this.#foreign ?? this.#stale ?? this.#bytes).subarray(at, at + length));
  }

  async #write(pid: number, at: number, bytes: Buffer): Promise<number> {
    await this.#takeTime();
    // Between a look at the header and the write that it allows no real disk is exchanged behind an open descriptor.
    if (this.#foreign !== null && this.#warned.has(pid))
      this.#onFailure(new Error("baton wrote on another cluster's disk"));
    if (this.#foreign !== null) return 0;
    if (this.#writeFails !== 0 || this.#isCutOff(pid)) return -(this.#writeFails || ERRNO.EIO);
    bytes.copy(this.#bytes, at);
    return 0;
  }

  async #takeTime(): Promise<void> {
    if (this.#slowMs > 0) await sleep(this.#slowMs);
    await this.#frozen;
  }

  #isCutOff(pid: number): boolean {
    if (this.#cuts.size === 0) return false;
    let inode = -1;
    try {
      inode = Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0]);
    } catch {
      // Whoever asked is gone.
    }
    return [...this.#cuts].some(([node, count]) => count > 0 && this.#namespaces.get(node) === inode);
  }

  /** Neither reads nor writes of that node arrive. Cuts add up: each must be healed. */
  cutOff(node: string): Undo {
    const add = (n: number): void => void this.#cuts.set(node, (this.#cuts.get(node) ?? 0) + n);
    add(1);
    return () => Promise.resolve(add(-1));
  }

  strike(fault: Exclude<ArbiterFault, { fault: 'arbiter-forget' }>): Undo | null {
    const until = (undo: () => void): Undo => {
      return () => Promise.resolve(undo());
    };
    switch (fault.fault) {
      case 'arbiter-backup':
      case 'arbiter-restore':
        throw new Error(`${fault.fault} is for an etcd: the arbiter is on disks`);
      case 'arbiter-off':
        this.#readFails = this.#writeFails = ERRNO.EIO;
        return until(() => (this.#readFails = this.#writeFails = 0));
      case 'arbiter-read-only':
        this.#writeFails = ERRNO.EROFS;
        return until(() => (this.#writeFails = 0));
      case 'arbiter-full':
        this.#writeFails = ERRNO.ENOSPC;
        return until(() => (this.#writeFails = 0));
      case 'arbiter-freeze':
        this.#frozen = new Promise((resolve) => (this.#thaw = resolve));
        return until(() => this.thaw());
      case 'arbiter-slow':
        this.#slowMs = fault.byMs;
        return until(() => (this.#slowMs = 0));
      case 'arbiter-stale':
        this.#stale = Buffer.from(this.#bytes);
        return until(() => (this.#stale = null));
      case 'arbiter-foreign':
        this.#warned.clear();
        this.#foreign = foreignDisk();
        return until(() => (this.#foreign = null));
      case 'arbiter-torn':
        this.#tear(fault.node);
        return null;
    }
  }

  thaw(): void {
    this.#frozen = null;
    this.#thaw();
  }

  #tear(node: string): void {
    for (let place = 0; place < PLACES; place++) {
      const record = this.#bytes.subarray(recordAt(place), recordAt(place) + 512);
      if (record.toString('utf8', NAME.at, NAME.at + record.readUInt8(NAME.lengthAt)) === node)
        record.writeUInt8(record.readUInt8(TORN_AT) ^ 0xff, TORN_AT);
    }
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.#file?.end();
  }
}

/** A blow that parts nodes, where `arbiter` are the disks: first those who lose their way to them, then the nodes from each other. */
export async function cutFromDisks(
  wire: Wire,
  disks: readonly SharedDisk[],
  fault: Extract<Fault, { fault: 'block' | 'split' }>,
): Promise<Undo[]> {
  const groups = fault.fault === 'split' ? fault.groups : [[fault.from], [fault.to]];
  const beside = groups.find((group) => group.includes(ARBITER));
  if (disks.length === 0 || beside === undefined) return [await breakWire(wire, fault)].filter((undo) => undo !== null);
  const away = groups.filter((group) => group !== beside).flat();
  const undos = disks.flatMap((disk) => away.map((node) => disk.cutOff(node)));
  const parts = groups.map((group) => group.filter((name) => name !== ARBITER)).filter((group) => group.length > 0);
  const rest = parts.length < 2 ? null : await breakWire(wire, { fault: 'split', groups: parts });
  return rest === null ? undos : [...undos, rest];
}

export function together(undos: readonly Undo[]): Undo {
  return async () => {
    for (const undo of undos) await undo();
  };
}

function foreignDisk(): Buffer {
  const bytes = Buffer.alloc(BYTES);
  const key = diskKey(Buffer.alloc(32, 1));
  const header = { cluster: 'other', storageId: 'f'.repeat(32), disk: 0, disks: 1, nodes: ['alpha'] };
  encodeHeader({ ...header, documentBytes: 65536 }, key).copy(bytes);
  return bytes;
}
