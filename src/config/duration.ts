/** Durations of the cluster file: `200ms`, `1s`, `5m`, `2h`. */
import type { Ms } from '../input.js';

const UNIT: Record<string, Ms> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)$/;

/** Null if the text is no duration. */
export function parseDuration(text: string): Ms | null {
  const match = DURATION.exec(text);
  if (!match) return null;
  // Whole microseconds, so that 1.001s and 1001ms are the same.
  return Math.round(Number(match[1]) * UNIT[match[2]!]! * 1000) / 1000;
}

/** The shortest text that parses to the same: 1500 → `1.5s`, 200 → `200ms`. */
export function showDuration(ms: Ms): string {
  if (ms < 1000) return `${Number(ms.toFixed(3))}ms`;
  if (ms < 60_000 || ms % 60_000 !== 0) return `${Number((ms / 1000).toFixed(6))}s`;
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  return `${ms / 60_000}m`;
}
