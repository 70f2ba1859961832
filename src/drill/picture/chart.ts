/** Lanes over time as SVG: one drawing for the labels, which stay in view, and one for the bars, which scrolls where it must. */
import type { Ms } from '../../input.js';
import type { Lane, LaneGroup, Segment } from './lane.js';
import { markup, type Markup } from './markup.js';
import type { Act } from './part.js';
import { moment } from './span.js';
import { flagRows, timeAxis, type TimeAxis } from './time-axis.js';

export interface ChartData {
  title: string;
  fromMs: Ms;
  toMs: Ms;
  groups: LaneGroup[];
  /** Numbered from 1 in this order. */
  acts: readonly Act[];
}

export const PLOT_PX = 1000;
const LABELS_PX = 176;
const LANE_PX = 20;
const BAR_PX = 14;
const THIN_PX = 8;
const TITLE_PX = 24;
const TICKS_PX = 20;
const FLAG_PX = 18;
const CHARACTER_PX = 6.1;
/** Narrower bars have no words. */
const WORD_PX = 22;
/** So that a blow of a millisecond is seen. */
const BAR_MIN_PX = 2.5;

interface Placed {
  group: LaneGroup;
  y: number;
  lanes: { lane: Lane; y: number }[];
  endY: number;
}

export function chart(data: ChartData): Markup {
  const axis = timeAxis(data.fromMs, data.toMs, PLOT_PX);
  const shown = data.acts
    .map((act, i) => ({ ...act, number: i + 1, x: axis.x(act.at) }))
    .filter(({ at }) => at >= axis.fromMs && at <= axis.toMs);
  const rows = flagRows(
    shown.map(({ x }) => x),
    FLAG_PX + 2,
  );
  const flagsPx = (Math.max(-1, ...rows) + 1) * FLAG_PX + 6;
  const top = flagsPx + TICKS_PX;
  const placed = place(data.groups, top);
  const height = (placed.at(-1)?.endY ?? top) + 6;
  const flags = shown.map((act, i) => flag(act, flagsPx - 10 - rows[i]! * FLAG_PX, height));
  return markup`<div class="chart">
<svg class="labels" width="${LABELS_PX}" height="${height}" viewBox="0 0 ${LABELS_PX} ${height}" preserveAspectRatio="xMinYMin slice" aria-hidden="true">${placed.map(labels)}</svg>
<div class="plot" tabindex="0" role="region" aria-label="${data.title}"><svg width="${PLOT_PX}" height="${height}" viewBox="0 0 ${PLOT_PX} ${height}" role="img" aria-label="${data.title}" data-from="${axis.fromMs}" data-to="${axis.toMs}">
<g class="axis">${axis.ticks.map((tick) => tickMark(tick, flagsPx, top, height))}</g>
${placed.map((one) => bars(one, axis))}
<g class="flags">${flags}</g>
</svg></div></div>`;
}

function place(groups: readonly LaneGroup[], top: number): Placed[] {
  let y = top;
  return groups.map((group) => {
    const from = y;
    const lanes = group.lanes.map((lane, i) => ({ lane, y: from + TITLE_PX + i * LANE_PX }));
    y = from + TITLE_PX + lanes.length * LANE_PX + 4;
    return { group, y: from, lanes, endY: y };
  });
}

function labels({ group, y, lanes }: Placed): Markup {
  const swatch = group.tone
    ? markup`<rect class="swatch ${group.tone}" x="2" y="${y + 8}" width="10" height="10" rx="2"/>`
    : null;
  return markup`<g><line class="rule" x1="0" x2="${LABELS_PX}" y1="${y + 2}" y2="${y + 2}"/>${swatch}
<text class="group" x="${group.tone ? 18 : 2}" y="${y + 17}">${group.title}</text>
${lanes.map(
  ({ lane, y: top }) =>
    markup`<text class="lane" x="8" y="${top + 14}">${clip(lane.label, LABELS_PX - 14)}<title>${lane.detail ?? lane.label}</title></text>`,
)}</g>`;
}

function tickMark({ x, text }: TimeAxis['ticks'][number], flagsPx: number, top: number, height: number): Markup {
  const anchor = x < 12 ? 'start' : x > PLOT_PX - 14 ? 'end' : 'middle';
  return markup`<line x1="${x}" x2="${x}" y1="${top - 4}" y2="${height}"/><text x="${x}" y="${flagsPx + 12}" text-anchor="${anchor}">${text}</text>`;
}

/** A blow is a pointed flag, what heals it a round one, a command a square one. */
function flag(act: Act & { number: number; x: number }, y: number, height: number): Markup {
  const x = Math.min(PLOT_PX - 9, Math.max(9, act.x));
  const shape =
    act.kind === 'fault'
      ? markup`<path d="M${x - 9} ${y - 8}h18v11l-9 8l-9 -8z"/>`
      : act.kind === 'heal'
        ? markup`<circle cx="${x}" cy="${y}" r="9"/>`
        : markup`<rect x="${x - 9}" y="${y - 8}" width="18" height="16"/>`;
  return markup`<g class="flag ${act.kind}"><title>${act.number}: ${act.kind} ${act.what} at ${moment(act.at)}</title>
<line x1="${act.x}" x2="${act.x}" y1="${y + 8}" y2="${height}"/>${shape}<text x="${x}" y="${y + 4}" text-anchor="middle">${act.number}</text></g>`;
}

function bars({ group, y, lanes, endY }: Placed, axis: TimeAxis): Markup {
  const away = group.away.filter((segment) => visible(segment, axis));
  return markup`<g class="lanes" role="group" aria-label="${group.title}"><line class="rule" x1="0" x2="${PLOT_PX}" y1="${y + 2}" y2="${y + 2}"/>
${lanes.map(({ lane, y: top }) => laneBars(lane, top, axis))}
${away.map((segment) => awayBar(segment, y + 4, endY - 2, axis))}</g>`;
}

function laneBars(lane: Lane, top: number, axis: TimeAxis): Markup {
  const shown = lane.segments.filter((segment) => visible(segment, axis));
  let free = -Infinity;
  const sum = lane.sum ?? null;
  const sumFrom = PLOT_PX - (sum === null ? 0 : wordsPx(sum) + 8);
  const drawn = shown.map((segment, i) => {
    const [from, to] = ends(segment, axis);
    const next = shown[i + 1];
    const room = Math.min(next ? axis.x(next.fromMs) : PLOT_PX, sumFrom) - to - 8;
    const beside =
      segment.loud === true && !fits(segment.text, to - from) && wordsPx(segment.text) <= room && to >= free;
    if (beside) free = to + wordsPx(segment.text) + 6;
    return bar(segment, top, from, to, beside);
  });
  const end =
    sum === null ? null : markup`<text class="sum" x="${PLOT_PX - 4}" y="${top + 14}" text-anchor="end">${sum}</text>`;
  return markup`<g class="track"><line class="base" x1="0" x2="${PLOT_PX}" y1="${top + 10}" y2="${top + 10}"/>${drawn}${end}</g>`;
}

function bar(segment: Segment, top: number, from: number, to: number, beside: boolean): Markup {
  const height = segment.thin ? THIN_PX : BAR_PX;
  const y = top + (LANE_PX - height) / 2;
  const told = segment.detail ?? segment.text;
  const title = `${told}, ${moment(segment.fromMs)} to ${moment(segment.toMs)}`;
  const room = to - from - 8;
  const onBar = !segment.thin && room >= WORD_PX ? clip(segment.text, room) : '';
  const hatch =
    segment.tone === 'bad'
      ? markup`<rect class="hatch" x="${from}" y="${y}" width="${to - from}" height="${height}"/>`
      : null;
  const words =
    onBar !== ''
      ? markup`<text class="on" x="${from + 4}" y="${top + 14}">${onBar}</text>`
      : beside
        ? markup`<text class="beside" x="${to + 4}" y="${top + 14}">${segment.text}</text>`
        : null;
  return markup`<g class="bar ${segment.tone}"><title>${title}</title><rect x="${from}" y="${y}" width="${to - from}" height="${height}" rx="2"/>${hatch}${words}</g>`;
}

function awayBar(segment: Segment, top: number, bottom: number, axis: TimeAxis): Markup {
  const [from, to] = ends(segment, axis);
  const words = wordsPx(segment.text) + 10;
  const label =
    to - from >= words
      ? markup`<rect class="plate" x="${from + 2}" y="${top + 1}" width="${words}" height="16" rx="3"/><text x="${from + 7}" y="${top + 13}">${segment.text}</text>`
      : null;
  return markup`<g class="away"><title>${segment.text}, ${moment(segment.fromMs)} to ${moment(segment.toMs)}</title><rect x="${from}" y="${top}" width="${to - from}" height="${bottom - top}"/>${label}</g>`;
}

function visible({ fromMs, toMs }: Segment, axis: TimeAxis): boolean {
  return toMs > axis.fromMs && fromMs < axis.toMs;
}

function ends({ fromMs, toMs }: Segment, axis: TimeAxis): [number, number] {
  const from = axis.x(fromMs);
  const to = Math.min(PLOT_PX, Math.max(axis.x(toMs), from + BAR_MIN_PX));
  return [Math.min(from, to - BAR_MIN_PX), to];
}

function fits(text: string, px: number): boolean {
  return wordsPx(text) <= px - 8;
}

export function wordsPx(text: string): number {
  return text.length * CHARACTER_PX;
}

/** As much of it as there is room for. */
export function clip(text: string, px: number): string {
  const characters = Math.floor(px / CHARACTER_PX);
  return text.length <= characters ? text : characters < 3 ? '' : `${text.slice(0, characters - 1)}…`;
}
