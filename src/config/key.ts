/** The cluster key: one line of 64 hex digits in a file that only its owner may read. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

export const KEY_BYTES = 32;

/** The message says what to do next. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

const WHY: Record<string, string> = {
  ENOENT: 'there is none; make one with: baton keygen --out',
  EACCES: 'this user may not read it; run as root:',
  ELOOP: 'it is a symbolic link; name the file itself, not',
};

/** 32 bytes. Throws KeyError. */
export function readKey(path: string): Uint8Array {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new KeyError(`cluster key ${path}: ${WHY[code] ?? `cannot be read (${code}):`} ${path}`);
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
    if (code === 'ENOENT') throw new KeyError(`cannot make ${path}: its directory does not exist; make it first`);
    throw new KeyError(`cannot make ${path}: ${code}`);
  }
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
