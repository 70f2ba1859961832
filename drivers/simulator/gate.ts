/**
 * The gate in a simulated kernel (DESIGN 8): the rules, the set of addresses that are held, the lease element and the
 * token that arms a write. Without rules everything speaks.
 */
import { ETHERTYPE_ARP, ETHERTYPE_IPV6, ETHERNET_HEADER_LENGTH } from '../../src/frame/ethernet.js';
import { formatIp } from '../../src/frame/ip.js';
import type { Ms } from '../../src/input.js';
import type { Timer } from './clock.js';
import type { HostClock } from './host-clock.js';
import type { Random } from './random.js';
import type { World } from './wire.js';

/** The kernel counts in jiffies and collects in its own time: an element lives so much longer than it was told. */
const EXPIRY_LATE_MS = { from: 0, to: 8 };
/** A clock that runs wrong does not come out even. */
const ROUNDING_MS: Ms = 1e-3;
const ARP_SENDER_AT = ETHERNET_HEADER_LENGTH + 14;
const ICMP6_AT = ETHERNET_HEADER_LENGTH + 40;
const NEIGHBOUR_ADVERTISEMENT = 136;
const NA_TARGET_AT = ICMP6_AT + 8;

export class Gate {
  /** Somebody took the rules away. */
  onFlushed: () => void = () => {};
  /** Does it stand at the egress of packet sockets too (kernel 5.16)? */
  egress = true;
  readonly #world: World;
  readonly #clock: HostClock;
  readonly #random: Random;
  #floating: ReadonlySet<string> | null = null;
  #held: ReadonlySet<string> = new Set();
  #leaseEnd: Ms = -Infinity;
  #token: { key: number; end: Ms } | null = null;
  #timer: Timer | undefined;

  constructor(world: World, clock: HostClock, random: Random) {
    this.#world = world;
    this.#clock = clock;
    this.#random = random;
  }

  get stands(): boolean {
    return this.#floating !== null;
  }

  get held(): ReadonlySet<string> {
    return this.#held;
  }

  /** Of the host's own clock; not positive: it is closed. */
  get leaseLeftMs(): Ms {
    return this.#leaseEnd - this.#clock.now;
  }

  isOpen(): boolean {
    return this.stands && this.#clock.now < this.#leaseEnd;
  }

  /** May packets to and from that address of this host pass? */
  lets(address: string): boolean {
    if (this.#floating === null || !this.#floating.has(address)) return true;
    return this.#held.has(address) && this.#clock.now < this.#leaseEnd;
  }

  /** May that frame leave? It speaks for an address if it is ARP with it as sender, or an advertisement of it. */
  letsOut(bytes: Uint8Array): boolean {
    if (this.#floating === null || !this.egress) return true;
    const etherType = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
    if (etherType === ETHERTYPE_ARP) return this.lets(formatIp(bytes.subarray(ARP_SENDER_AT, ARP_SENDER_AT + 4)));
    if (etherType !== ETHERTYPE_IPV6 || bytes[ICMP6_AT] !== NEIGHBOUR_ADVERTISEMENT) return true;
    return this.lets(formatIp(bytes.subarray(NA_TARGET_AT, NA_TARGET_AT + 16)));
  }

  /** Makes the rules, closed; those that stand stay as they are. */
  raise(floating: Iterable<string>): void {
    if (this.#floating !== null) return;
    this.#floating = new Set(floating);
    this.#held = new Set();
    this.#leaseEnd = -Infinity;
    this.#token = null;
    this.#world.changed();
  }

  /** `nft flush ruleset`. */
  flush(): void {
    if (this.#floating === null) return;
    this.forget();
    this.onFlushed();
  }

  /** The kernel is gone, and all of it. */
  forget(): void {
    this.#floating = null;
    this.#held = new Set();
    this.#leaseEnd = -Infinity;
    this.#token = null;
    this.#world.changed();
  }

  /** G2: a fresh key in a set that no rule reads. False: there is no such set. */
  arm(key: number, forMs: Ms): boolean {
    if (!this.stands) return false;
    this.#token = { key, end: this.#clock.now + forMs + this.#lateMs() };
    return true;
  }

  /** G4: one transaction, refused whole if the token has expired. The lease counts from now. */
  open(key: number, held: readonly string[], forMs: Ms): 'done' | 'late' | 'missing' {
    if (!this.stands) return 'missing';
    if (this.#token?.key !== key || this.#clock.now >= this.#token.end) return 'late';
    this.#token = null;
    this.#write(held, this.#clock.now + forMs + this.#lateMs());
    return 'done';
  }

  close(held: readonly string[]): 'done' | 'missing' {
    if (!this.stands) return 'missing';
    this.#write(held, -Infinity);
    return 'done';
  }

  #write(held: readonly string[], leaseEnd: Ms): void {
    if (held.length !== this.#held.size || held.some((address) => !this.#held.has(address))) this.#held = new Set(held);
    this.#leaseEnd = leaseEnd;
    this.#expectEnd();
    this.#world.changed();
  }

  #expectEnd(): void {
    if (this.#timer) this.#timer.cancelled = true;
    if (this.#leaseEnd === -Infinity) return;
    this.#timer = this.#world.clock.at(this.#clock.worldAt(this.#leaseEnd) + ROUNDING_MS, () => {
      if (this.#clock.now >= this.#leaseEnd) this.#world.changed();
      else this.#expectEnd();
    });
  }

  #lateMs(): Ms {
    return this.#random.between(EXPIRY_LATE_MS.from, EXPIRY_LATE_MS.to);
  }
}
