/**
 * A host: its NICs and what its kernel does with addresses, routes and neighbours. It answers for its addresses on any
 * NIC (RFC 1122 section 3.3.4.2, weak end system), as Linux does.
 */
import { ETHERTYPE_IPV6 } from '../../src/frame/ethernet.js';
import { groupMac, ipFamily } from '../../src/frame/ip.js';
import type { Ms } from '../../src/input.js';
import { IFA_F, setDown, setUp } from './addresses.js';
import { Cable, type CableEnd } from './cable.js';
import { Gate } from './gate.js';
import { HostClock } from './host-clock.js';
import { Lag } from './lag.js';
import { Neighbours } from './neighbours.js';
import { Macvlan } from './macvlan.js';
import { Nic } from './nic.js';
import { networkOf, covers } from './prefix.js';
import type { Random } from './random.js';
import { Routes } from './routes.js';
import { Sysctls } from './sysctls.js';
import type { Datagram, Frame, Packet, World } from './wire.js';

export class Host {
  readonly world: World;
  readonly name: string;
  readonly random: Random;
  readonly nics = new Map<string, Nic>();
  readonly routes: Routes;
  readonly neighbours: Neighbours;
  readonly sysctls = new Sysctls();
  readonly clock: HostClock;
  readonly gate: Gate;
  /** MACs whose frames do not reach it. */
  readonly deafTo = new Map<string, number>();
  /** How often it lost its power. */
  boot = 0;
  powered = true;
  /** Of its own clock. */
  bootedAt: Ms = 0;
  /** What each call of netlink or nftables takes beside its own time. */
  slowMs: Ms = 0;
  /** So long in all were calls of the daemon's hands held so far, the one under way in full. */
  heldMs: Ms = 0;
  /** When the kernel last looked at the carrier of a physical card. */
  linkwatchAt = -Infinity;
  /** Netlink: something of that NIC changed. */
  onTouched: (nic: string) => void = () => {};
  /** Packet sockets: every frame of bytes for this host. */
  onFrame: (nic: string, bytes: Uint8Array) => void = () => {};
  /** The counters of some NIC tell another carrier, at once. */
  onCarrier: () => void = () => {};
  /** The kernel noticed it. */
  onCarrierNoticed: (nic: Nic) => void = () => {};
  onDatagram: (packet: Packet) => void = () => {};
  /** A UDP datagram for an address of the host came in on that NIC. */
  onUdp: (nic: string, datagram: Datagram) => void = () => {};
  #nextIfindex = 2;

  constructor(world: World, name: string, stuck = false) {
    this.world = world;
    this.name = name;
    this.random = world.random.stream(`host ${name}`);
    this.routes = new Routes(this);
    this.neighbours = new Neighbours(this, stuck);
    this.clock = new HostClock(world.clock);
    this.gate = new Gate(world, this.clock, this.random.stream('gate'));
  }

  /** All links are dead at once, and with the kernel goes all that it held. */
  powerOff(): void {
    this.powered = false;
    this.boot++;
    this.gate.forget();
    for (const nic of [...this.nics.values()]) {
      if (nic instanceof Macvlan) {
        this.unplug(nic.name);
        continue;
      }
      setDown(this, nic);
      nic.addresses.length = 0;
      nic.groups.programs.clear();
      nic.groups.daemon.clear();
      this.neighbours.flush(nic.name, false);
      this.sysctls.forget(nic.name);
    }
    this.routes.removeWhere(() => true);
  }

  /** The kernel is back, its NICs are up. */
  powerOn(): void {
    this.powered = true;
    this.bootedAt = this.clock.now;
    for (const nic of this.nics.values()) setUp(this, nic);
  }

  /** A new NIC, plugged into `end` and set up. */
  plug(name: string, mac: string, end: CableEnd & { cable: Cable | undefined }, physical: boolean): Nic {
    const nic = new Nic(this, name, this.#nextIfindex++, mac, physical);
    this.nics.set(name, nic);
    nic.cable = new Cable(this.world, `${this.name}.${name}`, nic, end);
    end.cable = nic.cable;
    setUp(this, nic);
    return nic;
  }

  /** A bond over ports that are plugged into these ends, set up. */
  bond(name: string, mac: string, ends: Readonly<Record<string, CableEnd & { cable: Cable | undefined }>>): Nic {
    const nic = new Nic(this, name, this.#nextIfindex++, mac, false);
    this.nics.set(name, nic);
    nic.lag = new Lag(nic, Object.keys(ends));
    for (const port of nic.lag.ports) {
      const end = ends[port.name]!;
      port.cable = new Cable(this.world, `${this.name}.${port.name}`, port, end);
      end.cable = port.cable;
    }
    setUp(this, nic);
    return nic;
  }

  /** Set down, on the NIC `below`. */
  addMacvlan(name: string, mac: string, below: Nic, alias: string): void {
    const macvlan = new Macvlan(this, name, this.#nextIfindex++, mac, below, alias);
    this.nics.set(name, macvlan);
    below.macvlans.push(macvlan);
    this.touched(name);
    this.touched(below.name);
  }

  /** The card is taken out; all that hung on it goes. */
  unplug(name: string): void {
    const nic = this.nics.get(name);
    if (!nic) return;
    for (const macvlan of [...nic.macvlans]) this.unplug(macvlan.name);
    if (nic instanceof Macvlan) nic.below.macvlans.splice(nic.below.macvlans.indexOf(nic), 1);
    setDown(this, nic);
    nic.remove();
    nic.addresses.length = 0;
    this.sysctls.forget(name);
    this.nics.delete(name);
    this.touched(name);
  }

  /** While it is up, as Linux allows since 6.2: all that hangs on it stays. */
  rename(from: string, to: string): void {
    const nic = this.nics.get(from);
    if (!nic || this.nics.has(to)) return;
    this.nics.delete(from);
    nic.name = to;
    nic.formerName = from;
    for (const held of nic.addresses) if (held.label === from) held.label = to;
    this.nics.set(to, nic);
    this.routes.rename(from, to);
    this.neighbours.rename(from, to);
    this.sysctls.rename(from, to);
    this.touched(from);
    this.touched(to);
  }

  touched(nic: string): void {
    this.world.changed();
    this.world.onTouched?.(this.name);
    this.onTouched(nic);
  }

  carrierNoticed(nic: Nic): void {
    if (!nic.running) this.neighbours.flush(nic.name, true);
    this.onCarrierNoticed(nic);
    this.touched(nic.name);
  }

  sysctl(group: string, nic: string, key: string): string | undefined {
    return this.sysctls.read(group, nic, key);
  }

  /** The larger of the NIC's value and that of `all`, as the kernel takes most of them. */
  effective(group: string, nic: string, key: string): number {
    return Math.max(Number(this.sysctls.read(group, 'all', key)), Number(this.sysctls.read(group, nic, key)));
  }

  /** Has any NIC that address, and may it be used? */
  owns(address: string): boolean {
    for (const nic of this.nics.values()) if (nic.has(address)) return true;
    return false;
  }

  /** Without `arp_ignore` a NIC answers for every address of the host. */
  answersArp(nic: Nic, address: string): boolean {
    if (!this.owns(address)) return false;
    return nic.has(address) || this.effective('ipv4/conf', nic.name, 'arp_ignore') === 0;
  }

  answersSolicitation(nic: Nic, address: string): boolean {
    return nic.has(address);
  }

  /** The address of that NIC from which a packet to `destination` leaves; null if it has none. */
  sourceOn(nic: Nic, destination: string): string | null {
    const family = ipFamily(destination);
    const usable = nic.addresses.filter((one) => one.family === family && (one.flags & IFA_F.tentative) === 0);
    const near = usable.find((one) => covers(networkOf(one.local, one.prefixLength), destination));
    return (near ?? usable[0])?.local ?? null;
  }

  /**
   * Which address of its own the host names when it asks for that neighbour; null if it has none to name. A NIC without an
   * address lends one of another NIC (inet_select_addr), whatever arp_announce says.
   */
  sourceFor(nic: Nic, address: string): string | null {
    const own = this.sourceOn(nic, address);
    if (own !== null || ipFamily(address) === 6) return own;
    for (const other of this.nics.values()) {
      const lent = other.addresses.find(
        (one) => one.family === 4 && covers(networkOf(one.local, one.prefixLength), address),
      );
      if (lent) return lent.local;
    }
    return null;
  }

  receive(nic: Nic, frame: Frame): void {
    if (frame.datagram) {
      const { destination } = frame.datagram;
      if (this.owns(destination) && this.gate.lets(destination)) this.onUdp(nic.name, frame.datagram);
      return;
    }
    if (frame.packet) {
      this.#arrive(nic, frame.packet);
      return;
    }
    this.neighbours.hear(nic, frame);
    this.onFrame(nic.name, frame.bytes);
  }

  /** By the routes, or out of `nic` to a neighbour on its link. What waits for a MAC is sent when that is known, unless it is only a trace. */
  send(packet: Packet, out?: Nic, preferred?: Nic): void {
    const way = out ? { nic: out, gateway: packet.destination } : this.routes.lookup(packet.destination, preferred);
    if (!way) return;
    const { nic, gateway } = way;
    const again = packet.trace.chance === null ? () => this.send(packet, out, preferred) : undefined;
    const mac = this.neighbours.resolve(nic, gateway, again);
    if (mac !== null) this.#transmit(nic, mac, packet);
  }

  /** From a socket bound to an address and a NIC: nothing leaves if the NIC does not have the address, or has no carrier. */
  sendDatagram(out: string, datagram: Datagram): void {
    const nic = this.nics.get(out);
    if (nic && nic.has(datagram.source)) this.#sendDatagram(nic, datagram.destination, datagram);
  }

  /** From a socket that is bound to nothing: as the routes say. */
  routeDatagram(destination: string, port: number, content: unknown): void {
    const way = this.routes.lookup(destination);
    const source = way ? this.sourceOn(way.nic, destination) : null;
    if (!way || source === null) return;
    const datagram = { family: ipFamily(destination), source, destination, port, content };
    this.#sendDatagram(way.nic, way.gateway, datagram);
  }

  #sendDatagram(nic: Nic, neighbour: string, datagram: Datagram): void {
    if (!nic.admin || !nic.carrier || !this.gate.lets(datagram.source)) return;
    const mac = this.neighbours.resolve(nic, neighbour, () => this.#sendDatagram(nic, neighbour, datagram));
    if (mac === null) return;
    const etherType = datagram.family === 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    nic.transmit({ destination: mac, source: nic.mac, etherType, bytes: NOTHING, datagram });
  }

  /** To a multicast group, out of one NIC. */
  multicast(packet: Packet, nic: Nic): void {
    this.#transmit(nic, groupMac(packet.destination), packet);
  }

  #transmit(nic: Nic, destination: string, packet: Packet): void {
    if (!this.gate.lets(packet.source)) return;
    const etherType = packet.family === 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    nic.transmit({ destination, source: nic.mac, etherType, bytes: NOTHING, packet });
  }

  #arrive(nic: Nic, packet: Packet): void {
    if (packet.what === 'datagram') {
      if (nic.joined(packet.destination)) this.onDatagram(packet);
      return;
    }
    if (!this.owns(packet.destination) || !this.gate.lets(packet.destination)) return;
    if (packet.what === 'echo-answer') {
      packet.trace.answered();
      return;
    }
    const answer: Packet = { ...packet, source: packet.destination, destination: packet.source, what: 'echo-answer' };
    this.send(answer, undefined, nic);
  }
}

const NOTHING = new Uint8Array(0);
const ETHERTYPE_IPV4 = 0x0800;
