/** Weather that nobody may mind is no worse than S10 says, however many cables lie between two nodes. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../../drivers/simulator/random.js';
import { AIMS } from '../../../src/drill/explorer/aimed.js';
import type { Blow } from '../../../src/drill/explorer/schedule.js';
import { drawTopology, type Drawn } from '../../../src/drill/explorer/topology.js';
import { drawWeather, lossBetween } from '../../../src/drill/explorer/weather.js';

/** Of a frame that passes so many cables; null: no loss in that weather. */
function lostOf(fault: string | undefined, cables: number): number | null {
  const percent = /^loss (\d+)%$/.exec(fault ?? '')?.[1];
  return percent === undefined ? null : 1 - (1 - Number(percent) / 100) ** cables;
}

function lossIn(blows: Blow[]): string | undefined {
  return blows.flatMap((blow) => (blow.do === 'inflict' && blow.fault.startsWith('loss') ? [blow.fault] : []))[0];
}

/** In the cluster that was drawn: from one node to the one farthest away. */
function cablesOf({ scenario: { topology } }: Drawn): number {
  return 2 + topology.trunks.length;
}

describe('S10: 20 % loss', () => {
  it('from node to node, over one switch and over several', () => {
    expect(lossBetween({ switches: ['left', 'blue'], trunks: [] }, 20)).toBe('loss 10%');
    expect(lossBetween({ switches: ['left', 'right'], trunks: ['left-right'] }, 20)).toBe('loss 7%');
    expect(lossBetween({ switches: ['left', 'right', 'top'], trunks: ['left-right', 'right-top'] }, 20)).toBe(
      'loss 5%',
    );
    expect(lossBetween({ switches: ['left', 'right', 'top'], trunks: ['left-right', 'left-top'] }, 20)).toBe('loss 5%');
  });

  it('in no cluster that is drawn are more frames lost (seed 20880)', () => {
    const seen: number[] = [];
    for (let seed = 0; seed < 15; seed++) {
      const drawn = drawTopology(seed);
      for (let dice = 0; dice < 20; dice++) {
        const [loss] = drawWeather(new Random(dice), drawn);
        const lost = lostOf(loss, cablesOf(drawn));
        if (lost !== null) seen.push(lost);
      }
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(0.2);
    expect(Math.max(...seen)).toBeGreaterThan(0.17);
  });

  it('nor by the aim at bad weather', () => {
    const { drawn, schedule } = AIMS['bad-weather']!.draw(new Random(1));
    expect(lostOf(lossIn(schedule.blows), cablesOf(drawn))).toBeLessThanOrEqual(0.2);
  });
});
