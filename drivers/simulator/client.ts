/** A client: a host with one NIC that pings, keeps TCP connections, sends to a multicast group, and sees announcements. */
import { decodeArp, isGratuitous } from '../../src/frame/arp.js';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_ARP } from '../../src/frame/ethernet.js';
import { ipFamily } from '../../src/frame/ip.js';
import { decodeNdp } from '../../src/frame/ndp.js';
import type { Ms } from '../../src/input.js';
import type { AnnouncementSeen, ProbeReport, TcpReport } from '../lab.js';
import { Asker } from './asker.js';
import { Host } from './host.js';
import type { Nic } from './nic.js';
import type { Packet, Trace, World } from './wire.js';

export const CLIENT_NIC = 'eth0';
const PROBE_EVERY_MS: Ms = 1;
const GAP_MS: Ms = 5;
const LINE_EVERY_MS: Ms = 10;
/** Least retransmission time-out of Linux (TCP_RTO_MIN), doubled at each failure in a row. */
const RETRANSMIT_MS: Ms = 200;
const RETRANSMIT_MAX_MS: Ms = 120_000;
const STREAM_EVERY_MS: Ms = 20;

export type Announced = Omit<AnnouncementSeen, 'at' | 'client'>;

export class Client {
  readonly host: Host;
  readonly probes: Prober[] = [];
  readonly connections: Connection[] = [];
  readonly announcements: AnnouncementSeen[] = [];

  constructor(world: World, name: string, stuck: boolean) {
    this.host = new Host(world, name, stuck);
    this.host.onFrame = (_, bytes) => {
      const seen = announcementOf(bytes);
      if (seen) this.announcements.push({ at: world.clock.now, client: name, ...seen });
    };
  }

  get nic(): Nic {
    return this.host.nics.get(CLIENT_NIC)!;
  }

  probe(address: string): void {
    const prober = new Prober(this.host, address);
    this.probes.push(prober);
    prober.asker.start();
  }

  connect(address: string): void {
    const connection = new Connection(this.host, address);
    this.connections.push(connection);
    connection.asker.start();
  }

  /** Sends a datagram to the group every 20 ms, for ever. */
  stream(group: string): void {
    const { world } = this.host;
    const family = ipFamily(group);
    const source = this.host.sourceFor(this.nic, group) ?? '';
    const trace: Trace = { answered: () => {}, chance: null, counted: [] };
    const packet: Packet = { family, source, destination: group, what: 'datagram', trace };
    const send = (): void => {
      trace.counted.length = 0;
      this.host.multicast(packet, this.nic);
      world.clock.after(STREAM_EVERY_MS, send);
    };
    send();
  }
}

/** A question to that address that is walked at once, and answered or lost. Whoever has the address asks itself. */
function question(host: Host, address: string): (trace: Trace) => void {
  return (trace) => {
    if (host.owns(address)) {
      if (host.gate.lets(address)) trace.answered();
      return;
    }
    const way = host.routes.lookup(address);
    const source = way ? host.sourceFor(way.nic, way.gateway) : null;
    if (source !== null) host.send({ family: ipFamily(address), source, destination: address, what: 'echo', trace });
  };
}

export class Prober {
  readonly asker: Asker;
  readonly #address: string;
  readonly #host: Host;
  readonly #gaps: ProbeReport['gaps'] = [];
  #sent = 0;
  #answered = 0;
  #answeredAt: Ms;

  constructor(host: Host, address: string) {
    this.#host = host;
    this.#address = address;
    this.#answeredAt = host.world.clock.now;
    const random = host.random.stream(`probe ${address}`);
    this.asker = new Asker(host.world, random, {
      everyMs: PROBE_EVERY_MS,
      ask: question(host, address),
      heard: (answered, from, count) => this.#hear(answered, from, count),
    });
  }

  /** Times are the world's. */
  report(): ProbeReport {
    this.asker.settle();
    const { now } = this.#host.world.clock;
    const open = now - this.#answeredAt > GAP_MS ? [{ fromMs: this.#answeredAt, toMs: now }] : [];
    const { name: client } = this.#host;
    return {
      client,
      address: this.#address,
      gaps: [...this.#gaps, ...open],
      sent: this.#sent,
      answered: this.#answered,
    };
  }

  #hear(answered: boolean, from: Ms, count: number): void {
    this.#sent += count;
    if (!answered) return;
    this.#answered += count;
    if (from - this.#answeredAt > GAP_MS) this.#gaps.push({ fromMs: this.#answeredAt, toMs: from });
    this.#answeredAt = from + (count - 1) * PROBE_EVERY_MS;
  }
}

/** One TCP connection over which a line is echoed every 10 ms; a line that is lost waits for its retransmission. */
export class Connection {
  readonly asker: Asker;
  readonly #address: string;
  readonly #host: Host;
  #echoedAt: Ms;
  #pauseMaxMs: Ms = 0;
  #lines = 0;

  constructor(host: Host, address: string) {
    this.#host = host;
    this.#address = address;
    this.#echoedAt = host.world.clock.now;
    const random = host.random.stream(`connection ${address}`);
    this.asker = new Asker(host.world, random, {
      everyMs: LINE_EVERY_MS,
      ask: question(host, address),
      heard: (answered, from, count) => this.#hear(answered, from, count),
      retry: (failures) => Math.min(RETRANSMIT_MAX_MS, RETRANSMIT_MS * 2 ** (failures - 1)),
    });
  }

  report(): TcpReport {
    this.asker.settle();
    const pauseMs = this.#host.world.clock.now - this.#echoedAt;
    const alive = this.#lines > 0 && pauseMs < 1000;
    return { client: this.#host.name, address: this.#address, alive, pauseMaxMs: Math.max(this.#pauseMaxMs, pauseMs) };
  }

  #hear(answered: boolean, from: Ms, count: number): void {
    if (!answered) return;
    // Until the first echo there is no connection that could pause.
    if (this.#lines > 0) this.#pauseMaxMs = Math.max(this.#pauseMaxMs, from - this.#echoedAt);
    this.#lines += count;
    this.#echoedAt = from + (count - 1) * LINE_EVERY_MS;
  }
}

/** Null: the frame is none. */
export function announcementOf(bytes: Uint8Array): Announced | null {
  const etherType = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
  const payload = bytes.subarray(ETHERNET_HEADER_LENGTH);
  if (etherType === ETHERTYPE_ARP) {
    const arp = decodeArp(payload);
    if (typeof arp === 'string' || !isGratuitous(arp)) return null;
    return { address: arp.spa, mac: arp.sha, form: arp.op === 'request' ? 'arp-request' : 'arp-reply' };
  }
  const ndp = decodeNdp(payload);
  if (typeof ndp === 'string' || ndp.type !== 'neighbour-advertisement' || ndp.solicited) return null;
  return { address: ndp.target, mac: ndp.targetLinkLayer ?? '', form: 'neighbour-advertisement' };
}
