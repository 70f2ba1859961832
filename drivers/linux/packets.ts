/**
 * Frames in: poll frames, ARP, and neighbour solicitations and advertisements, of our NICs only; and the count of
 * link-local group frames, which are no evidence that a NIC's net moves.
 */
import { ETHERTYPE_ARP, ETHERTYPE_IPV6, ETHERTYPE_POLL } from '../../src/frame/ethernet.js';
import { ALL_NODES, groupMac } from '../../src/frame/ip.js';
import { parseMac } from '../../src/frame/mac.js';
import { POLL_GROUP } from '../../src/frame/poll.js';
import type { Nics } from './nics.js';
import { PacketSocket } from './packet-socket.js';
import type { Instruction } from './socket.js';

/** Codes of classic BPF (linux/bpf_common.h), absolute loads. */
const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const IF_EQUAL = 0x15;
const IF_GREATER = 0x25;
const RETURN = 0x06;
const WHOLE = 0x40000;

/** ICMPv6 type 135 or 136 with hop limit 255: anything else may have passed a router (RFC 4861 section 7.1). */
const NDP_FILTER: readonly Instruction[] = [
  [LOAD_BYTE, 0, 0, 20],
  [IF_EQUAL, 0, 6, 58],
  [LOAD_BYTE, 0, 0, 21],
  [IF_EQUAL, 0, 4, 255],
  [LOAD_BYTE, 0, 0, 54],
  [IF_EQUAL, 1, 0, 135],
  [IF_EQUAL, 0, 1, 136],
  [RETURN, 0, 0, WHOLE],
  [RETURN, 0, 0, 0],
];

/** To 01:80:c2:00:00:0x, the header alone. */
const LINK_LOCAL_FILTER: readonly Instruction[] = [
  [LOAD_WORD, 0, 0, 0],
  [IF_EQUAL, 0, 3, 0x0180c200],
  [LOAD_HALF, 0, 0, 4],
  [IF_GREATER, 1, 0, 0x000f],
  [RETURN, 0, 0, 14],
  [RETURN, 0, 0, 0],
];

/** What is sent there: spanning tree (802.2), slow protocols, port authentication, LLDP, precision time. */
const LINK_LOCAL_TYPES = [0x0004, 0x8809, 0x888e, 0x88cc, 0x88f7];

const FRAME_BYTES = 1536;
const POLL_BUFFER_BYTES = 4 << 20;

export class Packets {
  readonly #nics: Nics;
  readonly #take: (nic: string, bytes: Uint8Array) => void;
  readonly #poll: PacketSocket;
  readonly #frames: PacketSocket[];
  readonly #linkLocal: PacketSocket[];
  readonly #linkLocalCounts = new Map<string, number>();
  readonly #drop: (reason: string) => void;

  /** `take` gets bytes of its own. */
  constructor(nics: Nics, take: (nic: string, bytes: Uint8Array) => void, drop: (reason: string) => void) {
    this.#nics = nics;
    this.#take = take;
    this.#drop = drop;
    const open = (etherType: number, receiveBufferBytes: number, filter?: readonly Instruction[]): PacketSocket =>
      new PacketSocket(
        { etherType, frameBytes: FRAME_BYTES, receiveBufferBytes, ...(filter && { filter }) },
        (ifindex, bytes) => this.#frame(ifindex, bytes),
        drop,
      );
    this.#poll = open(ETHERTYPE_POLL, POLL_BUFFER_BYTES);
    this.#frames = [this.#poll, open(ETHERTYPE_ARP, 1 << 20), open(ETHERTYPE_IPV6, 1 << 20, NDP_FILTER)];
    this.#linkLocal = LINK_LOCAL_TYPES.map(
      (etherType) =>
        new PacketSocket(
          // MSG_TRUNC tells the length of what the filter lets pass, which is the header.
          { etherType, frameBytes: 64, filter: LINK_LOCAL_FILTER, receiveBufferBytes: 1 << 16 },
          (ifindex) => this.#countLinkLocal(ifindex),
          () => undefined,
        ),
    );
    nics.watch({
      appeared: (_nic, ifindex) => {
        for (const group of GROUPS) this.#poll.join(ifindex, group);
      },
      vanished: () => undefined,
    });
  }

  /** As `PacketSocket.start`. */
  start(enter: () => void, leave: () => void = () => undefined): void {
    for (const socket of [...this.#frames, ...this.#linkLocal]) socket.start(enter, leave);
  }

  drain(): void {
    for (const socket of this.#frames) socket.drain();
  }

  /** What `linkLocal` counts. */
  drainLinkLocal(): void {
    for (const socket of this.#linkLocal) socket.drain();
  }

  /** Frames to 01:80:c2:00:00:0x that came in over this NIC since the start. */
  linkLocal(nic: string): number {
    return this.#linkLocalCounts.get(nic) ?? 0;
  }

  close(): void {
    for (const socket of [...this.#frames, ...this.#linkLocal]) socket.close();
  }

  #frame(ifindex: number, bytes: Uint8Array): void {
    const nic = this.#nics.nameOf(ifindex);
    if (nic === undefined) this.#drop('frame-of-a-foreign-nic');
    else this.#take(nic, bytes.slice());
  }

  #countLinkLocal(ifindex: number): void {
    const nic = this.#nics.nameOf(ifindex);
    if (nic !== undefined) this.#linkLocalCounts.set(nic, this.linkLocal(nic) + 1);
  }
}

/** Answers to a neighbour probe from the unspecified address go to all nodes (RFC 4861 section 7.2.4), also on a NIC without IPv6. */
const GROUPS = [POLL_GROUP, groupMac(ALL_NODES)].map((mac) => {
  const bytes = parseMac(mac);
  if (bytes === null) throw new Error(`"${mac}" is not a MAC address`);
  return bytes;
});
