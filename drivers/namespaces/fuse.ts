/**
 * A file system of one file, served by this process over /dev/fuse (kernel's Documentation/filesystems/fuse, protocol 7.31):
 * a disk whose every read and write is ours to answer, late, wrong or never. A process that waits for it waits as for a
 * disk: no signal ends that.
 */
import { spawn } from 'node:child_process';
import { close, open, read, write } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { attempt } from './shell.js';

const OP = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  flush: 25,
  init: 26,
  interrupt: 36,
  forgetMany: 42,
} as const;
const IN_HEADER = 40;
const OUT_HEADER = 16;
const WRITE_MAX = 128 * 1024;
const ROOT = 1n;
const FILE = 2n;
const DIRECT_IO = 1;
const BIG_WRITES = 1 << 5;
const MODE = { root: 0o040755, file: 0o100600 };
export const ERRNO = { ENOENT: 2, EIO: 5, ENOSPC: 28, EROFS: 30, ENOSYS: 38 } as const;

export interface Served {
  bytes: number;
  /** -errno or what was read; for as long as the promise takes, the caller waits. */
  read(pid: number, at: number, length: number): Promise<Buffer | number>;
  /** 0 or -errno. */
  write(pid: number, at: number, bytes: Buffer): Promise<number>;
}

interface Asked {
  op: number;
  unique: bigint;
  nodeid: bigint;
  pid: number;
  body: Buffer;
}

export class FuseFile {
  readonly path: string;
  readonly #mount: string;
  readonly #name: string;
  readonly #served: Served;
  #fd = -1;

  private constructor(mount: string, name: string, served: Served) {
    this.#mount = mount;
    this.#name = name;
    this.#served = served;
    this.path = `${mount}/${name}`;
  }

  /** Mounts it on that folder, which is made. Throws an Error in which mount says why not. */
  static async serve(mount: string, name: string, served: Served): Promise<FuseFile> {
    const file = new FuseFile(mount, name, served);
    await mkdir(mount, { recursive: true });
    file.#fd = await promisify(open)('/dev/fuse', 'r+');
    const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other';
    const child = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'baton-disk', mount], {
      stdio: ['ignore', 'ignore', 'pipe', file.#fd],
    });
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
    const serving = file.#serve();
    const code = await new Promise((resolve) => child.on('close', resolve).on('error', () => resolve(127)));
    if (code !== 0)
      throw new Error(`a disk of the drill cannot be mounted: ${said.trim() || `mount ended with ${String(code)}`}`);
    void serving;
    return file;
  }

  async end(): Promise<void> {
    await attempt('umount', ['-l', this.#mount]);
    const fd = this.#fd;
    this.#fd = -1;
    if (fd >= 0) await promisify(close)(fd).catch(() => undefined);
  }

  async #serve(): Promise<void> {
    const buffer = Buffer.alloc(WRITE_MAX + 4096);
    for (;;) {
      let got: number;
      try {
        ({ bytesRead: got } = await promisify(read)(this.#fd, buffer, 0, buffer.length, null));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // EPERM: it is not mounted yet. ENOENT: what was asked was called off before it was read.
        if (this.#fd < 0 || (code !== 'ENOENT' && code !== 'EPERM')) return;
        if (code === 'EPERM') await sleep(5);
        continue;
      }
      if (got < IN_HEADER) return;
      const asked: Asked = {
        op: buffer.readUInt32LE(4),
        unique: buffer.readBigUInt64LE(8),
        nodeid: buffer.readBigUInt64LE(16),
        pid: buffer.readUInt32LE(32),
        body: Buffer.from(buffer.subarray(IN_HEADER, got)),
      };
      void this.#answer(asked);
    }
  }

  async #answer(asked: Asked): Promise<void> {
    const { op, body, pid } = asked;
    switch (op) {
      case OP.forget:
      case OP.forgetMany:
      case OP.interrupt:
        return;
      case OP.init:
        return this.#reply(asked, initReply(body));
      case OP.lookup:
        return this.#lookup(asked);
      case OP.getattr:
      case OP.setattr:
        return this.#reply(asked, Buffer.concat([Buffer.alloc(16), this.#attributes(asked.nodeid)]));
      case OP.open:
        return this.#reply(asked, openReply());
      case OP.read: {
        const found = await this.#served.read(pid, Number(body.readBigUInt64LE(8)), body.readUInt32LE(16));
        return typeof found === 'number' ? this.#reply(asked, null, found) : this.#reply(asked, found);
      }
      case OP.write: {
        const length = body.readUInt32LE(16);
        const failed = await this.#served.write(pid, Number(body.readBigUInt64LE(8)), body.subarray(40, 40 + length));
        return failed === 0 ? this.#reply(asked, writeReply(length)) : this.#reply(asked, null, failed);
      }
      case OP.statfs:
        return this.#reply(asked, Buffer.alloc(80));
      case OP.release:
      case OP.flush:
      case OP.fsync:
        return this.#reply(asked, Buffer.alloc(0));
      default:
        return this.#reply(asked, null, -ERRNO.ENOSYS);
    }
  }

  #lookup(asked: Asked): void {
    const name = asked.body.toString('utf8', 0, asked.body.indexOf(0));
    if (asked.nodeid !== ROOT || name !== this.#name) return this.#reply(asked, null, -ERRNO.ENOENT);
    const head = Buffer.alloc(40);
    head.writeBigUInt64LE(FILE, 0);
    this.#reply(asked, Buffer.concat([head, this.#attributes(FILE)]));
  }

  /** struct fuse_attr */
  #attributes(nodeid: bigint): Buffer {
    const bytes = Buffer.alloc(88);
    const isRoot = nodeid === ROOT;
    bytes.writeBigUInt64LE(nodeid, 0);
    bytes.writeBigUInt64LE(BigInt(isRoot ? 0 : this.#served.bytes), 8);
    bytes.writeUInt32LE(isRoot ? MODE.root : MODE.file, 60);
    bytes.writeUInt32LE(1, 64);
    bytes.writeUInt32LE(4096, 80);
    return bytes;
  }

  #reply({ unique }: Asked, body: Buffer | null, error = 0): void {
    const head = Buffer.alloc(OUT_HEADER);
    head.writeUInt32LE(OUT_HEADER + (body?.length ?? 0), 0);
    head.writeInt32LE(error, 4);
    head.writeBigUInt64LE(unique, 8);
    const bytes = body === null ? head : Buffer.concat([head, body]);
    // Whoever asked may be gone, or the file system.
    if (this.#fd >= 0) write(this.#fd, bytes, 0, bytes.length, null, () => undefined);
  }
}

/** struct fuse_init_out */
function initReply(body: Buffer): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32LE(7, 0);
  bytes.writeUInt32LE(31, 4);
  bytes.writeUInt32LE(body.readUInt32LE(8), 8);
  bytes.writeUInt32LE(BIG_WRITES, 12);
  bytes.writeUInt16LE(64, 16);
  bytes.writeUInt16LE(48, 18);
  bytes.writeUInt32LE(WRITE_MAX, 20);
  bytes.writeUInt32LE(1, 24);
  return bytes;
}

function openReply(): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(DIRECT_IO, 8);
  return bytes;
}

function writeReply(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(length, 0);
  return bytes;
}
