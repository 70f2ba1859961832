/** The cluster key: one line of 64 hex digits in a file that only its owner may read. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export const KEY_BYTES = 32;

/** The message says what to do next. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

const UNREADABLE: Record<string, (path: string) => string> = {
  ENOENT: (path) => `there is none; make one with: baton keygen --out ${path}`,
  EACCES: () => 'this user may not read it; run this as root',
  ELOOP: () => 'it is a symbolic link; name the file itself in the cluster file',
};

const UNWRITABLE: Record<string, string> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a directory',
};

/** 32 bytes. Throws KeyError. */
export function readKey(path: string): Uint8Array {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new KeyError(`cluster key ${path}: ${UNREADABLE[code]?.(path) ?? `cannot be read (${code})`}`);
  }
  try {
    const { mode, uid } = fstatSync(file);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new KeyError(`cluster key ${path}: it is not a file`);
    if ((mode & 0o077) !== 0) {
      const octal = (mode & 0o7777).toString(8).padStart(4, '0');
      throw new KeyError(`cluster key ${path}: others may read it (mode ${octal}); do: chmod 0600 ${path}`);
    }
    if (uid !== 0 && uid !== process.geteuid?.()) {
      throw new KeyError(`cluster key ${path}: it belongs to user ${uid}; do: chown root: ${path}`);
    }
    const text = readFileSync(file, 'utf8').trim();
    if (!/^[0-9a-fA-F]{64}$/.test(text)) {
      const found = text === '' ? 'the file is empty' : `found ${text.length} characters`;
      throw new KeyError(`cluster key ${path}: ${found}; expected one line of 64 hex digits, as baton keygen makes it`);
    }
    return Uint8Array.from(Buffer.from(text, 'hex'));
  } finally {
    closeSync(file);
  }
}

/** Makes the file with mode 0600, never over an existing one. Throws KeyError. */
export function writeNewKey(path: string): void {
  let file: number;
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'EEXIST') throw new KeyError(`${path} exists and is left as it is; name another file with --out`);
    if (code === 'ENOENT')
      throw new KeyError(`cannot make ${path}: its directory does not exist; do: mkdir -p ${dirname(path)}`);
    throw new KeyError(`cannot make ${path}: ${UNWRITABLE[code] ?? code}; name another file with --out`);
  }
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
