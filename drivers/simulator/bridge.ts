/**
 * A learning bridge (IEEE 802.1Q, 8.7 and 8.8). It believes that a MAC is where its last frame came from, and goes on
 * believing it until a frame comes from elsewhere, the port loses its carrier, or the entry is too old.
 */
import type { Ms } from '../../src/input.js';
import { ETHERTYPE_POLL } from '../../src/frame/ethernet.js';
import { isGroupMac } from '../../src/frame/mac.js';
import { Cable, type CableEnd } from './cable.js';
import type { Frame, World } from './wire.js';

/** IEEE 802.1Q table 8-6, recommended value. */
const AGEING_MS: Ms = 300_000;
/** Addresses 01:80:c2:00:00:00 to 0f are never forwarded (IEEE 802.1Q, 8.6.3). */
const LINK_LOCAL_GROUP = /^01:80:c2:00:00:0/;

const RECORDED_MAX = 50_000;
const REPLAY_EVERY_MS: Ms = 0.02;

export class Bridge {
  readonly name: string;
  readonly ports: Port[] = [];
  readonly #world: World;
  readonly #table = new Map<string, { port: Port; seenAt: Ms }>();
  #powered = true;
  #mute = false;
  /** Frames of baton that it has seen; null: nobody wants to know. */
  #recording: Frame[] | null = null;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  get powered(): boolean {
    return this.#powered;
  }

  /** Without power all ports lose their carrier, and the table is lost. */
  set powered(powered: boolean) {
    this.#powered = powered;
    for (const port of this.ports) port.cable?.look();
    this.#table.clear();
    this.#world.changed();
  }

  /** A mute bridge forwards nothing; its carriers stay. */
  set mute(mute: boolean) {
    this.#mute = mute;
    this.#world.changed();
  }

  get mute(): boolean {
    return this.#mute;
  }

  /** From now on it keeps the frames of baton that it sees. */
  record(): void {
    this.#recording ??= [];
  }

  /** All that was recorded once more, in the order seen, to every port but the one where the sender is. */
  replay(): void {
    for (const [n, frame] of [...(this.#recording ?? [])].entries()) {
      this.#world.clock.after(n * REPLAY_EVERY_MS, () => {
        const origin = this.whereIs(frame.source);
        for (const port of this.ports) if (port !== origin) port.cable?.send(port, frame, 0);
      });
    }
  }

  /** A new port; the cable is plugged in by `connect`. */
  port(): Port {
    const port = new Port(this);
    this.ports.push(port);
    return port;
  }

  /** Port on which the bridge believes that MAC to be. */
  whereIs(mac: string): Port | undefined {
    const entry = this.#table.get(mac);
    return entry !== undefined && this.#world.clock.now - entry.seenAt < AGEING_MS ? entry.port : undefined;
  }

  forward(port: Port, frame: Frame, hops: number): void {
    if (!this.#powered || this.#mute) return;
    if (this.#recording && isOurs(frame) && this.#recording.length < RECORDED_MAX) this.#recording.push(frame);
    this.#learn(frame.source, port);
    if (LINK_LOCAL_GROUP.test(frame.destination)) return;
    const known = isGroupMac(frame.destination) ? undefined : this.whereIs(frame.destination);
    if (known === port) return;
    if (known) known.cable?.send(known, frame, hops);
    else for (const other of this.ports) if (other !== port) other.cable?.send(other, frame, hops);
  }

  /** As Linux does for a port that lost its carrier. */
  flush(port: Port): void {
    for (const [mac, entry] of this.#table) if (entry.port === port) this.#table.delete(mac);
    this.#world.changed();
  }

  #learn(mac: string, port: Port): void {
    const entry = this.#table.get(mac);
    if (entry?.port === port) {
      entry.seenAt = this.#world.clock.now;
      return;
    }
    this.#table.set(mac, { port, seenAt: this.#world.clock.now });
    this.#world.changed();
  }
}

function isOurs(frame: Frame): boolean {
  return frame.datagram !== undefined || frame.etherType === ETHERTYPE_POLL;
}

export class Port implements CableEnd {
  readonly bridge: Bridge;
  cable: Cable | undefined;

  constructor(bridge: Bridge) {
    this.bridge = bridge;
  }

  powered(): boolean {
    return this.bridge.powered;
  }

  carrierChanged(carrier: boolean): void {
    if (!carrier) this.bridge.flush(this);
  }

  receive(frame: Frame, hops: number): void {
    this.bridge.forward(this, frame, hops);
  }
}

/** Joins two bridges. */
export function trunk(world: World, left: Bridge, right: Bridge): Cable {
  const one = left.port();
  const other = right.port();
  const cable = new Cable(world, `${left.name}-${right.name}`, one, other);
  one.cable = cable;
  other.cable = cable;
  cable.look();
  return cable;
}
