/** Seeded numbers whose whole state is one number, so that it can live in the node's plain state. Algorithm: mulberry32. */

/** Draws the next number in [0, 1) and moves the state on. */
export function draw(state: { seed: number }): number {
  state.seed = (state.seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state.seed ^ (state.seed >>> 15), 1 | state.seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}
