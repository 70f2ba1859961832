/**
 * Netlink messages: header, attributes, acknowledgements. Nothing here knows what a link or a route is.
 * Source: RFC 3549 section 2.3, and the kernel's include/uapi/linux/netlink.h for what came after it.
 */
import { getSystemErrorMap, getSystemErrorName } from 'node:util';
import { readI32, readU16, readU32, writeU16, writeU32 } from './host-order.js';

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
/** The table changed while it was dumped: what was read is no state that ever was. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const HEADER = 16;
/** Two upper bits of an attribute's type say "nested" and "network byte order". */
export const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

export interface Message {
  type: number;
  flags: number;
  sequence: number;
  port: number;
  /** What follows the header: a fixed part and attributes. A view of the bytes given. */
  payload: Buffer;
}

export interface Attribute {
  /** As found, with its flag bits. */
  rawType: number;
  type: number;
  value: Buffer;
}

/** Why the kernel refused a request, or that it did not answer one. */
export class NetlinkError extends Error {
  constructor(
    /** `EEXIST`. */
    readonly code: string,
    /** The kernel's own text, or what errno means. */
    readonly text: string,
  ) {
    super(`${code}: ${text}`);
  }

  static fromErrno(errno: number, text?: string): NetlinkError {
    const code = getSystemErrorName(-Math.abs(errno));
    return new NetlinkError(code, text ?? getSystemErrorMap().get(-Math.abs(errno))?.[1] ?? `errno ${errno}`);
  }
}

const aligned = (length: number) => (length + 3) & ~3;

/** One whole message; `parts` are the fixed part and attributes, in this order. The port of the sender is left to the kernel. */
export function encodeMessage(type: number, flags: number, sequence: number, parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(HEADER);
  const message = Buffer.concat([header, ...parts]);
  writeU32(message, message.length, 0);
  writeU16(message, type, 4);
  writeU16(message, flags, 6);
  writeU32(message, sequence, 8);
  return message;
}

/** All whole messages in one datagram. A length that cannot be ends the reading: what follows it has no known start. */
export function decodeMessages(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = readU32(bytes, at);
    if (length < HEADER || at + length > bytes.length) break;
    messages.push({
      type: readU16(bytes, at + 4),
      flags: readU16(bytes, at + 6),
      sequence: readU32(bytes, at + 8),
      port: readU32(bytes, at + 12),
      payload: bytes.subarray(at + HEADER, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

export function attribute(rawType: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(aligned(4 + value.length));
  writeU16(bytes, 4 + value.length, 0);
  writeU16(bytes, rawType, 2);
  bytes.set(value, 4);
  return bytes;
}

export function attributeU8(type: number, value: number): Buffer {
  return attribute(type, Uint8Array.of(value));
}

export function attributeU32(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  writeU32(bytes, value, 0);
  return attribute(type, bytes);
}

/** For the few parts of netlink that are in network byte order. */
export function attributeBe32(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return attribute(type, bytes);
}

export function attributeText(type: number, text: string): Buffer {
  return attribute(type, Buffer.from(`${text}\0`));
}

export function nested(type: number, inner: readonly Uint8Array[]): Buffer {
  return attribute(type, Buffer.concat(inner));
}

/** Attributes from `start` on, as far as they are well-formed. */
export function decodeAttributes(bytes: Buffer, start = 0): Attribute[] {
  const found: Attribute[] = [];
  for (let at = start; at + 4 <= bytes.length;) {
    const length = readU16(bytes, at);
    if (length < 4 || at + length > bytes.length) break;
    const rawType = readU16(bytes, at + 2);
    found.push({ rawType, type: rawType & NLA_TYPE_MASK, value: bytes.subarray(at + 4, at + length) });
    at += aligned(length);
  }
  return found;
}

/** The last attribute of each type wins, as in the kernel. */
export function attributeMap(bytes: Buffer, start = 0): Map<number, Buffer> {
  return new Map(decodeAttributes(bytes, start).map(({ type, value }) => [type, value]));
}

/** Value of a u32 attribute, undefined if it is absent or too short. */
export function asU32(value: Buffer | undefined): number | undefined {
  return value !== undefined && value.length >= 4 ? readU32(value, 0) : undefined;
}

export function asU8(value: Buffer | undefined): number | undefined {
  return value?.[0];
}

/** Text of a NUL-terminated string attribute. */
export function asText(value: Buffer | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/**
 * Outcome in an NLMSG_ERROR or NLMSG_DONE message: null for success, else the error with the extended
 * acknowledgement's text where the kernel gave one.
 */
export function decodeOutcome(message: Message): NetlinkError | null {
  const { payload, flags } = message;
  const errno = payload.length >= 4 ? readI32(payload, 0) : 0;
  if (errno >= 0) return null;
  let text: string | undefined;
  if (flags & NLM_F_ACK_TLVS) {
    const original = message.type === NLMSG_ERROR && payload.length >= 8 ? readU32(payload, 4) : 0;
    const skip = message.type === NLMSG_DONE ? 4 : 4 + (flags & NLM_F_CAPPED ? HEADER : aligned(original));
    text = asText(attributeMap(payload, skip).get(NLMSGERR_ATTR_MSG));
  }
  return NetlinkError.fromErrno(errno, text);
}
