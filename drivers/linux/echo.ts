/**
 * ICMP and ICMPv6 echo (RFC 792, RFC 4443 section 4) to on-link targets, out of one NIC and answered on the same.
 *
 * By our own socket, for npm's raw-socket watches the loop of the process's first thread whichever thread opens it: in
 * the engine's thread it crashes the process at the first answer.
 */
import { checksum } from '../../src/frame/checksum.js';
import { parseIp } from '../../src/frame/ip.js';
import type { Nics } from './nics.js';
import { AF, Inbox, LITTLE, openSocket, SO, SOCK, SOL } from './socket.js';
import type { NativeSocket } from './socket.js';

interface Protocol {
  domain: number;
  protocol: number;
  request: number;
  reply: number;
  /** setsockopt level and the filter (option 1 of both) that lets only replies in: a set bit keeps a type out. */
  filterLevel: number;
  filter: Uint8Array;
}

const ICMP: Protocol = {
  domain: AF.inet,
  protocol: 1,
  request: 8,
  reply: 0,
  filterLevel: 255,
  filter: allBut(4, 0),
};
const ICMPV6: Protocol = {
  domain: AF.inet6,
  protocol: 58,
  request: 128,
  reply: 129,
  filterLevel: 58,
  filter: allBut(32, 129),
};
const FILTER_OPTION = 1;

/** 8 bytes of ICMP header, 8 of cookie, 4 of number, and some to look like a ping. */
const ECHO_LENGTH = 32;
const COOKIE = 8;
const NUMBER = 16;
/** Requests remembered; an answer to an older one is none. */
const PENDING = 4096;
/** A flood of replies must not keep the engine in one drain for ever. */
const DRAIN_BATCHES_MAX = 64;

interface Pending {
  number: number;
  nic: string;
  target: string;
}

interface Opened {
  nic: string;
  protocol: Protocol;
  socket: NativeSocket;
  inbox: Inbox;
  ifindex: number;
}

export class Echo {
  readonly #nics: Nics;
  readonly #take: (nic: string, target: string) => void;
  readonly #drop: (reason: string) => void;
  readonly #enter: () => void;
  readonly #opened = new Map<string, Opened>();
  readonly #pending: (Pending | undefined)[] = [];
  readonly #cookie: Uint8Array;
  #number = 0;

  /** `cookie`: 8 random bytes that prove an answer to be one of ours. `enter` is called before answers of a turn of the loop. */
  constructor(
    nics: Nics,
    cookie: Uint8Array,
    take: (nic: string, target: string) => void,
    drop: (reason: string) => void,
    enter: () => void,
  ) {
    this.#nics = nics;
    this.#cookie = cookie;
    this.#take = take;
    this.#drop = drop;
    this.#enter = enter;
    nics.watch({ appeared: () => undefined, vanished: (nic) => this.#forget(nic) });
  }

  send(nic: string, target: string): void {
    const bytes = parseIp(target);
    if (bytes === null) return this.#drop('echo-target');
    const protocol = bytes.length === 4 ? ICMP : ICMPV6;
    const opened = this.#open(nic, protocol);
    if (opened === null) return this.#drop('echo-nic-missing');
    const number = ++this.#number;
    this.#pending[number % PENDING] = { number, nic, target };
    const sent = opened.socket.send(this.#request(protocol, number), socketAddress(bytes, opened.ifindex));
    if (sent < 0) this.#drop('echo-unsent');
  }

  drain(): void {
    for (const opened of this.#opened.values()) {
      for (let i = 0; i < DRAIN_BATCHES_MAX; i++) {
        const count = opened.socket.receive();
        if (count < 0) break;
        this.#deliver(opened, count);
      }
    }
  }

  close(): void {
    for (const { socket } of this.#opened.values()) socket.close();
    this.#opened.clear();
  }

  #request(protocol: Protocol, number: number): Uint8Array {
    const bytes = new Uint8Array(ECHO_LENGTH);
    const view = new DataView(bytes.buffer);
    bytes[0] = protocol.request;
    bytes.set(this.#cookie.subarray(0, 2), 4);
    view.setUint16(6, number & 0xffff);
    bytes.set(this.#cookie, COOKIE);
    view.setUint32(NUMBER, number);
    // The kernel itself fills in the checksum of ICMPv6 (RFC 3542 section 3.1).
    if (protocol === ICMP) view.setUint16(2, checksum(bytes));
    return bytes;
  }

  #open(nic: string, protocol: Protocol): Opened | null {
    const key = `${nic} ${protocol.domain}`;
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const ifindex = this.#nics.ifindexOf(nic);
    if (ifindex === 0) return null;
    let socket: NativeSocket | undefined;
    try {
      socket = openSocket(protocol.domain, SOCK.raw, protocol.protocol);
      socket.setOption(protocol.filterLevel, FILTER_OPTION, protocol.filter);
      socket.setOption(SOL.socket, SO.bindToDevice, new TextEncoder().encode(nic));
    } catch {
      // Deleted or renamed at this moment, or the host has no IPv6.
      socket?.close();
      return null;
    }
    const opened = { nic, protocol, socket, inbox: new Inbox(socket, 16, 256), ifindex };
    this.#opened.set(key, opened);
    socket.start((n) => {
      this.#enter();
      this.#deliver(opened, n);
    });
    return opened;
  }

  #deliver(opened: Opened, count: number): void {
    const { inbox, protocol } = opened;
    for (let i = 0; i < count; i++) {
      const bytes = inbox.bytes(i);
      // Raw IPv4 sockets give the IP header too.
      const start = protocol === ICMP ? ((bytes[0] ?? 0) & 0x0f) * 4 : 0;
      const source = protocol === ICMP ? inbox.address(i).subarray(4, 8) : inbox.address(i).subarray(8, 24);
      this.#reply(opened, bytes.subarray(start), source);
    }
  }

  #reply(opened: Opened, bytes: Uint8Array, source: Uint8Array): void {
    if (bytes.length < ECHO_LENGTH || bytes[0] !== opened.protocol.reply) return this.#drop('echo-not-a-reply');
    if (!same(bytes.subarray(COOKIE, NUMBER), this.#cookie)) return this.#drop('echo-of-another');
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(NUMBER);
    const pending = this.#pending[number % PENDING];
    if (pending?.number !== number) return this.#drop('echo-unexpected');
    const target = parseIp(pending.target);
    if (target === null || !same(target, source) || pending.nic !== opened.nic) {
      return this.#drop('echo-from-elsewhere');
    }
    this.#pending[number % PENDING] = undefined;
    this.#take(pending.nic, pending.target);
  }

  #forget(nic: string): void {
    for (const { domain } of [ICMP, ICMPV6]) {
      this.#opened.get(`${nic} ${domain}`)?.socket.close();
      this.#opened.delete(`${nic} ${domain}`);
    }
  }
}

/** Filter of so many bytes (32-bit words of the host) that keeps out every type but one. */
function allBut(length: number, type: number): Uint8Array {
  const words = new Uint32Array(length / 4).fill(0xffffffff);
  words[type >> 5] = ~(1 << (type & 31)) >>> 0;
  return new Uint8Array(words.buffer);
}

const same = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, i) => byte === other[i]);

/** struct sockaddr_in or sockaddr_in6; the scope tells a link-local target's link. */
function socketAddress(ip: Uint8Array, ifindex: number): Uint8Array {
  const address = new Uint8Array(ip.length === 4 ? 16 : 28);
  const view = new DataView(address.buffer);
  view.setUint16(0, ip.length === 4 ? AF.inet : AF.inet6, LITTLE);
  address.set(ip, ip.length === 4 ? 4 : 8);
  if (ip.length === 16 && ip[0] === 0xfe && (ip[1]! & 0xc0) === 0x80) view.setUint32(24, ifindex, LITTLE);
  return address;
}
