/**
 * One block device or file, read and written past all caches of this host (O_DIRECT) and down to the medium (O_DSYNC).
 * Every call may block for as long as the disk likes.
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync, writeSync, type Stats } from 'node:fs';
import { alignedBytes, blockDevice, lockRange } from '../../linux/socket.js';
import { BLOCK, inBlocks } from './layout.js';

/** What the operator should read: with the path in it. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
}

const SAID: Record<string, string> = {
  ENOENT: 'there is nothing of that name',
  EACCES: 'this user may not write there',
  EROFS: 'it is read-only',
  ENOSPC: 'there is no room left',
  EIO: 'it fails (EIO)',
  EAGAIN: 'a write of an earlier run of batond is still under way',
  ENXIO: 'the device is gone',
  ENODEV: 'the device is gone',
  EBUSY: 'the kernel itself uses it: a file system, a RAID or a volume',
  EINVAL: 'it takes no direct I/O (O_DIRECT) in blocks of 4096 bytes',
};

export function diskError(path: string, error: unknown): DiskError {
  if (error instanceof DiskError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new DiskError(`${path}: ${(code !== undefined && SAID[code]) || message}`);
}

export class Device {
  readonly path: string;
  readonly isBlockDevice: boolean;
  readonly #fd: number;
  readonly #opened: Stats;
  #memory = alignedBytes(64 * 1024, BLOCK);

  /** Throws DiskError. `exclusive`: fails where the kernel itself uses the device: a mounted file system, a RAID. */
  constructor(path: string, exclusive = false) {
    this.path = path;
    const { O_RDWR, O_DIRECT, O_DSYNC, O_EXCL } = constants;
    this.#fd = attempt(path, () => openSync(path, O_RDWR | O_DIRECT | O_DSYNC | (exclusive ? O_EXCL : 0)));
    this.#opened = fstatSync(this.#fd);
    this.isBlockDevice = this.#opened.isBlockDevice();
    if (!this.isBlockDevice && !this.#opened.isFile()) this.#refuse('it is neither a block device nor a file');
    const logical = this.isBlockDevice ? attempt(path, () => blockDevice(this.#fd)).logical : BLOCK;
    if (BLOCK % logical !== 0) this.#refuse(`its blocks have ${logical} bytes; expected at most ${BLOCK}`);
  }

  /** As it is now: files and volumes grow. Throws DiskError. */
  get bytes(): number {
    return attempt(this.path, () => (this.isBlockDevice ? blockDevice(this.#fd).bytes : fstatSync(this.#fd).size));
  }

  #refuse(text: string): never {
    closeSync(this.#fd);
    throw new DiskError(`${this.path}: ${text}`);
  }

  /** Does the path still lead there? A file that was replaced, or a disk that was plugged anew, is another one. */
  get isThere(): boolean {
    const { dev, ino, rdev } = this.#opened;
    try {
      const now = statSync(this.path);
      return this.isBlockDevice ? now.rdev === rdev : now.dev === dev && now.ino === ino;
    } catch {
      return false;
    }
  }

  /** For as long as anything of this run writes there: see `lockRange`. Throws DiskError. */
  lock(at: number, length: number): void {
    attempt(this.path, () => lockRange(this.#fd, at, length));
  }

  /** A copy of these bytes; whole blocks. Throws DiskError. */
  read(at: number, length: number): Buffer {
    const memory = this.#memoryFor(length);
    attempt(this.path, () => {
      for (let done = 0; done < length;) {
        const got = readSync(this.#fd, memory, done, length - done, at + done);
        if (got === 0) throw new DiskError(`${this.path}: it ends before byte ${at + length}`);
        done += got;
      }
    });
    return Buffer.from(memory.subarray(0, length));
  }

  /** Filled up with zeroes to whole blocks; on the medium when this returns. Throws DiskError. */
  write(at: number, bytes: Uint8Array): void {
    const length = inBlocks(bytes.length);
    const memory = this.#memoryFor(length);
    memory.fill(0, bytes.length, length);
    memory.set(bytes);
    attempt(this.path, () => {
      for (let done = 0; done < length;) done += writeSync(this.#fd, memory, done, length - done, at + done);
    });
  }

  close(): void {
    closeSync(this.#fd);
  }

  #memoryFor(length: number): Uint8Array {
    if (this.#memory.length < length) this.#memory = alignedBytes(length, BLOCK);
    return this.#memory;
  }
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw diskError(path, error);
  }
}
