/** A drill as text, one line an event: when, at whom, what. Equal drills are equal texts. */
import type { Ms } from '../../src/input.js';

export interface TraceLine {
  at: Ms;
  who: string;
  text: string;
}

/** `zero` is where the drill's own time begins; lines before it have negative times. */
export function writeTrace(lines: readonly TraceLine[], zero: Ms): string {
  const ordered = [...lines].sort((a, b) => a.at - b.at);
  return ordered
    .map(({ at, who, text }) => `${(at - zero).toFixed(3).padStart(12)} ${who.padEnd(8)} ${text}\n`)
    .join('');
}
