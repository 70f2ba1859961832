/** The kernel's news about links, addresses, routes, neighbours, multicast groups and some sysctls, as they happen. */
import { AF, ERRNO, Inbox, netlinkAddress, openSocket, SO, SOCK, SOL, type NativeSocket } from '../socket.js';
import { decodeMessages, type Message } from './message.js';
import { bufferOf } from './session.js';

const NETLINK_ROUTE = 0;
const NETLINK_ADD_MEMBERSHIP = 1;
/** RTNLGRP_* (include/uapi/linux/rtnetlink.h): link, neigh, IPv4 address and route, IPv6 address and route, netconf of both. */
const GROUPS = [1, 3, 5, 7, 9, 11, 24, 25];
/** RTNLGRP_IPV4_MCADDR (Linux 6.14), RTNLGRP_IPV6_MCADDR. */
const MULTICAST_GROUPS = [37, 38];
const DATAGRAM_BYTES = 16 * 1024;
const DATAGRAMS = 16;
/** Room for the news of some thousand links going away at once. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;

export interface MonitorListener {
  /** The payload is valid only during the call. */
  heard(message: Message): void;
  /** News were lost: nothing that was known is sure any more. */
  lost(): void;
  /** After each batch of the two above. */
  settled(): void;
}

export class Monitor {
  readonly #socket: NativeSocket;
  readonly #inbox: Inbox;
  readonly #listener: MonitorListener;
  /** Does the kernel tell when a multicast group is joined or left? */
  readonly tellsGroups: boolean;

  /** Listens at once. `receiveBufferBytes`: at least what the kernel allows. Throws where the socket cannot be had. */
  constructor(listener: MonitorListener, receiveBufferBytes = RECEIVE_BUFFER_BYTES) {
    this.#listener = listener;
    this.#socket = openSocket(AF.netlink, SOCK.raw, NETLINK_ROUTE);
    this.#setBuffer(receiveBufferBytes);
    this.#socket.bind(netlinkAddress());
    for (const group of GROUPS) this.#socket.setOption(SOL.netlink, NETLINK_ADD_MEMBERSHIP, group);
    this.tellsGroups = MULTICAST_GROUPS.every((group) => this.#join(group));
    this.#inbox = new Inbox(this.#socket, DATAGRAMS, DATAGRAM_BYTES);
    this.#socket.start((result) => {
      this.#take(result);
      this.drain();
    });
  }

  #setBuffer(bytes: number): void {
    try {
      this.#socket.setOption(SOL.socket, SO.receiveBufferForce, bytes);
    } catch {
      this.#socket.setOption(SOL.socket, SO.receiveBuffer, bytes);
    }
  }

  #join(group: number): boolean {
    try {
      this.#socket.setOption(SOL.netlink, NETLINK_ADD_MEMBERSHIP, group);
      return true;
    } catch {
      return false;
    }
  }

  /** Hands over at once all that waits, without going back to the event loop. */
  drain(): void {
    for (;;) {
      const result = this.#socket.receive();
      if (result <= 0 && result !== -ERRNO.ENOBUFS) break;
      this.#take(result);
    }
    this.#listener.settled();
  }

  #take(result: number): void {
    if (result === -ERRNO.ENOBUFS) this.#listener.lost();
    for (let i = 0; i < result; i++) {
      // Any process may send to this port; only the kernel's is 0.
      if (this.#inbox.portId(i) !== 0) continue;
      if (this.#inbox.isCut(i)) this.#listener.lost();
      else for (const message of decodeMessages(bufferOf(this.#inbox.bytes(i)))) this.#listener.heard(message);
    }
  }

  close(): void {
    this.#socket.close();
  }
}
