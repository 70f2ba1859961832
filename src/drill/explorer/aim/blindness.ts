/** Cards and paths of which nobody can tell whether they work. */
import type { Random } from '../../../../drivers/simulator/random.js';
import type { Ms } from '../../../input.js';
import type { Aim } from '../aimed.js';
import { pick } from '../topology.js';
import { drawGround, FORMED_MS, schedule, strike, type Aimed } from './ground.js';

const LONG: Ms = 60_000;

function standbyThenPrimary(random: Random): Aimed {
  const drawn = drawGround('standby-then-primary', { nodes: pick(random, [1, 2]), standby: true, timing: 'default' });
  const first = FORMED_MS + 2000;
  return {
    drawn,
    schedule: schedule([
      strike(first, 'cut alpha.eth1', LONG),
      strike(first + random.between(100, 3000), 'cut alpha.eth0', LONG),
    ]),
  };
}

export const BLINDNESS: Record<string, Aim> = {
  'standby-then-primary': { tries: 'the standby is dead, then the primary dies', draw: standbyThenPrimary },
};
