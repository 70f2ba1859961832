/**
 * Transactions of nf_tables: messages between a begin and an end, done all or not at all. The kernel works within the system
 * call and blocks it while somebody else holds the tables, 220 ms and more with a large firewall; all that it has to say is
 * in the socket when the call returns. Source: the kernel's net/netfilter/nfnetlink.c, nfnetlink_rcv_batch.
 */
import type { Ms } from '../../../src/input.js';
import { monotonicMs } from '../wake.js';
import { AF, ERRNO, Inbox, netlinkAddress, openSocket, SO, SOCK, SOL, type NativeSocket } from '../socket.js';
import { readU32, writeU32 } from './host-order.js';
import {
  decodeMessages,
  decodeOutcome,
  encodeMessage,
  NetlinkError,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
} from './message.js';
import { generic, NETLINK_NETFILTER, type Draft } from './nftables.js';
import { bufferOf } from './session.js';

const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const SUBSYSTEM_NFTABLES = 10;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const HEADER = { length: 0, sequence: 8 } as const;
const ANSWERS = 16;
const ANSWER_BYTES = 1024;
const ANSWER_MS: Ms = 5000;
/** A table of thousands of addresses is one datagram. */
const SEND_BUFFER_BYTES = 4 * 1024 * 1024;

export interface Refusal {
  /** Index of the message among the drafts; -1: the transaction as a whole. */
  at: number;
  error: NetlinkError;
}

/** The kernel refused the transaction: nothing of it was done. */
export class Refused extends Error {
  constructor(readonly refusals: readonly Refusal[]) {
    super(refusals[0]?.error.message);
  }

  /** Is that message refused with that code, and no other one? */
  isOnly(at: number, code: string): boolean {
    return this.refusals.every((refusal) => refusal.at === at && refusal.error.code === code);
  }

  has(code: string): boolean {
    return this.refusals.some(({ error }) => error.code === code);
  }
}

/** A transaction ready to be sent, as often as wanted. Message `i` begins at `starts[i]`, the begin not counted. */
export interface Batch {
  bytes: Buffer;
  starts: number[];
}

export function encodeBatch(drafts: readonly Draft[]): Batch {
  const bracket = [generic(0, SUBSYSTEM_NFTABLES)];
  const pieces = [encodeMessage(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, 0, bracket)];
  const starts: number[] = [];
  let at = pieces[0]!.length;
  for (const [i, { type, flags, parts }] of drafts.entries()) {
    // Refusals come unasked; the last message's word tells that the transaction was done.
    const asked = flags | NLM_F_REQUEST | (i === drafts.length - 1 ? NLM_F_ACK : 0);
    const piece = encodeMessage(type, asked, 0, parts);
    starts.push(at);
    at += piece.length;
    pieces.push(piece);
  }
  pieces.push(encodeMessage(NFNL_MSG_BATCH_END, NLM_F_REQUEST, 0, bracket));
  return { bytes: Buffer.concat(pieces), starts };
}

export class BatchSession {
  readonly #socket: NativeSocket;
  readonly #inbox: Inbox;
  #sequence = 0;

  /** Tables with an owner belong to this session. Throws where the socket cannot be had. */
  constructor() {
    this.#socket = openSocket(AF.netlink, SOCK.raw, NETLINK_NETFILTER);
    this.#socket.bind(netlinkAddress());
    this.#socket.setOption(SOL.netlink, NETLINK_CAP_ACK, 1);
    this.#socket.setOption(SOL.netlink, NETLINK_EXT_ACK, 1);
    this.#socket.setOption(SOL.socket, SO.sendBufferForce, SEND_BUFFER_BYTES);
    this.#inbox = new Inbox(this.#socket, ANSWERS, ANSWER_BYTES);
  }

  /** As the kernel names this session where it is an owner. */
  get portId(): number {
    return readU32(bufferOf(this.#socket.getName()), 4);
  }

  /** Returns when it is done. Throws Refused, or NetlinkError if the kernel did not take it, or did not answer: then it may be done. */
  commit(batch: Batch): void {
    const first = this.#number(batch.bytes);
    const count = batch.starts.length;
    const sent = this.#socket.send(batch.bytes, null);
    if (sent < 0) throw NetlinkError.fromErrno(-sent);
    const refusals: Refusal[] = [];
    const deadline = monotonicMs() + ANSWER_MS;
    for (let done = false; !done;) {
      const waited = this.#inboxed(deadline);
      for (let i = 0; i < waited; i++) {
        if (this.#inbox.portId(i) !== 0) continue;
        for (const message of decodeMessages(bufferOf(this.#inbox.bytes(i)))) {
          const at = ((message.sequence - first) >>> 0) - 1;
          if (message.type !== NLMSG_ERROR || at >= count) continue;
          const error = decodeOutcome(message);
          if (error) refusals.push({ at, error });
          // Of the begin: the transaction as a whole was refused, and no message is answered for.
          done ||= at === count - 1 || at < 0;
        }
      }
    }
    if (refusals.length > 0) throw new Refused(refusals);
  }

  /** Gives each message a number of its own, the begin the first. */
  #number(bytes: Buffer): number {
    const first = (this.#sequence + 1) >>> 0;
    for (let at = 0; at < bytes.length; at += (readU32(bytes, at + HEADER.length) + 3) & ~3) {
      this.#sequence = (this.#sequence + 1) >>> 0;
      writeU32(bytes, this.#sequence, at + HEADER.sequence);
    }
    return first;
  }

  #inboxed(deadline: Ms): number {
    const count = this.#socket.receiveWait(Math.max(1, deadline - monotonicMs()));
    if (count === -ERRNO.EINTR) return 0;
    if (count === 0) throw new NetlinkError('ETIMEDOUT', `the kernel did not answer within ${ANSWER_MS} ms`);
    if (count < 0) throw NetlinkError.fromErrno(-count);
    return count;
  }

  /** What it owns without NFT_TABLE_F_PERSIST goes with it. */
  close(): void {
    this.#socket.close();
  }
}
