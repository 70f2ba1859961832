/** Received and sent packets of each NIC, from kept descriptors of sysfs: no rtnl, one call for all NICs. */
import { closeSync, openSync } from 'node:fs';
import type { Counters } from '../../src/input.js';
import type { Nics } from './nics.js';
import { numberIn } from './number.js';
import { readBatch } from './socket.js';

/** 64 bits are at most 20 digits and a newline. */
const SLOT = 24;

export class CounterReader {
  readonly #nics: Nics;
  /** Those of `rx_packets` in the order of `Nics.names`, then those of `tx_packets`. */
  readonly #fds: Int32Array;
  readonly #slab: Uint8Array;
  readonly #lengths: Int32Array;
  #isSentRead = false;

  constructor(nics: Nics) {
    this.#nics = nics;
    this.#fds = new Int32Array(nics.names.length * 2).fill(-1);
    this.#slab = new Uint8Array(this.#fds.length * SLOT);
    this.#lengths = new Int32Array(this.#fds.length);
    nics.watch({ appeared: (nic) => this.#open(nic), vanished: (nic) => this.#shut(nic) });
  }

  /**
   * NICs that exist, in the order of `Nics.names`. `linkLocal` counts the group frames that are no evidence. Without
   * `sent` the sent counts stay those of an earlier reading, if there was one.
   */
  read(linkLocal: (nic: string) => number, sent = true): Counters[] {
    const { names } = this.#nics;
    const whole = sent || !this.#isSentRead;
    this.#isSentRead = true;
    readBatch(whole ? this.#fds : this.#fds.subarray(0, names.length), this.#slab, SLOT, this.#lengths);
    const counters: Counters[] = [];
    names.forEach((nic, i) => {
      const j = names.length + i;
      if (this.#lengths[i]! <= 0 || this.#lengths[j]! <= 0) return;
      counters.push({ nic, rxPackets: this.#number(i), txPackets: this.#number(j), rxLinkLocal: linkLocal(nic) });
    });
    return counters;
  }

  close(): void {
    for (const nic of this.#nics.names) this.#shut(nic);
  }

  #open(nic: string): void {
    const at = this.#nics.names.indexOf(nic);
    const folder = `${this.#nics.folder(nic)}/statistics`;
    try {
      this.#fds[at] = openSync(`${folder}/rx_packets`, 'r');
      this.#fds[at + this.#nics.names.length] = openSync(`${folder}/tx_packets`, 'r');
      this.#isSentRead = false;
    } catch {
      // Deleted at this moment: without counters until it appears again.
      this.#shut(nic);
    }
  }

  #shut(nic: string): void {
    const at = this.#nics.names.indexOf(nic);
    for (const i of [at, at + this.#nics.names.length]) {
      if (this.#fds[i]! >= 0) closeSync(this.#fds[i]!);
      this.#fds[i] = -1;
    }
  }

  #number(i: number): number {
    return numberIn(this.#slab, i * SLOT, this.#lengths[i]!);
  }
}
