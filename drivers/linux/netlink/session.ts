/**
 * One conversation with the kernel's rtnetlink, or another part of netlink: a request, its acknowledgement, the next one. It blocks its thread, for the
 * kernel does the work within the system call itself, which may take 150 ms and more while somebody else holds rtnl.
 */
import { performance } from 'node:perf_hooks';
import type { Ms } from '../../../src/input.js';
import { AF, ERRNO, Inbox, netlinkAddress, openSocket, SOCK, SOL, type NativeSocket } from '../socket.js';
import {
  decodeMessages,
  decodeOutcome,
  encodeMessage,
  NetlinkError,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  type Message,
} from './message.js';

const NETLINK_ROUTE = 0;
/** Options of level SOL_NETLINK: acknowledgements without our own request in them; with text; dumps that heed filters (Linux 4.20). */
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
/** The kernel fills at most 32 KiB for one read of a dump. */
const DATAGRAM_BYTES = 32 * 1024;
const DATAGRAMS = 4;
const ANSWER_MS: Ms = 5000;

/** What must be done anew, from the first message: the answer was lost, or is no state that ever was. */
class Interrupted extends Error {}

export class Session {
  readonly #socket: NativeSocket;
  readonly #inbox: Inbox;
  readonly #answerMs: Ms;
  #sequence = 0;
  /** Does the kernel filter dumps by link? If not, they are whole, and what was not asked for must be left out. */
  readonly filters: boolean;

  /** `answerMs`: how long to wait for one answer, all repetitions included. Throws where the socket cannot be had. */
  constructor(answerMs: Ms = ANSWER_MS, protocol = NETLINK_ROUTE) {
    this.#answerMs = answerMs;
    this.#socket = openSocket(AF.netlink, SOCK.raw, protocol);
    this.#socket.bind(netlinkAddress());
    this.#socket.setOption(SOL.netlink, NETLINK_CAP_ACK, 1);
    this.#socket.setOption(SOL.netlink, NETLINK_EXT_ACK, 1);
    this.filters = this.#offer(NETLINK_GET_STRICT_CHK);
    this.#inbox = new Inbox(this.#socket, DATAGRAMS, DATAGRAM_BYTES);
  }

  #offer(option: number): boolean {
    try {
      this.#socket.setOption(SOL.netlink, option, 1);
      return true;
    } catch {
      return false;
    }
  }

  /** Returns when the kernel has done it; NetlinkError with the kernel's text if it refused. Asked again where the answer got lost. */
  request(type: number, flags: number, parts: readonly Uint8Array[]): void {
    this.#insist((deadline) => {
      this.#send(type, flags | NLM_F_ACK, parts);
      for (;;)
        for (const message of this.#answers(deadline)) {
          if (message.type !== NLMSG_ERROR) continue;
          const refusal = decodeOutcome(message);
          if (refusal) throw refusal;
          return;
        }
    });
  }

  /** Everything that `decode` makes something of. Dumped anew until nothing changed meanwhile. */
  dump<T>(type: number, parts: readonly Uint8Array[], decode: (payload: Buffer) => T | null): T[] {
    return this.#insist((deadline) => {
      this.#send(type, NLM_F_DUMP, parts);
      const found: T[] = [];
      let torn = false;
      for (;;)
        for (const message of this.#answers(deadline)) {
          torn ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
          if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
            const refusal = decodeOutcome(message);
            if (refusal) throw refusal;
            if (torn) throw new Interrupted('the table changed while it was dumped');
            return found;
          }
          const item = decode(message.payload);
          if (item !== null) found.push(item);
        }
    });
  }

  #insist<T>(attempt: (deadline: Ms) => T): T {
    const deadline = performance.now() + this.#answerMs;
    for (;;) {
      try {
        return attempt(deadline);
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        if (performance.now() >= deadline) throw new NetlinkError('EINTR', error.message);
      }
    }
  }

  #send(type: number, flags: number, parts: readonly Uint8Array[]): void {
    this.#sequence = (this.#sequence + 1) >>> 0;
    const result = this.#socket.send(encodeMessage(type, flags | NLM_F_REQUEST, this.#sequence, parts), null);
    if (result < 0) throw NetlinkError.fromErrno(-result);
  }

  /** Messages of the next datagrams that answer the last request; what came late for an earlier one is passed over. */
  #answers(deadline: Ms): Message[] {
    const count = this.#socket.receiveWait(Math.max(1, deadline - performance.now()));
    if (count === -ERRNO.ENOBUFS) throw new Interrupted('the answer was lost');
    if (count === -ERRNO.EINTR) return [];
    if (count === 0) throw new NetlinkError('ETIMEDOUT', `the kernel did not answer within ${this.#answerMs} ms`);
    if (count < 0) throw NetlinkError.fromErrno(-count);
    const messages: Message[] = [];
    for (let i = 0; i < count; i++) {
      if (this.#inbox.portId(i) !== 0) continue;
      if (this.#inbox.isCut(i)) throw new NetlinkError('EMSGSIZE', `an answer of ${this.#inbox.length(i)} bytes`);
      for (const message of decodeMessages(bufferOf(this.#inbox.bytes(i))))
        if (message.sequence === this.#sequence) messages.push(message);
    }
    return messages;
  }

  close(): void {
    this.#socket.close();
  }
}

/** A view, not a copy. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
