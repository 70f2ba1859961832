/**
 * What is where on an arbiter's disk, version 1. All positions are multiples of 4096, and all of it is written and read in
 * such blocks; what must be whole or not be there (a record) lies in the first 512 bytes of its block, which every disk
 * writes in one piece.
 *
 *        0  header    16 KiB   who it belongs to and which nodes have a place; written by `baton arbiter init` alone
 *   16 KiB  records   64 × 4 KiB   one a node, in the order of the header's names
 *  512 KiB  documents  2 × documentBytes a node, used in turn: a record names the one that it means, so that a document
 *                     is on the disk before the record that tells of it, and the one before it still is
 *
 * Numbers are big-endian. Header and records carry an HMAC-SHA256, records also the SHA-256 of their document.
 *
 *   header  0 "BATONARB"   8 version, 4   12 length of the text, 4   16 HMAC of all else   48 text: JSON, UTF-8
 *   record  0 "BATONBLK"   8 HMAC of all else up to 512   40 storageId, 16   56 term, 8   64 role, 1   65 document's place, 1
 *          66 length of the name, 1   72 beat, 8   80 writes, 8   88 document's term, 8   96 its revision, 8   104 its length, 4
 *         112 its SHA-256   144 run, 8   152 name of the node
 */
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { DiskBlock } from '../../../src/membership/arbiter-record.js';
import { readBlock } from '../../../src/membership/disk-arbiter.js';

export const BLOCK = 4096;
export const HEADER_BYTES = 16 * 1024;
export const PLACES = 64;
export const DOCUMENTS_AT = 512 * 1024;
const RECORD_BYTES = 512;
const RUN_AT = 144;
const NAME_AT = 152;
const HEADER_MAGIC = Buffer.from('BATONARB');
const RECORD_MAGIC = Buffer.from('BATONBLK');
const VERSION = 1;
const TEXT_AT = 48;
const ROLES: DiskBlock['role'][] = ['none', 'candidate', 'coordinator'];

export interface Header {
  cluster: string;
  /** 32 hex digits, of all disks of one arbiter: the voter. */
  storageId: string;
  /** From 0, of how many. */
  disk: number;
  disks: number;
  /** Place by place. */
  nodes: string[];
  documentBytes: number;
}

/** A node's record, and where its document is. */
export interface DiskRecord {
  node: string;
  block: DiskBlock;
  /** 0 or 1. */
  place: number;
  length: number;
  digest: Buffer;
}

/** Keys of disks are made of cluster keys; with the first is written, with any of them read. */
export function diskKey(clusterKey: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', clusterKey, '', 'baton disk arbiter 1', 32));
}

export const recordAt = (place: number): number => HEADER_BYTES + place * BLOCK;

export function documentAt(header: Header, place: number, which: number): number {
  return DOCUMENTS_AT + (2 * place + which) * header.documentBytes;
}

export function diskBytes({ nodes, documentBytes }: Pick<Header, 'nodes' | 'documentBytes'>): number {
  return DOCUMENTS_AT + 2 * nodes.length * documentBytes;
}

export function digestOf(document: Uint8Array): Buffer {
  return createHash('sha256').update(document).digest();
}

function macOf(key: Buffer, ...parts: Uint8Array[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function isOf(keys: readonly Buffer[], mac: Uint8Array, ...parts: Uint8Array[]): boolean {
  return keys.some((key) => timingSafeEqual(macOf(key, ...parts), mac));
}

export function encodeHeader(header: Header, key: Buffer): Buffer {
  const { cluster, storageId, disk, disks, nodes, documentBytes } = header;
  const text = Buffer.from(JSON.stringify({ cluster, storageId, disk, disks, nodes, documentBytes }), 'utf8');
  const bytes = Buffer.alloc(HEADER_BYTES);
  HEADER_MAGIC.copy(bytes);
  bytes.writeUInt32BE(VERSION, 8);
  bytes.writeUInt32BE(text.length, 12);
  text.copy(bytes, TEXT_AT);
  macOf(key, bytes.subarray(0, 16), bytes.subarray(TEXT_AT)).copy(bytes, 16);
  return bytes;
}

export type HeaderFound =
  | { is: 'ours'; header: Header; /** Its key is not the newest. */ old: boolean }
  | { is: 'blank' }
  /** Another's, or nothing of baton. */
  | { is: 'foreign'; text: string };

export function decodeHeader(bytes: Buffer, cluster: string, keys: readonly Buffer[]): HeaderFound {
  if (isZero(bytes)) return { is: 'blank' };
  if (!bytes.subarray(0, 8).equals(HEADER_MAGIC)) return { is: 'foreign', text: 'it holds no arbiter of baton' };
  const version = bytes.readUInt32BE(8);
  if (version !== VERSION) return { is: 'foreign', text: `it is an arbiter of another version (${version})` };
  const header = headerIn(bytes);
  if (header !== null && header.cluster !== cluster)
    return { is: 'foreign', text: `it is the arbiter of the cluster "${header.cluster}"` };
  const parts = [bytes.subarray(0, 16), bytes.subarray(TEXT_AT)];
  const mac = bytes.subarray(16, TEXT_AT);
  if (header === null || !isOf(keys, mac, ...parts))
    return { is: 'foreign', text: 'it is an arbiter made under another key, or damaged' };
  return { is: 'ours', header, old: !isOf(keys.slice(0, 1), mac, ...parts) };
}

function headerIn(bytes: Buffer): Header | null {
  const length = bytes.readUInt32BE(12);
  if (length > HEADER_BYTES - TEXT_AT) return null;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8', TEXT_AT, TEXT_AT + length));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { cluster, storageId, disk, disks, nodes, documentBytes } = value as Record<string, unknown>;
  const isCount = (n: unknown, least: number, most: number): boolean =>
    Number.isInteger(n) && (n as number) >= least && (n as number) <= most;
  if (typeof cluster !== 'string' || typeof storageId !== 'string' || !/^[0-9a-f]{32}$/.test(storageId)) return null;
  if (!isCount(disk, 0, 1) || !isCount(disks, 1, 2) || !isCount(documentBytes, BLOCK, 1 << 24)) return null;
  if (!Array.isArray(nodes) || nodes.length > PLACES || !nodes.every((node) => typeof node === 'string')) return null;
  return value as Header;
}

/** One block. */
export function encodeRecord(storageId: string, record: DiskRecord, key: Buffer): Buffer {
  const { node, block, place, length, digest } = record;
  const name = Buffer.from(node, 'utf8');
  const bytes = Buffer.alloc(BLOCK);
  RECORD_MAGIC.copy(bytes);
  Buffer.from(storageId, 'hex').copy(bytes, 40);
  bytes.writeBigUInt64BE(BigInt(block.term), 56);
  bytes.writeUInt8(ROLES.indexOf(block.role), 64);
  bytes.writeUInt8(place, 65);
  bytes.writeUInt8(name.length, 66);
  bytes.writeBigUInt64BE(BigInt(block.beat), 72);
  bytes.writeBigUInt64BE(BigInt(block.writes), 80);
  bytes.writeBigUInt64BE(BigInt(block.version.term), 88);
  bytes.writeBigUInt64BE(BigInt(block.version.revision), 96);
  bytes.writeUInt32BE(length, 104);
  digest.copy(bytes, 112);
  Buffer.from(block.run, 'hex').copy(bytes, RUN_AT);
  name.copy(bytes, NAME_AT);
  macOf(key, bytes.subarray(0, 8), bytes.subarray(40, RECORD_BYTES)).copy(bytes, 8);
  return bytes;
}

/** Of one block: blank, whole, or neither (`damaged`): torn, or another node's or voter's. */
export function decodeRecord(
  bytes: Buffer,
  { storageId, node }: { storageId: string; node: string },
  keys: readonly Buffer[],
): DiskRecord | 'blank' | 'damaged' {
  const record = bytes.subarray(0, RECORD_BYTES);
  if (isZero(record)) return 'blank';
  if (!record.subarray(0, 8).equals(RECORD_MAGIC)) return 'damaged';
  if (!isOf(keys, record.subarray(8, 40), record.subarray(0, 8), record.subarray(40))) return 'damaged';
  if (record.toString('hex', 40, 56) !== storageId) return 'damaged';
  if (record.toString('utf8', NAME_AT, NAME_AT + record.readUInt8(66)) !== node) return 'damaged';
  const number = (at: number): number => Number(record.readBigUInt64BE(at));
  const block = readBlock({
    term: number(56),
    role: ROLES[record.readUInt8(64)],
    beat: number(72),
    run: record.toString('hex', RUN_AT, NAME_AT),
    writes: number(80),
    version: { term: number(88), revision: number(96) },
  });
  const place = record.readUInt8(65);
  if (block === null || place > 1) return 'damaged';
  return { node, block, place, length: record.readUInt32BE(104), digest: Buffer.from(record.subarray(112, 144)) };
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** To whole blocks. */
export const inBlocks = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;
