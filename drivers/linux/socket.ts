/**
 * Face of the native addon (`socket.c`, `syscalls.c`): packet, netlink, UDP, raw and Unix sockets and timerfds, watched by libuv, and the
 * few system calls that Node lacks. It may be loaded in any number of threads; what a thread opens ends with it.
 *
 * Errors: calls that set something up throw `NodeJS.ErrnoException` with `code` and `syscall`; calls of the hot path
 * (`send`, `sendBatch`, `receive`, `receiveWait`, and what `start` hands in) return -errno (see `ERRNO`) and never throw for
 * what the world does. ENETDOWN and ENOBUFS end nothing: the socket goes on, after ENOBUFS something was lost.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ms } from '../../src/input.js';

export interface NativeSocket {
  /** `address` is a sockaddr as in memory: see `packetAddress`, `netlinkAddress`. */
  bind(address: Uint8Array): void;
  setOption(level: number, option: number, value: number | Uint8Array): void;
  /**
   * The same on libuv's pool, for options that wait for rtnl inside the kernel; at most 32 bytes. What becomes of it is
   * not told.
   */
  setOptionLater(level: number, option: number, value: Uint8Array): void;
  /** Writes into `value`; returns the length in bytes. */
  getOption(level: number, option: number, value: Uint8Array): number;
  getName(): Uint8Array;
  /** Classic BPF, see `bpf`. */
  setFilter(program: Uint8Array): void;
  /** Bytes sent or -errno, never blocks. Netlink sockets use the system call sendmsg, all others sendto. */
  send(bytes: Uint8Array, address: Uint8Array | null): number;
  /**
   * sendmmsg: message i is `slab` from `spans[2 * i]`, `spans[2 * i + 1]` bytes long, to the i-th sockaddr of
   * `addressLength` bytes in `addresses`. Returns how many were sent, or -errno if the first failed.
   */
  sendBatch(
    slab: Uint8Array,
    spans: Int32Array,
    count: number,
    addresses: Uint8Array | null,
    addressLength: number,
  ): number;
  /** Where messages go: see `Inbox`, which calls this. Once only. */
  attach(slab: Uint8Array, meta: Int32Array, slots: number): void;
  /** One recvmmsg into what is attached: how many messages, or -errno (-EAGAIN: none). */
  receive(): number;
  /** As `receive`, but blocks the thread until something is there or the time is over (0). */
  receiveWait(timeoutMs: Ms): number;
  /** Calls back from the event loop with what `receive` returns, one batch a turn; for a timerfd with the expiries. */
  start(callback: (result: number) => void): void;
  /** Timerfd: fires once after or at that time (milliseconds, fractions count); 0 disarms. */
  setTime(ms: Ms, absolute: boolean): void;
  /**
   * Timerfd: keeps the texts of these files (descriptors; -1 has an empty text), file i at `slab[i * slot]`, the rest of its
   * slot zero; slots of at most 64 bytes. Each look reads `part` of them, round and round. Once only.
   */
  watch(fds: Int32Array, slab: Uint8Array, slot: number, part: number, quietMax: number): void;
  /** Looks at once: how many texts are others than before. */
  look(): number;
  /**
   * Timerfd that watches: looks each `everyMs` (at least 1), without end. What `start` is given is called only when a text
   * changed, when looks were slept through, and after `quietMax` looks without a call: with the number of looks since
   * the last one. `due[0]` is kept the moment of the next look, until it is over and told.
   */
  setBeat(everyMs: Ms, due: Float64Array): void;
  /** Closes at once; a second call does nothing. */
  close(): void;
}

interface Addon {
  Socket: {
    new (domain: number, type: number, protocol: number): NativeSocket;
    new (clock: number): NativeSocket;
  };
  readBatch(fds: Int32Array, slab: Uint8Array, slot: number, lengths: Int32Array): number;
  readNames(ifindexes: Int32Array, slab: Uint8Array): void;
  ifindex(name: string): number;
  setThreadName(name: string): void;
  setScheduler(policy: number, priority: number): void;
  alignedBytes(length: number, alignment: number): ArrayBuffer;
  blockDevice(fd: number, blocks: Int32Array): number;
  lockRange(fd: number, start: number, length: number): void;
  configureLine(fd: number, baud: number): void;
  claimLine(fd: number): void;
  flushLine(fd: number): void;
  watchLine(fd: number, callback: () => void): LineWatch;
  unwatchLine(watch: LineWatch): void;
}

/** Of the addon's own making. */
export type LineWatch = object;

const addon = load();

/** The package root is two folders above the source, three above what is compiled into dist/. */
function load(): Addon {
  const here = dirname(fileURLToPath(import.meta.url));
  const places = ['../..', '../../..'].map((up) => join(here, up, 'build/Release/socket.node'));
  const path = places.find((place) => existsSync(place));
  if (path === undefined) throw new Error(`the native socket is not built (${places[0]}): run \`npm run build\``);
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    throw new Error(`the native socket does not load (${String(error)}): run \`npm run build\``, { cause: error });
  }
}

export const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16, packet: 17 } as const;
export const SOCK = { stream: 1, datagram: 2, raw: 3 } as const;
export const SOL = { ip: 0, socket: 1, ipv6: 41, packet: 263, netlink: 270 } as const;
/** Options of level `SOL.socket`. */
export const SO = {
  error: 4,
  sendBuffer: 7,
  receiveBuffer: 8,
  priority: 12,
  reusePort: 15,
  bindToDevice: 25,
  sendBufferForce: 32,
  receiveBufferForce: 33,
} as const;
/** Options of level `SOL.ip` and `SOL.ipv6`. */
export const IP = { tos: 1, packetInfo: 8, freeBind: 15 } as const;
export const IPV6 = { only: 26, receivePacketInfo: 49, trafficClass: 67, freeBind: 78 } as const;
export const PACKET = { addMembership: 1, dropMembership: 2, ignoreOutgoing: 23 } as const;
/** sll_pkttype of what was received. */
export const PACKET_TYPE = { host: 0, broadcast: 1, multicast: 2, otherHost: 3, outgoing: 4 } as const;
export const CLOCK_MONOTONIC = 1;
export const SCHED = { other: 0, fifo: 1 } as const;
/** The hot path returns these negated. */
export const ERRNO = {
  ENOENT: 2,
  EPERM: 1,
  EINTR: 4,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  EINVAL: 22,
  ENODEV: 19,
  EMSGSIZE: 90,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  EHOSTUNREACH: 113,
} as const;

export function openSocket(domain: number, type: number, protocol: number): NativeSocket {
  return new addon.Socket(domain, type, protocol);
}

/** A timerfd. CLOCK_MONOTONIC is also the clock of `process.hrtime`, and the same for every process of the machine. */
export function openTimer(clock: number = CLOCK_MONOTONIC): NativeSocket {
  return new addon.Socket(clock);
}

/**
 * pread from the beginning of many kept descriptors in one call. Text i is at `slab[i * slot]`, `lengths[i]` bytes long or
 * -errno there; the rest of its slot is zero. Returns how many failed.
 */
export const readBatch = (fds: Int32Array, slab: Uint8Array, slot: number, lengths: Int32Array): number =>
  addon.readBatch(fds, slab, slot, lengths);

/** The present name of each ifindex in this namespace in 16 bytes of `slab`, zeroes if it is gone. Takes no rtnl. */
export const readNames = (ifindexes: Int32Array, slab: Uint8Array): void => addon.readNames(ifindexes, slab);
export const NAME_SPACE = 16;

/** 0: no such NIC. The kernel may try to load a module for an unknown name: not for the engine's thread. */
export const ifindex = (name: string): number => addon.ifindex(name);

/** As ps and strace show the calling thread; 15 bytes are kept. */
export const setThreadName = (name: string): void => addon.setThreadName(name);

/** Of the calling thread only. Throws EPERM without CAP_SYS_NICE. */
export const setScheduler = (policy: number, priority: number): void => addon.setScheduler(policy, priority);

/** Memory for direct I/O, zeroed; it begins at a multiple of `alignment`, a power of two. */
export const alignedBytes = (length: number, alignment: number): Uint8Array =>
  new Uint8Array(addon.alignedBytes(length, alignment));

/** Size in bytes of a block device, and its logical and physical block. Throws ENOTTY for what is none. */
export function blockDevice(fd: number): { bytes: number; logical: number; physical: number } {
  const blocks = new Int32Array(2);
  const bytes = addon.blockDevice(fd, blocks);
  return { bytes, logical: blocks[0]!, physical: blocks[1]! };
}

/**
 * Locks that range for writing, as long as this open file description lives: also beyond the process, while the kernel still
 * works for it. Throws EAGAIN if another one has it.
 */
export const lockRange = (fd: number, start: number, length: number): void => addon.lockRange(fd, start, length);
/** Raw, eight bits, no flow control, `baud` each way, and forgets all that waits there. Throws EINVAL for a rate that the device cannot do, ENOTTY for what is no line. */
export const configureLine = (fd: number, baud: number): void => addon.configureLine(fd, baud);
/** For this open file alone; throws EAGAIN if another program has it locked. */
export const claimLine = (fd: number): void => addon.claimLine(fd);
/** Forgets what was written and not sent yet. */
export const flushLine = (fd: number): void => addon.flushLine(fd);
/** Calls back from the event loop whenever there is something to read, or the line was hung up. */
export const watchLine = (fd: number, callback: () => void): LineWatch => addon.watchLine(fd, callback);
/** Before the descriptor is closed; a second call does nothing. */
export const unwatchLine = (watch: LineWatch): void => addon.unwatchLine(watch);

/** Sockaddrs are in the byte order of the host. */
export const LITTLE = endianness() === 'LE';

/** struct sockaddr_ll for bind (protocol: EtherType, 0 for none) and send. */
export function packetAddress(ifindex: number, protocol: number): Uint8Array {
  const address = new Uint8Array(PACKET_ADDRESS_LENGTH);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF.packet, LITTLE);
  view.setUint16(2, protocol, false);
  view.setInt32(4, ifindex, LITTLE);
  return address;
}
export const PACKET_ADDRESS_LENGTH = 20;

/** struct sockaddr_nl; port id 0 is the kernel, or for bind: choose one. */
export function netlinkAddress(portId = 0, groups = 0): Uint8Array {
  const address = new Uint8Array(12);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF.netlink, LITTLE);
  view.setUint32(4, portId, LITTLE);
  view.setUint32(8, groups, LITTLE);
  return address;
}

/** struct sockaddr_in or sockaddr_in6 of four or sixteen bytes; `scope`: ifindex of a link-local address's link. */
export function internetAddress(ip: Uint8Array, port = 0, scope = 0): Uint8Array {
  const address = new Uint8Array(ip.length === 4 ? 16 : 28);
  const view = new DataView(address.buffer);
  view.setUint16(0, ip.length === 4 ? AF.inet : AF.inet6, LITTLE);
  view.setUint16(2, port, false);
  address.set(ip, ip.length === 4 ? 4 : 8);
  if (ip.length === 16) view.setUint32(24, scope, LITTLE);
  return address;
}

/** One instruction of classic BPF (linux/filter.h): code, jump if true, jump if false, operand. */
export type Instruction = [code: number, jt: number, jf: number, k: number];

export function bpf(instructions: readonly Instruction[]): Uint8Array {
  const program = new Uint8Array(instructions.length * 8);
  const view = new DataView(program.buffer);
  instructions.forEach(([code, jt, jf, k], i) => {
    view.setUint16(8 * i, code, LITTLE);
    view.setUint8(8 * i + 2, jt);
    view.setUint8(8 * i + 3, jf);
    view.setUint32(8 * i + 4, k, LITTLE);
  });
  return program;
}

const ADDRESS_SPACE = 32;
const MSG_TRUNC = 0x20;

/** Preallocated room for one batch of messages of a socket, and what the last `receive` put there. */
export class Inbox {
  readonly #slab: Uint8Array;
  readonly #view: DataView;
  readonly #meta: Int32Array;
  readonly #slot: number;

  /** Attaches itself to the socket. At most 64 messages a batch; longer ones than `messageBytes` are cut. */
  constructor(socket: NativeSocket, messages: number, messageBytes: number) {
    this.#slot = ADDRESS_SPACE + messageBytes;
    this.#slab = new Uint8Array(messages * this.#slot);
    this.#view = new DataView(this.#slab.buffer);
    this.#meta = new Int32Array(4 * messages);
    socket.attach(this.#slab, this.#meta, messages);
  }

  /** Whole length as sent, even if cut. */
  length(i: number): number {
    return this.#meta[4 * i] ?? 0;
  }

  isCut(i: number): boolean {
    return ((this.#meta[4 * i + 1] ?? 0) & MSG_TRUNC) !== 0;
  }

  /** The message in place: overwritten by the next receive. */
  bytes(i: number): Uint8Array {
    const start = i * this.#slot + ADDRESS_SPACE;
    return this.#slab.subarray(start, start + Math.min(this.length(i), this.#slot - ADDRESS_SPACE));
  }

  /** The sender's sockaddr in place. */
  address(i: number): Uint8Array {
    return this.#slab.subarray(i * this.#slot, i * this.#slot + (this.#meta[4 * i + 2] ?? 0));
  }

  /** Of a netlink message: 0 is the kernel, and nobody else is to be believed. */
  portId(i: number): number {
    return this.#view.getUint32(i * this.#slot + 4, LITTLE);
  }

  /** Of a packet: the NIC where it came in. */
  ifindex(i: number): number {
    return this.#view.getInt32(i * this.#slot + 4, LITTLE);
  }

  /** Of a datagram: the NIC where it came in, if the socket asks for it (IP_PKTINFO, IPV6_RECVPKTINFO); else 0. */
  arrival(i: number): number {
    return this.#meta[4 * i + 3] ?? 0;
  }

  /** Of a packet: one of `PACKET_TYPE`. */
  packetType(i: number): number {
    return this.#slab[i * this.#slot + 10] ?? 0;
  }
}
