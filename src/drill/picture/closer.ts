/** The lanes about one moment, in milliseconds: folded away until somebody asks for them. */
import type { Ms } from '../../input.js';
import { chart } from './chart.js';
import type { Lanes } from './drill-lanes.js';
import type { Lane } from './lane.js';
import { markup, type Markup } from './markup.js';
import type { Act } from './part.js';
import { milliseconds } from './span.js';

/** More of them make a page that does not open at once. */
export const CLOSER_MAX = 24;
const CLOSER_MIN_MS = 20;
/** What a closer look shows up to the last of. */
const TELLING: readonly string[] = [
  ...['nic-health', 'switch-started', 'switch-done', 'announced', 'role', 'coordinator', 'lease', 'gate', 'package'],
  ...['peer-health', 'rerouted', 'placed', 'voters'],
];

/** Moments at which something changed that a lane shows, by time. */
export function tellingMoments({ journal }: Lanes): Ms[] {
  return journal.filter(({ event }) => TELLING.includes(event)).map(({ at }) => at);
}

/** From shortly before `fromMs` to shortly after `toMs`, lanes without a bar there left out. */
export function closer(
  title: string,
  { groups }: Lanes,
  acts: readonly Act[],
  { fromMs, toMs }: { fromMs: Ms; toMs: Ms },
): Markup {
  const span: Ms = Math.max(CLOSER_MIN_MS, toMs - fromMs);
  const [from, to] = [fromMs - span * 0.06, fromMs + span * 1.08];
  const telling = groups.map((group) => ({ ...group, lanes: group.lanes.filter((lane) => isSeen(lane, from, to)) }));
  return markup`<details class="closer"><summary>closer, ${milliseconds(to - from)}</summary>${chart({ title, fromMs: from, toMs: to, groups: telling, acts })}</details>`;
}

function isSeen({ segments }: Lane, from: Ms, to: Ms): boolean {
  return segments.some(({ fromMs, toMs }) => toMs > from && fromMs < to);
}
