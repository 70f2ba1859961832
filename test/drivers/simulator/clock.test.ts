import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Clock } from '../../../drivers/simulator/clock.js';
import { Random } from '../../../drivers/simulator/random.js';

describe('clock', () => {
  test('events run by time, and those of one moment in the order in which they were asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (times) => {
        const clock = new Clock();
        const ran: [number, number][] = [];
        for (const [i, at] of times.entries()) clock.at(at, () => ran.push([clock.now, i]));
        clock.runUntil(30);
        const expected = times.map((at, i): [number, number] => [at, i]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(ran).toEqual(expected);
        expect(clock.now).toBe(30);
      }),
    );
  });

  test('what an event asks for within the time runs too; what is cancelled does not', () => {
    const clock = new Clock();
    const ran: string[] = [];
    const cancelled = clock.at(7, () => ran.push('cancelled'));
    clock.at(5, () => {
      ran.push('first');
      cancelled.cancelled = true;
      clock.after(0, () => ran.push('at once'));
      clock.at(1, () => ran.push('in the past means now'));
      clock.after(6, () => ran.push('too late'));
    });
    clock.runUntil(10);
    expect(ran).toEqual(['first', 'at once', 'in the past means now']);
  });
});

describe('random', () => {
  const draw = (random: Random): number[] => Array.from({ length: 5 }, () => random.unit());

  test('the same seed gives the same numbers, another seed others, all in [0, 1)', () => {
    expect(draw(new Random(7))).toEqual(draw(new Random(7)));
    expect(draw(new Random(7))).not.toEqual(draw(new Random(8)));
    fc.assert(fc.property(fc.integer(), (seed) => draw(new Random(seed)).every((x) => x >= 0 && x < 1)));
  });

  test('a stream depends on seed and name alone, not on what was drawn elsewhere', () => {
    const used = new Random(7);
    draw(used);
    expect(draw(used.stream('hands'))).toEqual(draw(new Random(7).stream('hands')));
    expect(draw(used.stream('hands'))).not.toEqual(draw(used.stream('feet')));
  });

  test('the mean is where it belongs', () => {
    const random = new Random(3);
    const sum = Array.from({ length: 10_000 }, () => random.unit()).reduce((a, b) => a + b, 0);
    expect(sum / 10_000).toBeCloseTo(0.5, 1);
  });
});
