/** A cpio archive in the form "newc", which Linux unpacks as its first root (Documentation/driver-api/early-userspace/buffer-format.rst). */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

/** What stands at a path of the archive: a file of this host, a text, a link, or a folder. */
export type Entry =
  { file: string; mode: number } | { text: string; mode: number } | { link: string } | { folder: true };

const pad4 = (length: number): number => (4 - (length % 4)) % 4;
const hex8 = (n: number): string => n.toString(16).toUpperCase().padStart(8, '0');

/** One entry with its header, name and content, each padded to 4 bytes. */
export function encodeEntry(path: string, mode: number, content: Uint8Array, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(MAGIC + fields.map(hex8).join(''));
  const head = Buffer.concat([header, name]);
  return Buffer.concat([head, Buffer.alloc(pad4(head.length)), content, Buffer.alloc(pad4(content.length))]);
}

function encode(path: string, entry: Entry, inode: number): Buffer {
  if ('folder' in entry) return encodeEntry(path, S_IFDIR | 0o755, Buffer.alloc(0), inode);
  if ('link' in entry) return encodeEntry(path, S_IFLNK | 0o777, Buffer.from(entry.link), inode);
  const content = 'text' in entry ? Buffer.from(entry.text) : readFileSync(entry.file);
  return encodeEntry(path, S_IFREG | entry.mode, content, inode);
}

/** Every folder above these paths, outermost first. */
function foldersAbove(paths: Iterable<string>): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1);
    parts.forEach((_, i) => folders.add(parts.slice(0, i + 1).join('/')));
  }
  return [...folders].sort();
}

/** Paths are without a leading slash. Folders above an entry are made. */
export function writeArchive(target: string, entries: ReadonlyMap<string, Entry>): void {
  const out = openSync(target, 'w');
  try {
    let inode = 1;
    for (const folder of foldersAbove(entries.keys()))
      if (!entries.has(folder)) writeSync(out, encode(folder, { folder: true }, inode++));
    for (const [path, entry] of entries) writeSync(out, encode(path, entry, inode++));
    writeSync(out, encodeEntry(TRAILER, 0, Buffer.alloc(0), 0));
  } finally {
    closeSync(out);
  }
}
