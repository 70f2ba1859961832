/** One UDP socket of the heartbeat, IPv4 or IPv6, in batches both ways, without a name to be asked for. */
import { AF, ERRNO, Inbox, internetAddress, IP, IPV6, openSocket, SO, SOCK, SOL } from './socket.js';
import type { NativeSocket } from './socket.js';

export interface DatagramSocketOptions {
  /** Local address, four or sixteen bytes. */
  address: Uint8Array;
  /** Local port, and that of everybody else. */
  port: number;
  /** Null: what comes in by NICs to which no other socket of this address is bound. */
  nic: string | null;
}

const BATCH = 32;
/** More than any heartbeat has, and within one frame. */
const DATAGRAM_BYTES = 1440;
const DRAIN_BATCHES_MAX = 64;
const RECEIVE_BUFFER_BYTES = 1 << 20;
/** Class selector 6, network control (RFC 2474 section 4.2.2.2), and the kernel's own first band. */
const TRAFFIC_CLASS = 0xc0;
const PRIORITY = 6;

export class DatagramSocket {
  readonly #socket: NativeSocket;
  readonly #inbox: Inbox;
  readonly #take: (from: Uint8Array, arrival: number, bytes: Uint8Array) => void;
  readonly #drop: (reason: string) => void;
  readonly #port: number;
  readonly #length: number;
  readonly #slab = new Uint8Array(BATCH * DATAGRAM_BYTES);
  readonly #spans = new Int32Array(2 * BATCH);
  readonly #addresses: Uint8Array;
  #addressLength = 0;
  #waiting = 0;
  #closed = false;

  /**
   * `take` gets the sender's address, the ifindex where it came in, and the datagram in place: the bytes are good until it
   * returns. Throws ErrnoException where address or NIC are not to be had.
   */
  constructor(
    options: DatagramSocketOptions,
    take: (from: Uint8Array, arrival: number, bytes: Uint8Array) => void,
    drop: (reason: string) => void,
  ) {
    this.#take = take;
    this.#drop = drop;
    this.#port = options.port;
    this.#length = options.address.length;
    this.#addresses = new Uint8Array(BATCH * internetAddress(options.address).length);
    this.#socket = openSocket(this.#length === 4 ? AF.inet : AF.inet6, SOCK.datagram, 0);
    try {
      this.#prepare(options);
      this.#inbox = new Inbox(this.#socket, BATCH, DATAGRAM_BYTES);
      this.#socket.bind(internetAddress(options.address, options.port));
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  #prepare({ nic }: DatagramSocketOptions): void {
    const socket = this.#socket;
    // Two sockets of one address and port: not SO_REUSEADDR, with which any local user may take the port away.
    socket.setOption(SOL.socket, SO.reusePort, 1);
    socket.setOption(SOL.socket, SO.receiveBufferForce, RECEIVE_BUFFER_BYTES);
    if (this.#length === 4) {
      socket.setOption(SOL.ip, IP.packetInfo, 1);
      socket.setOption(SOL.ip, IP.tos, TRAFFIC_CLASS);
    } else {
      socket.setOption(SOL.ipv6, IPV6.only, 1);
      socket.setOption(SOL.ipv6, IPV6.receivePacketInfo, 1);
      socket.setOption(SOL.ipv6, IPV6.trafficClass, TRAFFIC_CLASS);
    }
    socket.setOption(SOL.socket, SO.priority, PRIORITY);
    if (nic !== null) socket.setOption(SOL.socket, SO.bindToDevice, new TextEncoder().encode(nic));
    else if (this.#length === 4) socket.setOption(SOL.ip, IP.freeBind, 1);
    else socket.setOption(SOL.ipv6, IPV6.freeBind, 1);
  }

  /** As `PacketSocket.start`. */
  start(enter: () => void, leave: () => void): void {
    this.#socket.start((result) => {
      enter();
      this.#deliver(result);
      leave();
    });
  }

  /** Hands in all that waits. */
  drain(): void {
    for (let i = 0; i < DRAIN_BATCHES_MAX && !this.#closed; i++) {
      const result = this.#socket.receive();
      if (result === -ERRNO.EAGAIN) return;
      this.#deliver(result);
    }
  }

  add(to: Uint8Array, bytes: Uint8Array): void {
    if (to.length !== this.#length) return this.#drop('datagram-family');
    if (bytes.length > DATAGRAM_BYTES) return this.#drop('datagram-length');
    if (this.#waiting === BATCH) this.flush();
    const i = this.#waiting++;
    this.#slab.set(bytes, i * DATAGRAM_BYTES);
    this.#spans[2 * i] = i * DATAGRAM_BYTES;
    this.#spans[2 * i + 1] = bytes.length;
    const address = internetAddress(to, this.#port);
    this.#addressLength = address.length;
    this.#addresses.set(address, i * address.length);
  }

  /** What cannot be sent is counted by its reason and not tried again: the next beat is as good. */
  flush(): void {
    let first = 0;
    while (first < this.#waiting && !this.#closed) {
      const sent = this.#socket.sendBatch(
        this.#slab,
        this.#spans.subarray(2 * first),
        this.#waiting - first,
        this.#addresses.subarray(first * this.#addressLength),
        this.#addressLength,
      );
      if (sent < 0) this.#drop(SEND_ERRORS[-sent] ?? 'datagram-unsent');
      first += Math.max(sent, 1);
    }
    this.#waiting = 0;
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  #deliver(result: number): void {
    // A pending error, ENETDOWN of a NIC that was set down: the socket goes on.
    if (result < 0) return this.#drop('datagram-receive-error');
    for (let i = 0; i < result && !this.#closed; i++) {
      if (this.#inbox.isCut(i)) this.#drop('datagram-too-long');
      else this.#take(this.#sender(this.#inbox.address(i)), this.#inbox.arrival(i), this.#inbox.bytes(i));
    }
  }

  #sender(address: Uint8Array): Uint8Array {
    return address.subarray(this.#length === 4 ? 4 : 8, this.#length === 4 ? 8 : 24);
  }
}

const SEND_ERRORS: Readonly<Record<number, string>> = {
  [ERRNO.EPERM]: 'datagram-unsent-firewall',
  [ERRNO.EAGAIN]: 'datagram-unsent-eagain',
  [ERRNO.EINVAL]: 'datagram-unsent-address-gone',
  [ERRNO.EADDRNOTAVAIL]: 'datagram-unsent-address-gone',
  [ERRNO.ENODEV]: 'datagram-unsent-nic-missing',
  [ERRNO.EMSGSIZE]: 'datagram-unsent-emsgsize',
  [ERRNO.ENETDOWN]: 'datagram-unsent-enetdown',
  [ERRNO.ENETUNREACH]: 'datagram-unsent-enetunreach',
  [ERRNO.EHOSTUNREACH]: 'datagram-unsent-ehostunreach',
  [ERRNO.ENOBUFS]: 'datagram-unsent-enobufs',
};
