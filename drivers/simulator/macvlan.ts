/**
 * A macvlan in bridge mode (drivers/net/macvlan.c): frames to its MAC are its own, group frames go to it and to the NIC
 * below, and what it sends leaves by that NIC's cable. It has a carrier where that one has.
 */
import { isGroupMac } from '../../src/frame/mac.js';
import type { Host } from './host.js';
import { Nic } from './nic.js';
import type { Frame } from './wire.js';

export class Macvlan extends Nic {
  readonly below: Nic;
  readonly alias: string;

  constructor(host: Host, name: string, ifindex: number, mac: string, below: Nic, alias: string) {
    super(host, name, ifindex, mac, false);
    this.below = below;
    this.alias = alias;
  }

  override get carrier(): boolean {
    return this.admin && this.below.carrier;
  }

  override get running(): boolean {
    return this.admin && this.below.running;
  }

  override transmit(frame: Frame): void {
    if (!this.admin) return;
    this.tx++;
    frame.packet?.trace.counted.push({ counters: this, counter: 'tx' });
    this.below.transmit(frame);
  }

  /** A frame that came in below. True: it is nobody else's. */
  hear(frame: Frame): boolean {
    if (!this.admin) return false;
    const isMine = frame.destination === this.mac;
    if (!isMine && !isGroupMac(frame.destination)) return false;
    this.rx++;
    frame.packet?.trace.counted.push({ counters: this, counter: 'rx' });
    this.host.receive(this, frame);
    return isMine;
  }
}
