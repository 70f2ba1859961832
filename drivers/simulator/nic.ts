/** A card in a host: carrier, counters, MAC. What the wire knows of it is here at once; the kernel notices its carrier in its own time. */
import { ETHERTYPE_ARP, ETHERTYPE_IPV6 } from '../../src/frame/ethernet.js';
import { isGroupMac, readMac } from '../../src/frame/mac.js';
import type { Address, Ms } from '../../src/input.js';
import { IFA_F } from './addresses.js';
import type { Cable, CableEnd } from './cable.js';
import type { Host } from './host.js';
import type { Lag } from './lag.js';
import type { Macvlan } from './macvlan.js';
import { CABLE_DELAY_MS, type Frame } from './wire.js';

/** The kernel looks at carriers of physical cards once a second at most (linkwatch). */
const LINKWATCH_MS: Ms = 1000;
const EVENT_DELAY_MS: Ms = 0.1;

export class Nic implements CableEnd {
  readonly host: Host;
  readonly ifindex: number;
  mac: string;
  readonly mtu = 1500;
  readonly addresses: Address[] = [];
  /** Multicast groups that programs joined, and those that the daemon joined, which it leaves when it ends. */
  readonly groups = { programs: new Set<string>(), daemon: new Set<string>() };
  name: string;
  /** What it was called before it was renamed. */
  formerName: string | undefined;
  cable: Cable | undefined;
  /** On top of it; they hear its frames first. */
  readonly macvlans: Macvlan[] = [];
  /** Of a bond, which has cables by its ports only. */
  lag: Lag | undefined;
  rx = 0;
  tx = 0;
  /** A card whose carrier events the kernel holds back. */
  readonly physical: boolean;
  #admin = false;
  #carrier = false;
  #carrierChanges = 0;
  #running = false;
  #gone = false;

  constructor(host: Host, name: string, ifindex: number, mac: string, physical: boolean) {
    this.host = host;
    this.name = name;
    this.ifindex = ifindex;
    this.mac = mac;
    this.physical = physical;
  }

  get admin(): boolean {
    return this.#admin;
  }

  /** What the card's counters say, at once. */
  get carrier(): boolean {
    return this.#carrier;
  }

  /** How often it was lost or came back (`carrier_changes`). */
  get carrierChanges(): number {
    return this.#carrierChanges;
  }

  /** What the kernel believes, and says by netlink. */
  get running(): boolean {
    return this.#running;
  }

  set admin(admin: boolean) {
    this.#admin = admin;
    this.cable?.look();
    this.lag?.look();
    this.host.onCarrier();
  }

  /** Does it carry that address, for use? */
  has(address: string): boolean {
    for (const one of this.addresses) if (one.local === address && (one.flags & IFA_F.tentative) === 0) return true;
    return false;
  }

  /** Is it in the group, by whomever? */
  joined(group: string): boolean {
    return this.groups.programs.has(group) || this.groups.daemon.has(group);
  }

  /** Out of the host for good. */
  remove(): void {
    this.#gone = true;
    this.admin = false;
  }

  powered(): boolean {
    return this.#admin && !this.#gone;
  }

  carrierChanged(carrier: boolean): void {
    this.#carrier = carrier;
    this.#carrierChanges++;
    this.host.world.onTouched?.(this.host.name);
    this.host.onCarrier();
    const { clock } = this.host.world;
    const wait = this.physical && this.#admin ? Math.max(0, this.host.linkwatchAt + LINKWATCH_MS - clock.now) : 0;
    clock.after(Math.max(wait, EVENT_DELAY_MS), () => this.#notice());
  }

  #notice(): void {
    if (this.#gone || this.#running === this.#carrier) return;
    this.#running = this.#carrier;
    if (this.physical) this.host.linkwatchAt = this.host.world.clock.now;
    this.host.carrierNoticed(this);
  }

  transmit(frame: Frame): void {
    const outlet = this.lag === undefined ? this : this.lag.active;
    if (!this.#admin || !this.#carrier || !outlet?.cable) return;
    this.tx++;
    frame.packet?.trace.counted.push({ counters: this, counter: 'tx' });
    this.host.world.onSent?.(this.host.name, outlet.name, outlet.cable, frame);
    outlet.cable.send(outlet, frame, 0);
  }

  /** One frame of bytes. */
  transmitBytes(bytes: Uint8Array): void {
    if (!this.host.gate.letsOut(bytes)) return;
    const etherType = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
    const { onSpoken } = this.host.world;
    if (onSpoken && this.#carrier && (etherType === ETHERTYPE_ARP || etherType === ETHERTYPE_IPV6))
      onSpoken(this.host.name, bytes);
    this.transmit({ destination: readMac(bytes, 0), source: readMac(bytes, 6), etherType, bytes });
  }

  receive(frame: Frame, hops: number): void {
    if (frame.packet) {
      this.#take(frame);
      return;
    }
    this.host.world.clock.after(hops * CABLE_DELAY_MS, () => this.#take(frame));
  }

  #take(frame: Frame): void {
    if (!this.#admin || !this.#carrier) return;
    if (this.host.deafTo.size > 0 && this.host.deafTo.has(frame.source)) return;
    this.rx++;
    frame.packet?.trace.counted.push({ counters: this, counter: 'rx' });
    for (const macvlan of this.macvlans) if (macvlan.hear(frame)) return;
    if (frame.destination !== this.mac && !isGroupMac(frame.destination)) return;
    this.host.receive(this, frame);
  }
}
