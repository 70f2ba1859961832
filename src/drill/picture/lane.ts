/** What a lane of the chart consists of, and a track that makes its segments out of changes. */
import type { Ms } from '../../input.js';
import type { Tone } from './palette.js';

export interface Segment {
  fromMs: Ms;
  toMs: Ms;
  tone: Tone;
  /** On the bar, if there is room; else nowhere but in the tooltip. */
  text: string;
  /** In full, for the tooltip. */
  detail?: string;
  /** Drawn thin and without words: nothing rests on it. */
  thin?: boolean;
  /** The words stand beside the bar if they do not fit on it. */
  loud?: boolean;
}

export interface Lane {
  label: string;
  /** In full, for the tooltip of the label. */
  detail?: string;
  segments: Segment[];
  /** At the end of the lane: its sum in words. */
  sum?: string;
}

export interface LaneGroup {
  title: string;
  tone?: Tone;
  lanes: Lane[];
  /** When nobody was there to keep its lanes: drawn over all of them. */
  away: Segment[];
}

export type State = Omit<Segment, 'fromMs' | 'toMs'>;

/** One thing that is in one state at a time; null: it is not known, or there is none. */
export class Track {
  readonly #done: Segment[] = [];
  #since: Ms = 0;
  #state: State | null = null;

  set(at: Ms, state: State | null): void {
    if (this.#state && state && JSON.stringify(this.#state) === JSON.stringify(state)) return;
    this.#finish(at);
    this.#state = state;
    this.#since = at;
  }

  /** Those of no length left out: what lasted no time is in the timeline. */
  segments(endMs: Ms): Segment[] {
    this.set(endMs, null);
    return this.#done;
  }

  #finish(at: Ms): void {
    if (this.#state && at > this.#since) this.#done.push({ fromMs: this.#since, toMs: at, ...this.#state });
  }
}
