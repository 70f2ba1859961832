/** From which NIC each MAC is sent. */
import type { Ms } from '../../src/input.js';
import type { Stay } from '../lab.js';
import type { World } from './wire.js';

export class PortWatch {
  /** A MAC left another NIC than before. */
  onMoved: (from: Stay, to: Stay) => void = () => {};
  readonly #stays = new Map<string, Stay[]>();

  constructor(world: World) {
    world.onSent = (node, nic, { source: mac }) => {
      const { now } = world.clock;
      const stays = this.#stays.get(mac) ?? [];
      this.#stays.set(mac, stays);
      const last = stays.at(-1);
      if (last?.node === node && last.nic === nic) last.toMs = now;
      else {
        const fresh = { mac, node, nic, fromMs: now, toMs: now };
        stays.push(fresh);
        if (last) this.onMoved(last, fresh);
      }
    };
  }

  /** Times are counted from `zero`. */
  stays(zero: Ms = 0): Stay[] {
    const all = [...this.#stays.values()].flat();
    return all.map((stay) => ({ ...stay, fromMs: stay.fromMs - zero, toMs: stay.toMs - zero }));
  }
}
