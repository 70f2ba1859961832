/**
 * The cluster key: one line of 64 hex digits in a file that only its owner may read. While another key takes its place there
 * are two lines, the newer one last.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
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

/** What may be told of a key: 8 hex digits. */
export function keyId(key: Uint8Array): string {
  return createHash('sha256').update('baton cluster key id 1\n').update(key).digest('hex').slice(0, 8);
}

/** One key, or two during a rotation, the newer one last; 32 bytes each. Throws KeyError. */
export function readKeys(path: string): Uint8Array[] {
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
    return keysIn(path, readFileSync(file, 'utf8').trim());
  } finally {
    closeSync(file);
  }
}

function keysIn(path: string, text: string): Uint8Array[] {
  const lines = text.split(/\r?\n/);
  const expected = 'expected one line of 64 hex digits, as baton keygen makes it, or two during a rotation';
  if (text === '') throw new KeyError(`cluster key ${path}: the file is empty; ${expected}`);
  const bad = lines.findIndex((line) => !/^[0-9a-fA-F]{64}$/.test(line));
  if (bad >= 0) {
    const where = lines.length === 1 ? '' : ` in line ${bad + 1}`;
    throw new KeyError(`cluster key ${path}: found ${lines[bad]!.length} characters${where}; ${expected}`);
  }
  if (lines.length > 2) throw new KeyError(`cluster key ${path}: found ${lines.length} lines; ${expected}`);
  if (new Set(lines.map((line) => line.toLowerCase())).size < lines.length)
    throw new KeyError(`cluster key ${path}: both lines are the same key; remove one`);
  return lines.map((line) => Uint8Array.from(Buffer.from(line, 'hex')));
}

/** Makes the file with mode 0600, never over an existing one. Throws KeyError. */
export function writeNewKey(path: string): void {
  const file = create(path, 0o600, () => `${path} exists and is left as it is; name another file with --out`);
  try {
    writeSync(file, lineOf(randomBytes(KEY_BYTES)));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Puts a new key below the one of the file. Returns the ids of both, the new one last. Throws KeyError. */
export function addKey(path: string): string[] {
  const keys = readKeys(path);
  if (keys.length > 1) {
    const [older, newer] = keys.map(keyId);
    throw new KeyError(
      `${path} holds two keys already, ${older} and ${newer}: a rotation is under way\ncopy the file to the other nodes, and when all have it: baton keygen --rotate --finish`,
    );
  }
  const both = [...keys, differing(keys[0]!)];
  replace(path, both);
  return both.map(keyId);
}

/** The first byte of its id tells which key sealed a message, without a try. */
function differing(key: Uint8Array): Uint8Array {
  for (;;) {
    const drawn = randomBytes(KEY_BYTES);
    if (keyId(drawn).slice(0, 2) !== keyId(key).slice(0, 2)) return drawn;
  }
}

/** Takes the older of two keys out of the file. Returns the id of the one that stays. Throws KeyError. */
export function dropOldKey(path: string): string {
  const keys = readKeys(path);
  if (keys.length < 2)
    throw new KeyError(`${path} holds one key, ${keyId(keys[0]!)}: no rotation is under way; begin one: --rotate`);
  replace(path, keys.slice(-1));
  return keyId(keys.at(-1)!);
}

const lineOf = (key: Uint8Array): string => `${Buffer.from(key).toString('hex')}\n`;

/** Throws KeyError. */
function create(path: string, mode: number, exists: () => string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'EEXIST') throw new KeyError(exists());
    if (code === 'ENOENT')
      throw new KeyError(`cannot make ${path}: its directory does not exist; do: mkdir -p ${dirname(path)}`);
    throw new KeyError(`cannot make ${path}: ${UNWRITABLE[code] ?? code}; name another file with --out`);
  }
}

/** What a command that was killed left behind is in nobody's way after so long. */
const STALE_AFTER_MS = 60_000;

/** Whole or not at all, whenever it is killed; mode and owner stay. Throws KeyError. */
function replace(path: string, keys: readonly Uint8Array[]): void {
  const draft = `${path}.new`;
  removeStale(draft);
  const { mode, uid, gid } = statSync(path);
  const file = create(draft, 0o600, () => `${draft} is there: another baton keygen is at work; if none is, remove it`);
  try {
    fchownSync(file, uid, gid);
    fchmodSync(file, mode & 0o7777);
    writeSync(file, keys.map(lineOf).join(''));
    fsyncSync(file);
    renameSync(draft, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(draft, { force: true });
    throw new KeyError(`cannot write ${path}: ${(error as Error).message}`);
  } finally {
    closeSync(file);
  }
}

function removeStale(draft: string): void {
  const found = statSync(draft, { throwIfNoEntry: false });
  if (found !== undefined && Date.now() - found.mtimeMs > STALE_AFTER_MS) rmSync(draft, { force: true });
}

function syncDirectory(path: string): void {
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
