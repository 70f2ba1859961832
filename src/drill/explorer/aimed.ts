/**
 * Aimed schedules: where drawn blows would meet too seldom, an aim lets them fall together, with everything that does not
 * matter to it left out. Each has dice of its own, so that its seeds stay what they are when others change.
 */
import { Random } from '../../../drivers/simulator/random.js';
import { BLINDNESS } from './aim/blindness.js';
import { CUT_OFF } from './aim/cut-off.js';
import type { Aimed } from './aim/ground.js';
import { HOUSEWORK } from './aim/housework.js';
import { OFFICE } from './aim/office.js';
import { pick } from './dice.js';

/** What an aim tries, in words, and how. */
export interface Aim {
  tries: string;
  draw: (random: Random) => Aimed;
}

export const AIMS: Readonly<Record<string, Aim>> = { ...CUT_OFF, ...OFFICE, ...BLINDNESS, ...HOUSEWORK };

const SHARE = 0.2;

/** The aim that a seed has by itself; null: none. */
export function aimOf(seed: number): string | null {
  const random = new Random(seed).stream('aim');
  return random.unit() < SHARE ? pick(random, Object.keys(AIMS)) : null;
}

export function drawAimed(name: string, seed: number): Aimed {
  const aim = AIMS[name];
  if (aim === undefined) throw new Error(`there is no aim "${name}"; there are ${Object.keys(AIMS).join(', ')}`);
  return aim.draw(new Random(seed).stream(`aim ${name}`));
}
