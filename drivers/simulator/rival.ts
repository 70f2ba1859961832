/**
 * A network manager that minds one NIC, as systemd-networkd and NetworkManager do: at carrier loss it strips addresses and
 * routes off, at carrier return it puts back what it had seen.
 */
import type { Address, Ms, Route } from '../../src/input.js';
import { addAddress, deleteAddress, IFA_F } from './addresses.js';
import type { Host } from './host.js';
import type { Nic } from './nic.js';
import { isLinkLocal } from './prefix.js';

const STRIP_MS: Ms = 5;
const RESTORE_MS: Ms = 20;
/** Between the last address and the first route: so that they come while the daemon mends the address. */
const ROUTES_LATER_MS: Ms = 1;
const PROTOCOL_KERNEL = 2;

export class Rival {
  readonly #host: Host;
  readonly #nic: string;
  readonly #addresses: Address[];
  readonly #routes: Route[];

  /** Minds the NIC from now on; what it has now is what it had seen. */
  constructor(host: Host, nic: Nic) {
    this.#host = host;
    this.#nic = nic.name;
    this.#addresses = nic.addresses.filter((held) => !isLinkLocal(held.local)).map((held) => ({ ...held }));
    this.#routes = host.routes.list.filter((route) => route.nic === nic.name && route.protocol !== PROTOCOL_KERNEL);
    host.onCarrierNoticed = (changed) => {
      if (changed.name !== this.#nic) return;
      if (changed.running) host.world.clock.after(RESTORE_MS, () => this.#restore());
      else host.world.clock.after(STRIP_MS, () => this.#strip());
    };
  }

  leave(): void {
    this.#host.onCarrierNoticed = () => {};
  }

  #strip(): void {
    const nic = this.#host.nics.get(this.#nic);
    if (!nic || nic.running) return;
    for (const held of nic.addresses.filter((one) => !isLinkLocal(one.local))) deleteAddress(this.#host, nic, held);
    this.#host.routes.removeWhere((route) => route.nic === this.#nic && route.protocol !== PROTOCOL_KERNEL);
  }

  #restore(): void {
    const nic = this.#host.nics.get(this.#nic);
    if (!nic?.running) return;
    for (const held of this.#addresses) addAddress(this.#host, nic, { ...held, flags: held.flags | IFA_F.nodad });
    this.#host.world.clock.after(ROUTES_LATER_MS, () => {
      for (const route of this.#routes) this.#host.routes.put(route, 'replace');
    });
  }
}
