/** From which NIC each MAC is sent. */
import type { Ms } from '../../src/input.js';
import type { Stay } from '../lab.js';
import type { World } from './wire.js';

export class PortWatch {
  /** A MAC left another NIC than before. */
  onMoved: (from: Stay, to: Stay) => void = () => {};
  readonly #stays = new Map<string, Stay[]>();
  /** MAC → by which cable it was sent last: a NIC that was renamed still hangs on its port. */
  readonly #cables = new Map<string, object>();

  constructor(world: World) {
    world.onSent = (node, nic, cable, { source: mac }) => {
      const { now } = world.clock;
      const stays = this.#stays.get(mac) ?? [];
      this.#stays.set(mac, stays);
      const last = stays.at(-1);
      if (last && this.#cables.get(mac) === cable) last.toMs = now;
      else {
        this.#cables.set(mac, cable);
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
