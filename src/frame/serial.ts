/**
 * Frames on a serial line, where bytes may be lost, damaged or made up at any place:
 *
 *   0 · COBS(payload · CRC-32 of it, big-endian) · 0
 *
 * Consistent overhead byte stuffing (Cheshire, Baker 1999) leaves no zero within a frame, so a reader is in step again
 * after the next zero, whatever it has missed. The zero before a frame ends what noise has left on the line. CRC-32 is
 * that of IEEE 802.3.
 */
import { numberAt, putNumber } from './octet.js';

/** Longest payload. */
export const SERIAL_PAYLOAD_MAX = 1200;

const CRC_LENGTH = 4;
/** Longest run of other bytes that one code byte of COBS stands for. */
const RUN_MAX = 254;
const DELIMITERS = 2;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}

/** The most bytes that a payload takes on the line. */
export function serialFrameLength(payload: number): number {
  return DELIMITERS + stuffedLength(payload + CRC_LENGTH);
}

function stuffedLength(length: number): number {
  return length + Math.floor(length / RUN_MAX) + 1;
}

/** `payload`: at most SERIAL_PAYLOAD_MAX bytes. */
export function encodeSerialFrame(payload: Uint8Array): Uint8Array {
  const checked = new Uint8Array(payload.length + CRC_LENGTH);
  checked.set(payload);
  putNumber(checked, payload.length, crc32(payload), CRC_LENGTH);
  return stuff(checked);
}

function stuff(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(DELIMITERS + stuffedLength(bytes.length));
  let codeAt = 1;
  let at = 2;
  for (const byte of bytes) {
    if (byte !== 0) frame[at++] = byte;
    if (byte === 0 || at - codeAt > RUN_MAX) {
      frame[codeAt] = at - codeAt;
      codeAt = at++;
    }
  }
  frame[codeAt] = at - codeAt;
  return frame.subarray(0, at + 1);
}

/** Null: no COBS. */
function unstuff(bytes: Uint8Array): Uint8Array | null {
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const code = bytes[at]!;
    const end = at + code;
    if (code === 0 || end > bytes.length) return null;
    plain.set(bytes.subarray(at + 1, end), length);
    length += code - 1;
    at = end;
    if (code <= RUN_MAX && at < bytes.length) length++;
  }
  return plain.subarray(0, length);
}

/** Puts together what comes off the line. One is for one opening of the line. */
export class SerialReader {
  readonly #bytes = new Uint8Array(stuffedLength(SERIAL_PAYLOAD_MAX + CRC_LENGTH));
  #length = 0;
  #tooLong = false;
  /** What stood between two delimiters and was no frame. */
  damaged = 0;

  /** Payloads of the frames that end within these bytes; only those whose checksum is right. */
  read(bytes: Uint8Array): Uint8Array[] {
    const payloads: Uint8Array[] = [];
    for (const byte of bytes) {
      if (byte !== 0) this.#add(byte);
      else {
        const payload = this.#end();
        if (payload !== null) payloads.push(payload);
      }
    }
    return payloads;
  }

  #add(byte: number): void {
    if (this.#length === this.#bytes.length) this.#tooLong = true;
    else this.#bytes[this.#length++] = byte;
  }

  #end(): Uint8Array | null {
    const isEmpty = this.#length === 0;
    const checked = this.#tooLong ? null : unstuff(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    this.#tooLong = false;
    if (isEmpty) return null;
    const length = (checked?.length ?? 0) - CRC_LENGTH;
    if (checked !== null && length > 0 && crc32(checked.subarray(0, length)) === numberAt(checked, length, CRC_LENGTH))
      return checked.subarray(0, length);
    this.damaged++;
    return null;
  }
}
