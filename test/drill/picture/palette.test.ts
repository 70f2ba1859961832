/** Words are read and edges are seen in both schemes: WCAG 2.2, 1.4.3 (4.5 to 1) and 1.4.11 (3 to 1). */
import { describe, expect, it } from 'vitest';
import { contrast, DARK, LIGHT, toneOfNode, type Scheme } from '../../../src/drill/picture/palette.js';

it('contrast as WCAG reckons it', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#777777', '#777777')).toBe(1);
  // The example that WCAG's own tools give for the lightest grey that passes on white.
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2);
  expect(contrast('#ffffff', '#767676')).toBeCloseTo(4.54, 2);
});

describe.each([
  ['light', LIGHT],
  ['dark', DARK],
] as [string, Scheme][])('%s', (_, scheme) => {
  const { ground, surface, text, muted, tones } = scheme;

  it.each([
    ['text', text],
    ['muted', muted],
  ])('%s on every ground', (_name, colour) => {
    expect(contrast(colour, ground)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colour, surface)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(Object.entries(tones))('%s: words on the bar, its edge against ground and bar', (_name, tone) => {
    expect(contrast(tone.text, tone.fill)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(tone.edge, ground)).toBeGreaterThanOrEqual(3);
    expect(contrast(tone.edge, tone.fill)).toBeGreaterThanOrEqual(2.5);
  });

  it.each(['bad', 'good', 'quiet'] as const)('%s: the number on its flag, and words beside a bar', (name) => {
    expect(contrast(tones[name].edge, ground)).toBeGreaterThanOrEqual(4.5);
  });

  it('muted and plain words of the drawing on a switch', () => {
    expect(contrast(text, tones.quiet.fill)).toBeGreaterThanOrEqual(4.5);
  });
});

it('both schemes have the same tones', () => {
  expect(Object.keys(LIGHT.tones)).toEqual(Object.keys(DARK.tones));
});

it('each of eight nodes has its own tone; a stranger has none of them', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
  expect(new Set(names.slice(0, 8).map((name) => toneOfNode(names, name))).size).toBe(8);
  expect(toneOfNode(names, 'i')).toBe(toneOfNode(names, 'a'));
  expect(toneOfNode(names, 'stranger')).toBe('quiet');
});
