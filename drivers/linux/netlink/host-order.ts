/** Integers in the byte order of this machine, as all of netlink has them but addresses. */
import { endianness } from 'node:os';

const little = endianness() === 'LE';

export function readU16(bytes: Buffer, at: number): number {
  return little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
}

export function readU32(bytes: Buffer, at: number): number {
  return little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}

export function readI32(bytes: Buffer, at: number): number {
  return little ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
}

export function writeU16(bytes: Buffer, value: number, at: number): void {
  if (little) bytes.writeUInt16LE(value & 0xffff, at);
  else bytes.writeUInt16BE(value & 0xffff, at);
}

/** Takes any integer; what exceeds 32 bits is cut off, as C does. */
export function writeU32(bytes: Buffer, value: number, at: number): void {
  if (little) bytes.writeUInt32LE(value >>> 0, at);
  else bytes.writeUInt32BE(value >>> 0, at);
}
