/**
 * Makes an arbiter of disks (`baton arbiter init`): header with a new storageId, blank blocks. Never over something else
 * unless it is forced, and never over what the kernel itself uses.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, existsSync, fsyncSync, openSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { Device, DiskError, diskError } from './device.js';
import {
  BLOCK,
  decodeHeader,
  diskBytes,
  encodeHeader,
  HEADER_BYTES,
  isZero,
  PLACES,
  recordAt,
  type Header,
  type HeaderFound,
} from './layout.js';

export interface Wanted {
  cluster: string;
  nodes: readonly string[];
  /** Room for a document. */
  documentBytes: number;
  keys: readonly Buffer[];
}

export type Found =
  /** A regular file that is not there yet. */
  | { is: 'absent' }
  | { is: 'blank' }
  | { is: 'ours'; header: Header; old: boolean }
  /** Something that is not to be written over; `text` says what. */
  | { is: 'foreign'; text: string };

/** What becomes of a path. */
export interface Prepared {
  path: string;
  did: 'made' | 'extended' | 'kept';
  storageId: string;
  bytes: number;
}

const STRIDE = 1 << 20;

/** Of the whole place that an arbiter would take, and of the end, where some keep their label. Throws DiskError. */
export function inspect(path: string, { cluster, nodes, documentBytes, keys }: Wanted): Found {
  if (!existsSync(path)) {
    if (path.startsWith('/dev/')) throw new DiskError(`${path}: there is no such device`);
    return { is: 'absent' };
  }
  const device = new Device(path);
  try {
    const header = device.bytes < HEADER_BYTES ? BLANK : decodeHeader(device.read(0, HEADER_BYTES), cluster, keys);
    if (header.is === 'ours') return header;
    if (header.is === 'foreign') return { is: 'foreign', text: contentOf(device) ?? header.text };
    const taken = Math.min(device.bytes, diskBytes({ nodes: [...nodes], documentBytes }));
    const isFree = isZeroFrom(device, 0, taken) && isZeroFrom(device, Math.max(0, device.bytes - STRIDE), device.bytes);
    return isFree ? { is: 'blank' } : { is: 'foreign', text: contentOf(device) ?? 'it holds data' };
  } finally {
    device.close();
  }
}

const BLANK: HeaderFound = { is: 'blank' };

function isZeroFrom(device: Device, from: number, to: number): boolean {
  const end = to - (to % BLOCK);
  for (let at = from - (from % BLOCK); at < end; at += STRIDE)
    if (!isZero(device.read(at, Math.min(STRIDE, end - at)))) return false;
  return true;
}

/** Position and bytes by which some contents are known (libblkid's probes). */
const SIGNS: [name: string, at: number, bytes: Buffer][] = [
  ['an ext2, ext3 or ext4 file system', 1024 + 56, Buffer.from([0x53, 0xef])],
  ['an XFS file system', 0, Buffer.from('XFSB')],
  ['a Btrfs file system', 65536 + 64, Buffer.from('_BHRfS_M')],
  ['an LVM volume', 512, Buffer.from('LABELONE')],
  ['a GPT partition table', 512, Buffer.from('EFI PART')],
  ['an encrypted volume (LUKS)', 0, Buffer.from('LUKS')],
  ['a member of a Linux RAID', 4096, Buffer.from([0xfc, 0x4e, 0x2b, 0xa9])],
  ['swap space', 4086, Buffer.from('SWAPSPACE2')],
  ['a GFS2 file system', 65536, Buffer.from([0x01, 0x16, 0x19, 0x70])],
  ['an MBR partition table', 510, Buffer.from([0x55, 0xaa])],
];

function contentOf(device: Device): string | null {
  const length = Math.min(device.bytes - (device.bytes % BLOCK), 128 * 1024);
  const begin = length > 0 ? device.read(0, length) : Buffer.alloc(0);
  const sign = SIGNS.find(([, at, bytes]) => begin.subarray(at, at + bytes.length).equals(bytes));
  return sign === undefined ? null : `it holds ${sign[0]}`;
}

/**
 * Makes all paths one arbiter. Those that are this cluster's already keep their storageId and get places for new nodes; with
 * `force` all are made anew, as another voter. Nothing is written before all may be. Throws DiskError.
 */
export function prepare(paths: readonly string[], wanted: Wanted, { force = false, dryRun = false } = {}): Prepared[] {
  const found = paths.map((path) => inspect(path, wanted));
  for (const [i, it] of found.entries())
    if (it.is === 'foreign' && !force) throw new DiskError(`${paths[i]!}: ${it.text}; it is left as it is`);
  const headers = found.flatMap((it) => (it.is === 'ours' ? [it.header] : []));
  if (!force && headers.length > 0)
    return paths.map((path, i) => extend(path, found[i]!, headers, wanted, paths, dryRun));
  const storageId = randomBytes(16).toString('hex');
  return paths.map((path, disk) => {
    const { cluster, nodes, documentBytes } = wanted;
    const header: Header = { cluster, storageId, disk, disks: paths.length, nodes: [...nodes], documentBytes };
    if (!dryRun) make(path, header, found[disk]!.is === 'absent', wanted.keys[0]!);
    return { path, did: 'made', storageId, bytes: diskBytes(header) };
  });
}

function extend(
  path: string,
  found: Found,
  headers: readonly Header[],
  { nodes, documentBytes, keys }: Wanted,
  paths: readonly string[],
  dryRun: boolean,
): Prepared {
  if (found.is !== 'ours' || headers.some((it) => it.storageId !== headers[0]!.storageId || it.disks !== paths.length))
    throw new DiskError(`${path}: the disks were not made together; --force makes another voter of them`);
  const { header } = found;
  const missing = nodes.filter((node) => !header.nodes.includes(node));
  const next = { ...header, nodes: [...header.nodes, ...missing] };
  const bytes = diskBytes(next);
  const { storageId } = header;
  if (header.documentBytes < documentBytes)
    throw new DiskError(
      `${path}: documents have ${header.documentBytes} bytes of room, of ${documentBytes}; --force makes it anew`,
    );
  if (missing.length === 0 && !found.old) return { path, did: 'kept', storageId, bytes };
  if (!dryRun) make(path, next, false, keys[0]!, header.nodes.length);
  return { path, did: 'extended', storageId, bytes };
}

/** The header first: who reads a blank block under it knows that it is another voter's. `from`: first place that is cleared. */
function make(path: string, header: Header, isNew: boolean, key: Buffer, from = 0): void {
  if (header.nodes.length > PLACES) throw new DiskError(`${path}: it has room for ${PLACES} nodes`);
  const bytes = diskBytes(header);
  if (isNew || (statSync(path).isFile() && statSync(path).size < bytes)) fill(path, bytes, isNew);
  const device = new Device(path, statSync(path).isBlockDevice());
  try {
    if (device.bytes < bytes)
      throw new DiskError(
        `${path}: it has ${device.bytes} bytes; expected at least ${bytes} for ${header.nodes.length} nodes`,
      );
    if (from > 0) device.write(recordAt(from), Buffer.alloc((header.nodes.length - from) * BLOCK));
    device.write(0, encodeHeader(header, key));
    if (from > 0) return;
    device.write(recordAt(0), Buffer.alloc(PLACES * BLOCK));
  } finally {
    device.close();
  }
}

/** A file with all its room, so that none is lacking when it is written to. */
function fill(path: string, bytes: number, isNew: boolean): void {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  let file: number | null = null;
  try {
    file = openSync(path, O_WRONLY | (isNew ? O_CREAT | O_EXCL : 0), 0o600);
    const zeroes = Buffer.alloc(STRIDE);
    for (let at = statSync(path).size; at < bytes;) at += writeSync(file, zeroes, 0, Math.min(STRIDE, bytes - at), at);
    fsyncSync(file);
  } catch (error) {
    if (isNew && file !== null) unlinkSync(path);
    throw diskError(path, error);
  } finally {
    if (file !== null) closeSync(file);
  }
}
