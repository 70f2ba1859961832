/**
 * What every part of the simulated world shares: its clock and dice, and the frame on the wire.
 *
 * Frames of baton and of the kernels (poll, ARP, NDP) are real bytes and take their time. A packet of a user's
 * program (echo, TCP, multicast) goes the whole way at once, hop by hop through the same cables, tables and caches; its
 * trace says what it crossed, so that a program which asks a thousand times a second is walked once, and again only
 * after something of the world has changed.
 */
import type { decodeArp } from '../../src/frame/arp.js';
import type { decodeNdp } from '../../src/frame/ndp.js';
import { PollMemory } from '../../src/frame/poll.js';
import type { Ms } from '../../src/input.js';
import { Clock } from './clock.js';
import { Random } from './random.js';

export interface Packet {
  family: 4 | 6;
  source: string;
  destination: string;
  what: 'echo' | 'echo-answer' | 'datagram';
  trace: Trace;
}

/** What one walk of a packet, and of its answer, met. */
export interface Trace {
  /** Called for the answer, where it arrived. */
  answered: () => void;
  /** Product of the chances to pass at each lossy cable. Null: dice are thrown at once, on the way. */
  chance: number | null;
  /** Counters that a repetition of this walk raises once more. */
  counted: { counters: { rx: number; tx: number }; counter: 'rx' | 'tx' }[];
}

/** A UDP datagram: it takes its time as frames do. What it carries is handed over as it is. */
export interface Datagram {
  family: 4 | 6;
  source: string;
  destination: string;
  port: number;
  content: unknown;
}

export interface Frame {
  destination: string;
  source: string;
  etherType: number;
  /** Whole frame; empty where `packet` or `datagram` says what it carries. */
  bytes: Uint8Array;
  packet?: Packet;
  datagram?: Datagram;
  /** Read once for all who hear it. */
  arp?: ReturnType<typeof decodeArp>;
  ndp?: ReturnType<typeof decodeNdp>;
}

/** Time that a frame spends on one cable. */
export const CABLE_DELAY_MS: Ms = 0.01;
/** More cables than any real path has: it ends a loop of switches. */
export const HOPS_MAX = 16;

export class World {
  readonly clock = new Clock();
  /** No frame's bytes are changed once it is sent. */
  readonly polls = new PollMemory();
  readonly random: Random;
  /** ARP and neighbour discovery that leave a host, past its gate. */
  onSpoken: ((host: string, bytes: Uint8Array) => void) | null = null;
  /** A frame left that NIC of a host, or port of its bond, by that cable. */
  onSent: ((host: string, nic: string, cable: object, frame: Frame) => void) | null = null;
  /** A table of that host changed, or a NIC of it, be it noticed by its kernel or not. */
  onTouched: ((host: string) => void) | null = null;
  readonly #changed: (() => void)[] = [];

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** To be called by whatever changes a table, a cache, a carrier or a cable. */
  changed(): void {
    for (const told of this.#changed) told();
  }

  onChanged(told: () => void): void {
    this.#changed.push(told);
  }
}
