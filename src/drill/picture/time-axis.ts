/** The axis of the chart: a scale, its ticks, and rows for the flags of blows, so that none covers another. */
import { scaleLinear } from 'd3-scale';
import type { Ms } from '../../input.js';

export interface TimeAxis {
  fromMs: Ms;
  toMs: Ms;
  widthPx: number;
  /** Times beyond the ends are put on the ends. */
  x: (at: Ms) => number;
  ticks: { x: number; text: string }[];
}

/** A tick each so many pixels. */
const TICK_PX = 90;

export function timeAxis(fromMs: Ms, toMs: Ms, widthPx: number): TimeAxis {
  const end = toMs > fromMs ? toMs : fromMs + 1;
  const scale = scaleLinear().domain([fromMs, end]).range([0, widthPx]).clamp(true);
  const seconds = scaleLinear().domain([fromMs / 1000, end / 1000]);
  const count = Math.max(2, Math.round(widthPx / TICK_PX));
  const format = seconds.tickFormat(count);
  const ticks = seconds.ticks(count).map((at) => ({ x: scale(at * 1000), text: `${format(at)} s` }));
  return { fromMs, toMs: end, widthPx, x: scale, ticks };
}

/** Row of each flag, the lowest one free: `xs` ascend, flags of one row are at least `apartPx` apart. */
export function flagRows(xs: readonly number[], apartPx: number): number[] {
  const ends: number[] = [];
  return xs.map((x) => {
    const free = ends.findIndex((end) => x - end >= apartPx);
    const row = free < 0 ? ends.length : free;
    ends[row] = x;
    return row;
  });
}
