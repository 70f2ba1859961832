/**
 * Notices that somebody changes nf_tables: one small message for each transaction, whoever made it, and none of what was in
 * it, so that a reload of a hundred thousand elements costs one. Wanted only where the tables have no owner.
 */
import { AF, bpf, ERRNO, Inbox, netlinkAddress, openSocket, SOCK, SOL, type NativeSocket } from '../socket.js';
import { NETLINK_NETFILTER, NFT_MSG_NEWGEN } from '../netlink/nftables.js';
import { writeU16 } from '../netlink/host-order.js';

const NETLINK_ADD_MEMBERSHIP = 1;
const NFNLGRP_NFTABLES = 7;
/** Offset of nlmsg_type. */
const TYPE_AT = 4;
const MESSAGES = 16;
const MESSAGE_BYTES = 256;

/** Keeps messages that begin with that type. The filter reads big-endian, netlink has the order of the machine. */
function onlyType(type: number): Uint8Array {
  const inMemory = Buffer.alloc(2);
  writeU16(inMemory, type, 0);
  return bpf([
    [0x28, 0, 0, TYPE_AT],
    [0x15, 0, 1, inMemory.readUInt16BE(0)],
    [0x06, 0, 0, 0x40000],
    [0x06, 0, 0, 0],
  ]);
}

export class TransactionWatch {
  readonly #socket: NativeSocket;

  /** `heard`: so many transactions were done; Infinity: some were missed. Throws where the socket cannot be had. */
  constructor(heard: (transactions: number) => void) {
    this.#socket = openSocket(AF.netlink, SOCK.raw, NETLINK_NETFILTER);
    this.#socket.setFilter(onlyType(NFT_MSG_NEWGEN));
    this.#socket.bind(netlinkAddress());
    this.#socket.setOption(SOL.netlink, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES);
    const inbox = new Inbox(this.#socket, MESSAGES, MESSAGE_BYTES);
    this.#socket.start((result) => {
      if (result === -ERRNO.ENOBUFS) return heard(Infinity);
      let transactions = 0;
      for (let i = 0; i < result; i++) if (inbox.portId(i) === 0) transactions++;
      if (transactions > 0) heard(transactions);
    });
  }

  close(): void {
    this.#socket.close();
  }
}
