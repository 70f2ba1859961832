/** Received and sent packets of each NIC, from kept descriptors of sysfs: no rtnl, one call for all NICs. */
import { closeSync, openSync } from 'node:fs';
import type { Counters } from '../../src/input.js';
import type { Nics } from './nics.js';
import { readBatch } from './socket.js';

const FILES = ['statistics/rx_packets', 'statistics/tx_packets'] as const;
/** 64 bits are at most 20 digits and a newline. */
const SLOT = 24;

export class CounterReader {
  readonly #nics: Nics;
  readonly #fds: Int32Array;
  readonly #slab: Uint8Array;
  readonly #lengths: Int32Array;

  constructor(nics: Nics) {
    this.#nics = nics;
    this.#fds = new Int32Array(nics.names.length * FILES.length).fill(-1);
    this.#slab = new Uint8Array(this.#fds.length * SLOT);
    this.#lengths = new Int32Array(this.#fds.length);
    nics.watch({ appeared: (nic) => this.#open(nic), vanished: (nic) => this.#shut(nic) });
  }

  /** NICs that exist, in the order of `Nics.names`. `linkLocal` counts the group frames that are no evidence. */
  read(linkLocal: (nic: string) => number): Counters[] {
    readBatch(this.#fds, this.#slab, SLOT, this.#lengths);
    const counters: Counters[] = [];
    this.#nics.names.forEach((nic, i) => {
      const at = i * FILES.length;
      if (this.#lengths[at]! <= 0 || this.#lengths[at + 1]! <= 0) return;
      const [rxPackets, txPackets] = [this.#number(at), this.#number(at + 1)];
      counters.push({ nic, rxPackets, txPackets, rxLinkLocal: linkLocal(nic) });
    });
    return counters;
  }

  close(): void {
    for (const nic of this.#nics.names) this.#shut(nic);
  }

  #open(nic: string): void {
    const at = this.#nics.names.indexOf(nic) * FILES.length;
    try {
      FILES.forEach((file, i) => (this.#fds[at + i] = openSync(`${this.#nics.folder(nic)}/${file}`, 'r')));
    } catch {
      // Deleted at this moment: without counters until it appears again.
      this.#shut(nic);
    }
  }

  #shut(nic: string): void {
    const at = this.#nics.names.indexOf(nic) * FILES.length;
    for (let i = at; i < at + FILES.length; i++) {
      if (this.#fds[i]! >= 0) closeSync(this.#fds[i]!);
      this.#fds[i] = -1;
    }
  }

  #number(i: number): number {
    const slab = this.#slab;
    const start = i * SLOT;
    // The last byte is the newline.
    const end = start + this.#lengths[i]! - 1;
    let number = 0;
    for (let at = start; at < end; at++) number = number * 10 + slab[at]! - 0x30;
    return number;
  }
}
