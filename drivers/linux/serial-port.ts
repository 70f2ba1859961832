/**
 * Between the engine's thread and the serial line's hand (`serial/hand.ts`), which has a thread of its own: to open or close
 * a device may take the kernel seconds.
 *
 *   engine ──send-serial───▶ hand      framed, written at once; on a line that takes nothing the oldest is lost
 *          ◀─serial-read───           bytes as they came
 *          ◀─serial-changed           the device is open, or why not
 *          ◀─serial-lost───           frames that could not be written
 */
import { encodeSerialFrame, SerialReader } from '../../src/frame/serial.js';
import type { Input } from '../../src/input.js';
import { type FromHand, type Hand, PortHand, type ToHand } from './hand.js';

export interface SerialFrame {
  kind: 'send-serial';
  /** As they go on the line. */
  bytes: Uint8Array;
}

export type SerialInput = Extract<Input, { kind: 'serial-received' | 'serial-changed' }>;
export type SerialChanged = Extract<Input, { kind: 'serial-changed' }>;

export type SerialNews =
  SerialChanged | { kind: 'serial-read'; bytes: Uint8Array } | { kind: 'serial-lost'; frames: number };

export type ToSerial = ToHand<SerialFrame>;
export type FromSerial = FromHand<SerialNews>;

/** `workerData` of the line's thread. */
export interface SerialData {
  device: string;
  baud: number;
}

export type SerialHand = Hand<SerialFrame, SerialNews>;
export class PortSerialHand extends PortHand<SerialFrame, SerialNews> {}

/** The line as the engine sees it: whole frames. */
export class SerialEnd {
  readonly #hand: SerialHand;
  readonly #drop: (reason: string, count: number) => void;
  #reader = new SerialReader();

  constructor(hand: SerialHand, drop: (reason: string, count: number) => void) {
    this.#hand = hand;
    this.#drop = drop;
  }

  onInput(take: (input: SerialInput) => void): void {
    this.#hand.onInput((news) => {
      switch (news.kind) {
        case 'serial-changed':
          this.#reader = new SerialReader();
          return take(news);
        case 'serial-read':
          return this.#read(news.bytes, take);
        case 'serial-lost':
          return this.#drop('serial-full', news.frames);
      }
    });
  }

  #read(bytes: Uint8Array, take: (input: SerialInput) => void): void {
    const before = this.#reader.damaged;
    for (const payload of this.#reader.read(bytes)) take({ kind: 'serial-received', bytes: payload });
    const damaged = this.#reader.damaged - before;
    if (damaged > 0) this.#drop('serial-damaged', damaged);
  }

  send(payload: Uint8Array): void {
    this.#hand.post({ kind: 'send-serial', bytes: encodeSerialFrame(payload).slice() });
  }

  /** Calls back when all that was sent is written. */
  settle(done: () => void): void {
    this.#hand.settle(done);
  }
}
