/** An outage as people read it: below ten seconds to the millisecond. */
import type { Ms } from '../../input.js';
import { span } from './words.js';

export function outageText({ ms }: { ms: Ms }): string {
  if (ms === 0) return 'not';
  return ms < 10_000 ? `${Math.round(ms)} ms` : span(ms);
}
