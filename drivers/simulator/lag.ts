/**
 * A bond in mode active-backup, or a team that does the same: one of its ports sends and receives for all. It looks at their
 * carriers each `miimon`, takes another port when the active one has none, and then tells the net where its MAC is now
 * (Documentation/networking/bonding.rst: miimon, num_grat_arp).
 */
import { gratuitousRequest } from '../../src/frame/arp.js';
import { unsolicitedAdvertisement } from '../../src/frame/ndp.js';
import type { LagPort, Ms } from '../../src/input.js';
import { IFA_F } from './addresses.js';
import type { Cable, CableEnd } from './cable.js';
import type { Nic } from './nic.js';
import type { Frame } from './wire.js';

const MIIMON_MS: Ms = 100;

export class Port implements CableEnd {
  readonly lag: Lag;
  readonly name: string;
  cable: Cable | undefined;
  carrier = false;

  constructor(lag: Lag, name: string) {
    this.lag = lag;
    this.name = name;
  }

  powered(): boolean {
    return this.lag.nic.powered();
  }

  carrierChanged(carrier: boolean): void {
    this.carrier = carrier;
    this.lag.portChanged();
  }

  /** A port that waits hears the net and says nothing of it. */
  receive(frame: Frame, hops: number): void {
    if (this.lag.active === this) this.lag.nic.receive(frame, hops);
  }
}

export class Lag {
  readonly nic: Nic;
  readonly ports: readonly Port[];
  #active: Port | null = null;

  constructor(nic: Nic, ports: readonly string[]) {
    this.nic = nic;
    this.ports = ports.map((name) => new Port(this, name));
  }

  get active(): Port | null {
    return this.#active;
  }

  observed(): LagPort[] {
    return this.ports
      .map((port): LagPort => {
        if (!port.carrier) return { nic: port.name, state: 'down' };
        return { nic: port.name, state: port === this.#active ? 'active' : 'backup' };
      })
      .sort((a, b) => (a.nic < b.nic ? -1 : 1));
  }

  /** The bond was set up or down. */
  look(): void {
    for (const port of this.ports) port.cable?.look();
  }

  portChanged(): void {
    const { clock } = this.nic.host.world;
    clock.after(MIIMON_MS - (clock.now % MIIMON_MS), () => this.#choose());
  }

  #choose(): void {
    const { host } = this.nic;
    const before = this.#active;
    if (!before?.carrier) this.#active = this.ports.find((port) => port.carrier) ?? null;
    const carrier = this.#active !== null;
    if (carrier !== this.nic.carrier) this.nic.carrierChanged(carrier);
    else if (this.#active !== before) this.#announce();
    host.touched(this.nic.name);
  }

  #announce(): void {
    const { nic } = this;
    for (const { family, local, flags } of nic.addresses) {
      if ((flags & IFA_F.tentative) !== 0) continue;
      nic.transmitBytes(
        family === 4 ? gratuitousRequest(nic.mac, local) : unsolicitedAdvertisement(nic.mac, local, false),
      );
    }
  }
}
