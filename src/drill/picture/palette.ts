/** The colours of pictures, in light and in dark. None carries meaning alone: bars have words, marks have shapes. */
import { markup, trusted, type Markup } from './markup.js';

/** What a bar is filled with, its edge, and the words on it. */
export interface Shade {
  fill: string;
  edge: string;
  text: string;
}

export type Tone = 'good' | 'warn' | 'bad' | 'quiet' | NodeTone;
export type NodeTone = `node${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`;

export interface Scheme {
  ground: string;
  surface: string;
  text: string;
  muted: string;
  line: string;
  tones: Record<Tone, Shade>;
}

function shade(fill: string, edge: string, text: string): Shade {
  return { fill, edge, text };
}

export const LIGHT: Scheme = {
  ground: '#ffffff',
  surface: '#f5f6f8',
  text: '#1a1d23',
  muted: '#565e6a',
  line: '#d5d9e0',
  tones: {
    good: shade('#d3ebd9', '#2e7d4f', '#123d21'),
    warn: shade('#fbe6b8', '#9a6200', '#4d3300'),
    bad: shade('#f8ceca', '#bd2f26', '#6b120e'),
    quiet: shade('#eceef2', '#687281', '#3b424d'),
    node0: shade('#d3e4fb', '#2f6fc4', '#0c3a78'),
    node1: shade('#fde0c5', '#b05c0a', '#5f2f00'),
    node2: shade('#c9ece6', '#14796f', '#0a4640'),
    node3: shade('#e6dcf8', '#7a52c0', '#412377'),
    node4: shade('#fad7e6', '#b83a78', '#6b1540'),
    node5: shade('#e8ebbf', '#70760e', '#41450a'),
    node6: shade('#eaddd2', '#8a6242', '#4a301a'),
    node7: shade('#dbe3ea', '#54708a', '#24394c'),
  },
};

export const DARK: Scheme = {
  ground: '#14171c',
  surface: '#1d2128',
  text: '#e8eaee',
  muted: '#a8b0bc',
  line: '#353c47',
  tones: {
    good: shade('#12402a', '#4fb57d', '#d4f5e1'),
    warn: shade('#4f3900', '#d9a53a', '#ffeec2'),
    bad: shade('#641a16', '#f07b72', '#ffdedb'),
    quiet: shade('#2a2f38', '#78818f', '#ccd2db'),
    node0: shade('#173a66', '#6ea8f0', '#dceaff'),
    node1: shade('#5c3208', '#e89a4a', '#ffe6cc'),
    node2: shade('#0c4741', '#4fc0b2', '#d2f5ef'),
    node3: shade('#3f2a6b', '#a98be6', '#eae0ff'),
    node4: shade('#5e1c3e', '#e67fb0', '#ffdcec'),
    node5: shade('#424708', '#b9c04a', '#f2f5cc'),
    node6: shade('#4d3421', '#c79a72', '#f5e6d8'),
    node7: shade('#2c3f50', '#8fabc4', '#e0ebf5'),
  },
};

const TONES = Object.keys(LIGHT.tones) as Tone[];
const NODE_TONES = TONES.filter((tone): tone is NodeTone => tone.startsWith('node'));

/** The same for a node in the whole picture; the ninth looks like the first, and its bars have its name. */
export function toneOfNode(names: readonly string[], node: string): Tone {
  const at = names.indexOf(node);
  return at < 0 ? 'quiet' : NODE_TONES[at % NODE_TONES.length]!;
}

function variables({ tones, ...plain }: Scheme): string {
  const all = Object.entries(plain).map(([name, colour]) => `--${name}:${colour}`);
  for (const tone of TONES)
    for (const [part, colour] of Object.entries(tones[tone])) all.push(`--${tone}-${part}:${String(colour)}`);
  return all.join(';');
}

/** Style sheet: both schemes as variables, and a class for each tone that sets `--fill`, `--edge` and `--on`. */
export function paletteStyle(): Markup {
  const classes = TONES.map(
    (tone) => `.${tone}{--fill:var(--${tone}-fill);--edge:var(--${tone}-edge);--on:var(--${tone}-text)}`,
  );
  return markup`${trusted(
    [
      `:root{color-scheme:light dark;${variables(LIGHT)}}`,
      `@media screen and (prefers-color-scheme:dark){:root{${variables(DARK)}}}`,
      ...classes,
    ].join('\n'),
  )}`;
}

/** WCAG 2.2 contrast of two colours `#rrggbb`: 1 to 21. */
export function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
