/**
 * One packet socket for one EtherType on all NICs of the namespace. One for all, because a node may have a thousand NICs:
 * a socket each costs a descriptor, a buffer and a turn of the loop each. A socket bound to one EtherType other than
 * "all" never sees what this host sends, and costs other traffic nothing. It gets nothing on a port of a bridge; such
 * NICs are refused by `check`.
 */
import { AF, bpf, ERRNO, Inbox, openSocket, packetAddress, PACKET, PACKET_TYPE, SO, SOCK, SOL } from './socket.js';
import type { Instruction, NativeSocket } from './socket.js';

export interface PacketSocketOptions {
  etherType: number;
  /** What passes, and how many bytes of it. */
  filter?: readonly Instruction[];
  /** Longer frames are dropped. */
  frameBytes: number;
  receiveBufferBytes?: number;
}

const BATCH = 64;
/** A flood must not keep the engine in one drain for ever. */
const DRAIN_BATCHES_MAX = 64;

export class PacketSocket {
  readonly #socket: NativeSocket;
  readonly #inbox: Inbox;
  readonly #take: (ifindex: number, bytes: Uint8Array) => void;
  readonly #drop: (reason: string) => void;

  /** `take` gets the frame in place: the bytes are good until it returns. */
  constructor(
    options: PacketSocketOptions,
    take: (ifindex: number, bytes: Uint8Array) => void,
    drop: (reason: string) => void,
  ) {
    this.#take = take;
    this.#drop = drop;
    // Protocol 0 receives nothing: the filter must be in place before the first frame can arrive.
    this.#socket = openSocket(AF.packet, SOCK.raw, 0);
    if (options.filter) this.#socket.setFilter(bpf(options.filter));
    this.#socket.setOption(SOL.socket, SO.receiveBufferForce, options.receiveBufferBytes ?? 1 << 20);
    this.#inbox = new Inbox(this.#socket, BATCH, options.frameBytes);
    this.#socket.bind(packetAddress(0, options.etherType));
  }

  /** `enter` is called before the frames of each turn of the loop are handed in, `leave` after them. */
  start(enter: () => void, leave: () => void): void {
    this.#socket.start((result) => {
      enter();
      this.#deliver(result);
      leave();
    });
  }

  /** Hands in all that waits. */
  drain(): void {
    for (let i = 0; i < DRAIN_BATCHES_MAX; i++) {
      const result = this.#socket.receive();
      if (result === -ERRNO.EAGAIN) return;
      this.#deliver(result);
    }
  }

  /** Asks a NIC for the frames of a group MAC. It is done on the pool, for the kernel takes rtnl for it; it ends with the NIC. */
  join(ifindex: number, group: Uint8Array): void {
    this.#socket.setOptionLater(SOL.packet, PACKET.addMembership, membership(ifindex, group));
  }

  close(): void {
    this.#socket.close();
  }

  #deliver(result: number): void {
    if (result < 0) return this.#drop('receive-error');
    for (let i = 0; i < result; i++) {
      const type = this.#inbox.packetType(i);
      if (type === PACKET_TYPE.otherHost) this.#drop('frame-to-another-host');
      else if (type > PACKET_TYPE.multicast) this.#drop('frame-of-our-own');
      else if (this.#inbox.isCut(i)) this.#drop('frame-too-long');
      else this.#take(this.#inbox.ifindex(i), this.#inbox.bytes(i));
    }
  }
}

/** struct packet_mreq: type 0 is PACKET_MR_MULTICAST. */
function membership(ifindex: number, group: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16);
  new Int32Array(bytes.buffer, 0, 1)[0] = ifindex;
  new Uint16Array(bytes.buffer, 6, 1)[0] = group.length;
  bytes.set(group, 8);
  return bytes;
}
