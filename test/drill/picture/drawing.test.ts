/** Axis, flags and the plan of the drawing. */
import { describe, expect, it } from 'vitest';
import { chart, clip, PLOT_PX } from '../../../src/drill/picture/chart.js';
import { milliseconds, moment } from '../../../src/drill/picture/span.js';
import { flagRows, timeAxis } from '../../../src/drill/picture/time-axis.js';
import { layout, type Box } from '../../../src/drill/picture/topology-layout.js';
import { listScenarios, loadScenario } from '../../../src/drill/load.js';
import { settingOf } from '../../../src/drill/setting.js';

describe('axis', () => {
  it('puts its ends on the edges, and what is beyond on them, too', () => {
    const axis = timeAxis(-100, 900, 1000);
    expect([-100, 400, 900, 5000, -Infinity, Infinity].map(axis.x)).toEqual([0, 500, 1000, 1000, 0, 1000]);
  });

  it.each([
    [0, 40_000, ['0 s', '5 s', '10 s']],
    [4000, 4020, ['4.000 s', '4.002 s', '4.004 s']],
    [0, 600_000, ['0 s', '50 s', '100 s']],
  ])('from %i to %i ms its ticks are round and told as fine as they are', (from, to, first) => {
    const { ticks } = timeAxis(from, to, 1000);
    expect(ticks.slice(0, 3).map(({ text }) => text)).toEqual(first);
    expect(ticks.every(({ x }) => x >= 0 && x <= 1000)).toBe(true);
  });

  it('has a length even where nothing has one', () => {
    const axis = timeAxis(0, 0, 100);
    expect([axis.x(0), axis.toMs > axis.fromMs]).toEqual([0, true]);
  });

  it.each([
    [
      [0, 50, 100],
      [0, 0, 0],
    ],
    [
      [10, 12, 14],
      [0, 1, 2],
    ],
    [
      [10, 12, 30, 32],
      [0, 1, 0, 1],
    ],
    [[], []],
  ])('flags at %j stand in rows %j', (xs, rows) => {
    expect(flagRows(xs, 20)).toEqual(rows);
  });
});

describe('words', () => {
  it.each([
    [0.4, '0.4 ms'],
    [99.94, '99.9 ms'],
    [100, '100 ms'],
    [1001, '1001 ms'],
    [12_345, '12.3 s'],
  ])('%d ms', (span, text) => {
    expect(milliseconds(span)).toBe(text);
  });

  it('moments, and words that are too long', () => {
    expect(moment(4000.96)).toBe('4.001 s');
    expect(clip('10.77.0.100', 200)).toBe('10.77.0.100');
    expect(clip('10.77.0.100', 50)).toBe('10.77.0…');
    expect(clip('10.77.0.100', 15)).toBe('');
  });
});

describe('chart', () => {
  const bar = (fromMs: number, toMs: number) =>
    ({ fromMs, toMs, tone: 'bad', text: `${toMs - fromMs} ms`, loud: true }) as const;
  const drawn = (segments: ReturnType<typeof bar>[], fromMs = 0, toMs = 1000): string =>
    chart({ title: 't', fromMs, toMs, groups: [{ title: 'g', away: [], lanes: [{ label: 'l', segments }] }], acts: [] })
      .source;

  it('a bar of a thousandth of the axis is wide enough to be seen, inside the plot', () => {
    for (const at of [0, 500, 999.5]) {
      const rects = [...drawn([bar(at, at + 0.1)]).matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)];
      expect(rects).toHaveLength(1);
      const [x, width] = [Number(rects[0]![1]), Number(rects[0]![2])];
      expect(width).toBeGreaterThanOrEqual(2.5);
      expect(x + width).toBeLessThanOrEqual(PLOT_PX);
    }
  });

  it('numbers stand beside bars that are too narrow for them, unless the next bar is there', () => {
    expect(drawn([bar(100, 105)])).toContain('class="beside"');
    expect(drawn([bar(100, 105), bar(120, 300)])).not.toContain('class="beside"');
    expect(drawn([bar(100, 600)])).toContain('class="on"');
  });

  it('what is not in view is not drawn', () => {
    expect(drawn([bar(0, 10), bar(500, 600), bar(990, 999)], 400, 700).match(/class="bar /g)).toHaveLength(1);
  });

  it('titles escape what scenarios say', () => {
    const source = chart({
      title: '"><script>',
      fromMs: 0,
      toMs: 1,
      groups: [],
      acts: [{ at: 0, kind: 'do', what: '<img>' }],
    }).source;
    expect(source).not.toMatch(/<script|<img/);
  });
});

describe('the plan of every scenario that comes with baton', () => {
  const plans = listScenarios().map((name) => ({
    name,
    plan: layout(settingOf(loadScenario(name))),
    scenario: loadScenario(name),
  }));
  const overlap = (a: Box, b: Box): boolean =>
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

  it('no two boxes lie on each other, and none outside', () => {
    for (const { name, plan } of plans) {
      const boxes: Box[] = [...plan.nodes, ...plan.switches, ...plan.clients, ...plan.disks];
      for (const [i, a] of boxes.entries()) {
        expect([name, a.x >= 0 && a.y >= 0 && a.x + a.width <= plan.width && a.y + a.height <= plan.height]).toEqual([
          name,
          true,
        ]);
        for (const b of boxes.slice(i + 1)) expect([name, overlap(a, b)]).toEqual([name, false]);
      }
      for (const node of plan.nodes)
        for (const [i, nic] of node.nics.entries()) {
          expect([name, nic.x >= node.x && nic.x + nic.width <= node.x + node.width]).toEqual([name, true]);
          for (const other of node.nics.slice(i + 1)) expect([name, overlap(nic, other)]).toEqual([name, false]);
        }
    }
  });

  it('each card has its cable, and each end of it lies on the edge of what it joins', () => {
    for (const { name, plan, scenario } of plans) {
      const cards = Object.values(scenario.topology.nodes).flatMap((nics) => Object.keys(nics));
      expect([name, plan.cables.length]).toEqual([name, cards.length]);
      for (const { switch: home, to } of plan.cables) {
        const box = plan.switches.find((one) => one.name === home)!;
        expect(to[0]).toBeGreaterThan(box.x);
        expect(to[0]).toBeLessThan(box.x + box.width);
        expect([box.y, box.y + box.height]).toContain(to[1]);
      }
    }
  });
});
