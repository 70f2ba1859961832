/** Times in words, for bars and tables. */
import type { Ms } from '../../input.js';

/** `0.4 ms`, `17.2 ms`, `1001 ms`, `12.4 s`. */
export function milliseconds(span: Ms): string {
  if (span < 100) return `${span.toFixed(1)} ms`;
  return span < 10_000 ? `${span.toFixed(0)} ms` : `${(span / 1000).toFixed(1)} s`;
}

/** A moment of the drill: `4.001 s`. */
export function moment(at: Ms): string {
  return `${(at / 1000).toFixed(3)} s`;
}
