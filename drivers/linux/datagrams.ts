/**
 * Heartbeat sockets: one for each of this node's own addresses on the nets that carry heartbeat, bound to the address and
 * to the NIC that has it, so that neither a default route nor another NIC ever stands in for a dead path (DESIGN 6).
 *
 *   host-observed ──▶ which NIC has the address ──▶ socket (address, NIC)   bound anew when the address moves
 *                                                   stray (address)         gets what comes in by any other NIC
 *
 * What a stray socket gets is handed in with the NIC where it came in: the machine says `wrong-net` and counts it.
 * Without that socket the kernel would answer it with "port unreachable", and nobody would learn of the wrong cabling.
 */
import type { Cluster, ClusterNode } from '../../src/config/cluster.js';
import { formatIp, ipBytes, parseIp } from '../../src/frame/ip.js';
import type { Input } from '../../src/input.js';
import { DatagramSocket } from './datagram-socket.js';
import type { Nics } from './nics.js';

export type DatagramReceived = Extract<Input, { kind: 'datagram-received' }>;

export interface HeartbeatAddress {
  /** Canonical text. */
  address: string;
  /** NICs of its net on this node. */
  nics: string[];
}

/** What is looked at of a NicObservation. */
export interface AddressesSeen {
  nic: string;
  ifindex: number;
  addresses: readonly { local: string }[];
}

interface Bound {
  nic: string;
  ifindex: number;
  socket: DatagramSocket;
}

/** Own addresses of the file on nets that carry heartbeat; none where there is nobody to talk to. */
export function heartbeatAddresses(cluster: Cluster, self: ClusterNode): HeartbeatAddress[] {
  if (cluster.nodes.length < 2) return [];
  const carrying = new Set(cluster.nets.filter((net) => net.heartbeat !== undefined).map((net) => net.name));
  return self.nets
    .filter(({ net }) => carrying.has(net))
    .flatMap(({ primary, standby, addresses }) =>
      addresses.map(({ address }) => ({ address, nics: [primary, ...standby] })),
    );
}

export class Datagrams {
  readonly #nics: Nics;
  readonly #port: number;
  readonly #wanted: readonly HeartbeatAddress[];
  readonly #take: (input: DatagramReceived) => void;
  readonly #drop: (reason: string) => void;
  readonly #bound = new Map<string, Bound>();
  readonly #stray: DatagramSocket[] = [];
  #enter: () => void = () => undefined;
  #leave: () => void = () => undefined;

  constructor(
    nics: Nics,
    port: number,
    wanted: readonly HeartbeatAddress[],
    take: (input: DatagramReceived) => void,
    drop: (reason: string) => void,
  ) {
    this.#nics = nics;
    this.#port = port;
    this.#wanted = wanted;
    this.#take = take;
    this.#drop = drop;
    nics.watch({
      appeared: () => undefined,
      vanished: (nic, ifindex) => this.#forget(nic, (_, bound) => bound.ifindex === ifindex),
    });
  }

  /** As `PacketSocket.start`, for the sockets there are and those to come. */
  start(enter: () => void, leave: () => void): void {
    this.#enter = enter;
    this.#leave = leave;
    for (const { address } of this.#wanted) {
      const socket = this.#open(address, null);
      if (socket !== null) this.#stray.push(socket);
    }
  }

  /** Binds to where the kernel has the addresses now. An address that it does not let be used yet is tried again at the next look. */
  follow(observed: readonly AddressesSeen[], missing: readonly string[]): void {
    for (const nic of missing) this.#forget(nic, () => true);
    for (const { nic, ifindex, addresses } of observed) {
      const has = (address: string): boolean => addresses.some(({ local }) => local === address);
      this.#forget(nic, (address, bound) => bound.ifindex !== ifindex || !has(address));
    }
    for (const { address, nics } of this.#wanted) {
      if (this.#bound.has(address)) continue;
      const holders = observed.filter(({ addresses }) => addresses.some(({ local }) => local === address));
      // While two have it, the one that comes first in the file.
      holders.sort((a, b) => nics.indexOf(a.nic) - nics.indexOf(b.nic));
      const holder = holders.find(({ nic }) => nics.includes(nic));
      const socket = holder && this.#open(address, holder.nic);
      if (socket) this.#bound.set(address, { nic: holder.nic, ifindex: holder.ifindex, socket });
    }
  }

  /** Takes a copy; it is sent by `flush`, or before when the batch is full. */
  send(nic: string, from: string, to: string, bytes: Uint8Array): void {
    const bound = this.#bound.get(from);
    if (bound?.nic !== nic) return this.#drop('datagram-from-nowhere');
    const target = parseIp(to);
    if (target === null) return this.#drop('datagram-target');
    bound.socket.add(target, bytes);
  }

  flush(): void {
    for (const { socket } of this.#bound.values()) socket.flush();
  }

  drain(): void {
    for (const { socket } of this.#bound.values()) socket.drain();
    for (const socket of this.#stray) socket.drain();
  }

  close(): void {
    for (const { socket } of this.#bound.values()) socket.close();
    for (const socket of this.#stray) socket.close();
    this.#bound.clear();
    this.#stray.length = 0;
  }

  #open(address: string, nic: string | null): DatagramSocket | null {
    try {
      const socket = new DatagramSocket(
        { address: ipBytes(address), port: this.#port, nic },
        (from, arrival, bytes) => this.#receive(address, nic, from, arrival, bytes),
        this.#drop,
      );
      socket.start(
        () => this.#enter(),
        () => this.#leave(),
      );
      return socket;
    } catch (error) {
      // The NIC or the address went away at this moment, or is tentative; or the host has no IPv6; or another has the port.
      this.#drop(`datagram-unbound-${((error as NodeJS.ErrnoException).code ?? 'unknown').toLowerCase()}`);
      return null;
    }
  }

  #receive(to: string, boundNic: string | null, from: Uint8Array, arrival: number, bytes: Uint8Array): void {
    const nic = boundNic ?? this.#nics.nameOf(arrival);
    if (nic === undefined) return this.#drop('datagram-of-a-foreign-nic');
    this.#take({ kind: 'datagram-received', nic, to, from: formatIp(from), bytes: bytes.slice() });
  }

  #forget(nic: string, which: (address: string, bound: Bound) => boolean): void {
    for (const [address, bound] of this.#bound) {
      if (bound.nic !== nic || !which(address, bound)) continue;
      bound.socket.close();
      this.#bound.delete(address);
    }
  }
}
