/** Frames out, in batches: any frame out of any NIC through one packet socket that receives nothing. */
import type { Nics } from './nics.js';
import { AF, ERRNO, LITTLE, openSocket, PACKET_ADDRESS_LENGTH, SO, SOCK, SOL } from './socket.js';
import type { NativeSocket } from './socket.js';

const BATCH = 64;
const FRAME_BYTES = 2048;
/**
 * Frames that a hung card keeps in its queue and ring stay charged to the socket, some kilobytes each: with the usual
 * limit one such card would soon keep all others from sending. It is a limit, not a reservation.
 */
const SEND_BUFFER_BYTES = 1 << 29;

export class Outbox {
  readonly #nics: Nics;
  readonly #drop: (reason: string) => void;
  readonly #socket: NativeSocket;
  readonly #slab = new Uint8Array(BATCH * FRAME_BYTES);
  readonly #spans = new Int32Array(2 * BATCH);
  readonly #addresses = new Uint8Array(BATCH * PACKET_ADDRESS_LENGTH);
  readonly #view = new DataView(this.#addresses.buffer);
  readonly #untils = new Float64Array(BATCH);
  readonly #now: () => number;
  #waiting = 0;
  /** The earliest of those waiting. */
  #until = Infinity;
  #closed = false;

  /** `now`: the clock of `until`. */
  constructor(nics: Nics, drop: (reason: string) => void, now: () => number = () => 0) {
    this.#nics = nics;
    this.#now = now;
    this.#drop = drop;
    this.#socket = openSocket(AF.packet, SOCK.raw, 0);
    this.#socket.setOption(SOL.socket, SO.sendBufferForce, SEND_BUFFER_BYTES);
    for (let i = 0; i < BATCH; i++) this.#view.setUint16(i * PACKET_ADDRESS_LENGTH, AF.packet, LITTLE);
  }

  /** Takes a copy; it is sent by `flush`, or before when the batch is full, and not at `until` any more. */
  add(nic: string, bytes: Uint8Array, until = Infinity): void {
    const ifindex = this.#nics.ifindexOf(nic);
    if (ifindex === 0) return this.#drop('send-nic-missing');
    if (bytes.length < 14 || bytes.length > FRAME_BYTES) return this.#drop('send-frame-length');
    if (this.#waiting === BATCH) this.flush();
    const i = this.#waiting++;
    this.#slab.set(bytes, i * FRAME_BYTES);
    this.#spans[2 * i] = i * FRAME_BYTES;
    this.#spans[2 * i + 1] = bytes.length;
    this.#untils[i] = until;
    this.#until = Math.min(this.#until, until);
    const address = i * PACKET_ADDRESS_LENGTH;
    // sll_protocol is the frame's own EtherType, already in network order.
    this.#addresses.set(bytes.subarray(12, 14), address + 2);
    this.#view.setInt32(address + 4, ifindex, LITTLE);
  }

  /** What cannot be sent is counted by its reason and not tried again: the next poll is as good. */
  flush(): void {
    if (this.#until !== Infinity && this.#now() >= this.#until) this.#withdraw();
    this.#until = Infinity;
    let first = 0;
    while (first < this.#waiting && !this.#closed) {
      const sent = this.#socket.sendBatch(
        this.#slab,
        this.#spans.subarray(2 * first),
        this.#waiting - first,
        this.#addresses.subarray(first * PACKET_ADDRESS_LENGTH),
        PACKET_ADDRESS_LENGTH,
      );
      if (sent < 0) this.#drop(SEND_ERRORS[-sent] ?? 'send-error');
      first += Math.max(sent, 1);
    }
    this.#waiting = 0;
  }

  /** Takes out what must not be said any more; the others keep their order. */
  #withdraw(): void {
    const now = this.#now();
    let kept = 0;
    for (let i = 0; i < this.#waiting; i++) {
      if ((this.#untils[i] ?? Infinity) <= now) {
        this.#drop('send-too-late');
        continue;
      }
      this.#spans.copyWithin(2 * kept, 2 * i, 2 * i + 2);
      this.#addresses.copyWithin(
        kept * PACKET_ADDRESS_LENGTH,
        i * PACKET_ADDRESS_LENGTH,
        (i + 1) * PACKET_ADDRESS_LENGTH,
      );
      kept++;
    }
    this.#waiting = kept;
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }
}

const SEND_ERRORS: Readonly<Record<number, string>> = {
  [ERRNO.ENOBUFS]: 'send-enobufs',
  [ERRNO.ENETDOWN]: 'send-enetdown',
  [ERRNO.ENXIO]: 'send-nic-missing',
  [ERRNO.ENODEV]: 'send-nic-missing',
  [ERRNO.EAGAIN]: 'send-eagain',
  [ERRNO.EMSGSIZE]: 'send-emsgsize',
};
