/**
 * The neighbour table of a simulated kernel (net/core/neighbour.c): states, what a heard binding may overwrite, and the
 * asking. Also its two dialects, ARP (net/ipv4/arp.c) and neighbour discovery (net/ipv6/ndisc.c).
 */
import { arpProbe, arpReply, arpRequest, decodeArp, isGratuitous, type Arp } from '../../src/frame/arp.js';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_ARP, ETHERTYPE_IPV6 } from '../../src/frame/ethernet.js';
import { ipFamily, UNSPECIFIED_V4, UNSPECIFIED_V6 } from '../../src/frame/ip.js';
import { MAC_ZERO, writeMac } from '../../src/frame/mac.js';
import {
  decodeNdp,
  neighbourAnswer,
  neighbourSolicitation,
  type NeighbourAdvertisement,
  type NeighbourSolicitation,
} from '../../src/frame/ndp.js';
import type { Ms } from '../../src/input.js';
import type { Timer } from './clock.js';
import type { Host } from './host.js';
import type { Nic } from './nic.js';
import type { Frame } from './wire.js';

/** NUD_* of linux/neighbour.h. */
export const NUD = {
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
} as const;
const VALID = NUD.reachable | NUD.stale | NUD.delay | NUD.probe | NUD.noarp | NUD.permanent;
const CONNECTED = NUD.reachable | NUD.noarp | NUD.permanent;

/** Defaults of net.ipv4.neigh: base_reachable_time 30 s drawn between half and one and a half of it. */
const REACHABLE_MS = { from: 15_000, to: 45_000 };
const DELAY_PROBE_MS: Ms = 5000;
const RETRANSMIT_MS: Ms = 1000;
const ASKED_MAX = 3;
/** Of several answers the first is kept, for so long (locktime). */
const LOCK_MS: Ms = 1000;
const QUEUE_MAX = 101;

export interface NeighbourEntry {
  nic: string;
  address: string;
  mac: string;
  state: number;
  updatedAt: Ms;
  asked: number;
  timer?: Timer;
  queue: (() => void)[];
}

export class Neighbours {
  readonly entries = new Map<string, NeighbourEntry>();
  readonly #host: Host;
  /** A cache that never asks again by itself: what it once knew stays until it is told otherwise. */
  readonly #stuck: boolean;

  constructor(host: Host, stuck: boolean) {
    this.#host = host;
    this.#stuck = stuck;
  }

  of(nic: string, address: string): NeighbourEntry | undefined {
    return this.entries.get(`${nic} ${address}`);
  }

  /** The MAC to send to; null while it is asked for, `then` runs once it is known. */
  resolve(nic: Nic, address: string, then?: () => void): string | null {
    const entry = this.of(nic.name, address) ?? this.#create(nic.name, address);
    if ((entry.state & VALID) !== 0) {
      if (entry.state === NUD.stale && !this.#stuck) this.#enter(entry, NUD.delay);
      return entry.mac;
    }
    if (then && entry.queue.length < QUEUE_MAX) entry.queue.push(then);
    if (entry.state !== NUD.incomplete) {
      entry.asked = 0;
      this.#enter(entry, NUD.incomplete);
    }
    return null;
  }

  set(nic: string, address: string, mac: string, state: number): void {
    const entry = this.of(nic, address) ?? this.#create(nic, address);
    this.#update(entry, mac, state, true);
  }

  delete(nic: string, address: string): boolean {
    const entry = this.of(nic, address);
    if (entry) this.#forget(entry);
    return entry !== undefined;
  }

  /** At carrier loss permanent entries stay; when the NIC is set down they go too. */
  flush(nic: string, keepPermanent: boolean): void {
    for (const entry of [...this.entries.values()])
      if (entry.nic === nic && !(keepPermanent && entry.state === NUD.permanent)) this.#forget(entry);
  }

  rename(from: string, to: string): void {
    for (const entry of [...this.entries.values()]) {
      if (entry.nic !== from) continue;
      this.entries.delete(`${from} ${entry.address}`);
      entry.nic = to;
      this.entries.set(`${to} ${entry.address}`, entry);
    }
  }

  hear(nic: Nic, frame: Frame): void {
    if (frame.etherType === ETHERTYPE_ARP) {
      const arp = (frame.arp ??= decodeArp(frame.bytes.subarray(ETHERNET_HEADER_LENGTH)));
      if (typeof arp !== 'string') this.#hearArp(nic, arp, frame.destination === nic.mac);
    } else if (frame.etherType === ETHERTYPE_IPV6) {
      const ndp = (frame.ndp ??= decodeNdp(frame.bytes.subarray(ETHERNET_HEADER_LENGTH)));
      if (typeof ndp === 'string') return;
      if (ndp.type === 'neighbour-solicitation') this.#hearSolicitation(nic, ndp, frame.source);
      else this.#hearAdvertisement(nic, ndp);
    }
  }

  /** arp_process. */
  #hearArp(nic: Nic, arp: Arp, unicast: boolean): void {
    if (arp.op === 'request' && this.#host.answersArp(nic, arp.tpa)) {
      if (arp.spa !== UNSPECIFIED_V4) {
        const asker = this.of(nic.name, arp.spa) ?? this.#create(nic.name, arp.spa);
        this.#update(asker, arp.sha, NUD.stale, true);
      }
      nic.transmitBytes(arpReply(nic.mac, arp.tpa, arp.sha, arp.spa));
      return;
    }
    const entry = this.of(nic.name, arp.spa);
    if (!entry || arp.spa === UNSPECIFIED_V4) return;
    const gratuitous = isGratuitous(arp) && (arp.op === 'request' || arp.tha === arp.sha) && !this.#host.owns(arp.spa);
    const override = gratuitous || this.#host.world.clock.now > entry.updatedAt + LOCK_MS;
    this.#update(entry, arp.sha, arp.op === 'reply' && unicast ? NUD.reachable : NUD.stale, override);
  }

  #hearSolicitation(nic: Nic, asked: NeighbourSolicitation, askerMac: string): void {
    if (!this.#host.answersSolicitation(nic, asked.target)) return;
    if (asked.source !== UNSPECIFIED_V6 && asked.sourceLinkLayer !== undefined) {
      const asker = this.of(nic.name, asked.source) ?? this.#create(nic.name, asked.source);
      this.#update(asker, asked.sourceLinkLayer, NUD.stale, true);
      // The answer is a packet like any other: to send it is to use the entry.
      this.resolve(nic, asked.source);
    }
    nic.transmitBytes(neighbourAnswer(nic.mac, asked, askerMac, false));
  }

  #hearAdvertisement(nic: Nic, told: NeighbourAdvertisement): void {
    const entry = this.of(nic.name, told.target);
    if (!entry || told.targetLinkLayer === undefined) return;
    const known = (entry.state & VALID) !== 0 && entry.mac !== told.targetLinkLayer;
    // RFC 4861 section 7.2.5: without the override flag another MAC only makes a reachable entry doubtful.
    if (known && !told.override) {
      if (entry.state === NUD.reachable) this.#enter(entry, NUD.stale);
      return;
    }
    this.#update(entry, told.targetLinkLayer, told.solicited ? NUD.reachable : NUD.stale, told.override);
  }

  /** __neigh_update. */
  #update(entry: NeighbourEntry, mac: string, wanted: number, override: boolean): void {
    let state = wanted;
    if ((entry.state & VALID) !== 0 && (wanted & NUD.permanent) === 0) {
      if (entry.state === NUD.permanent) return;
      if (mac !== entry.mac && !override) return;
      if (mac === entry.mac && wanted === NUD.stale) state = entry.state;
    }
    const fresh = state !== entry.state || mac !== entry.mac;
    if (!fresh && (state & CONNECTED) === 0) return;
    if (fresh) entry.updatedAt = this.#host.world.clock.now;
    entry.mac = mac;
    this.#enter(entry, state);
    const waiting = entry.queue.splice(0);
    for (const then of waiting) then();
  }

  #create(nic: string, address: string): NeighbourEntry {
    const entry = { nic, address, mac: MAC_ZERO, state: 0, updatedAt: -Infinity, asked: 0, queue: [] };
    this.entries.set(`${nic} ${address}`, entry);
    return entry;
  }

  #forget(entry: NeighbourEntry): void {
    if (entry.timer) entry.timer.cancelled = true;
    this.entries.delete(`${entry.nic} ${entry.address}`);
    this.#host.touched(entry.nic);
  }

  #enter(entry: NeighbourEntry, state: number): void {
    const before = entry.state;
    if (entry.timer) entry.timer.cancelled = true;
    entry.state = state;
    if (state === NUD.reachable && !this.#stuck)
      this.#later(entry, this.#host.random.between(REACHABLE_MS.from, REACHABLE_MS.to), () =>
        this.#enter(entry, NUD.stale),
      );
    if (state === NUD.delay) this.#later(entry, DELAY_PROBE_MS, () => this.#startProbes(entry));
    if (state === NUD.incomplete) this.#ask(entry);
    if (before !== state) this.#host.touched(entry.nic);
    else this.#host.world.changed();
  }

  #startProbes(entry: NeighbourEntry): void {
    entry.asked = 0;
    this.#enter(entry, NUD.probe);
    this.#ask(entry);
  }

  #ask(entry: NeighbourEntry): void {
    const nic = this.#host.nics.get(entry.nic);
    if (!nic || entry.asked >= ASKED_MAX) {
      entry.queue.length = 0;
      this.#enter(entry, NUD.failed);
      return;
    }
    entry.asked++;
    this.#later(entry, RETRANSMIT_MS, () => this.#ask(entry));
    const bytes = this.#question(nic, entry.address);
    if (entry.state === NUD.probe) writeMac(bytes, 0, entry.mac);
    nic.transmitBytes(bytes);
  }

  #question(nic: Nic, address: string): Uint8Array {
    const source = this.#host.sourceFor(nic, address);
    if (ipFamily(address) === 6) return neighbourSolicitation(nic.mac, source ?? UNSPECIFIED_V6, address);
    return source === null ? arpProbe(nic.mac, address) : arpRequest(nic.mac, source, address);
  }

  #later(entry: NeighbourEntry, delayMs: Ms, run: () => void): void {
    entry.timer = this.#host.world.clock.after(delayMs, run);
  }
}
