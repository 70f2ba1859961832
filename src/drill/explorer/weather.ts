/**
 * Weather that S10 promises to bear. Its 20 % are of the frames from one node to another, and each of these is lost on one
 * of several cables. By DESIGN 6 a node with one path and default timing is taken for lost when five beats in a row are lost,
 * and ten questions or their answers: for one pair about once in half a year at 20 % a way, once in three hours at 36 % (a
 * fifth on each of two cables), once in five minutes at 49 % (of three).
 */
import type { Random } from '../../../drivers/simulator/random.js';
import type { Scenario } from '../scenario.js';
import { chance, pick } from './dice.js';
import type { Drawn } from './topology.js';

type Topology = Scenario['topology'];

/** As faults, from the mildest to all at once. */
export function drawWeather(random: Random, { scenario }: Pick<Drawn, 'scenario'>): string[] {
  return [
    ...(chance(random, 0.7) ? [lossBetween(scenario.topology, pick(random, [5, 10, 20]))] : []),
    ...(chance(random, 0.5) ? [`duplicate ${pick(random, [10, 50])}%`] : []),
    ...(chance(random, 0.5) ? [`reorder ${pick(random, [10, 50])}%`] : []),
    ...(chance(random, 0.3) ? [`delay ${pick(random, [1, 5, 20])}ms`] : []),
  ];
}

/** The loss on every cable that loses no more than so many per cent between the two nodes that are farthest apart. */
export function lossBetween(topology: Pick<Topology, 'switches' | 'trunks'>, percent: number): string {
  const passes = (1 - percent / 100) ** (1 / cablesBetween(topology));
  return `loss ${Math.floor(100 * (1 - passes))}%`;
}

/** Each node's own, and the trunks between the switches that are farthest apart. */
function cablesBetween({ switches, trunks }: Pick<Topology, 'switches' | 'trunks'>): number {
  return 2 + Math.max(0, ...switches.map((from) => reach(from, trunks)));
}

/** Over how many trunks a frame goes to the farthest switch. */
function reach(from: string, trunks: readonly string[]): number {
  const seen = new Set([from]);
  for (let hops = 0; ; hops++) {
    const next = trunks
      .map((trunk) => trunk.split('-'))
      .filter((ends) => ends.some((end) => seen.has(end)))
      .flat()
      .filter((end) => !seen.has(end));
    if (next.length === 0) return hops;
    for (const end of next) seen.add(end);
  }
}
