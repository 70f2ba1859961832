/** What draws make of dice. */
import type { Random } from '../../../drivers/simulator/random.js';
import type { Ms } from '../../input.js';

export function chance(random: Random, probability: number): boolean {
  return random.unit() < probability;
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random.unit() * from.length)]!;
}

/** Each with its weight. */
export function weighted<T>(random: Random, from: readonly (readonly [number, T])[]): T {
  let left = random.unit() * from.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, value] of from) if ((left -= weight) < 0) return value;
  return from.at(-1)![1];
}

export function shuffled<T>(random: Random, from: readonly T[]): T[] {
  const left = [...from];
  const drawn: T[] = [];
  while (left.length > 0) drawn.push(...left.splice(Math.floor(random.unit() * left.length), 1));
  return drawn;
}

/** Short ones as often as long ones, by their order of magnitude; whole milliseconds. */
export function spanOf(random: Random, [from, to]: readonly [Ms, Ms]): Ms {
  return Math.round(from * (to / from) ** random.unit());
}
