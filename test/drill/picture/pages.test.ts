/** Pages of drills, of many drills, of audits: what must stand in them, and that nothing else gets in. */
import { describe, expect, it } from 'vitest';
import type { Audit } from '../../../src/drill/foresight/audit.js';
import type { Trial } from '../../../src/drill/foresight/trial.js';
import { auditMarks, pictureOfAudit } from '../../../src/drill/picture/audit-page.js';
import { pictureOfDrill } from '../../../src/drill/picture/drill-page.js';
import { indexOfDrills } from '../../../src/drill/picture/index-page.js';
import { pictureOfReplay } from '../../../src/drill/picture/replay-page.js';
import { drawnDrill, HOSTILE } from './drawn-drill.js';
import { drawnReplay } from './drawn-replay.js';

/** Text of a page without its tags, entities turned back. */
function textOf(page: string): string {
  const bare = page.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '').replace(/<[^>]*>/g, ' ');
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };
  return bare.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name]!).replace(/\s+/g, ' ');
}

describe('a drill', () => {
  const page = pictureOfDrill(drawnDrill());
  const text = textOf(page);

  it.each([
    ['the verdict', 'failed'],
    ['what failed', `power-off alpha: ${HOSTILE}`],
    ['expectations met', 'expectations met 1 of 2'],
    ['the longest outage', 'longest outage 1012 ms'],
    ['an outage and its number', '7.0 ms'],
    ['a lane of a NIC', 'eth1, standby'],
    ['a role', 'coordinator, term 1'],
    ['who held', 'beta answered for 10.77.0.100'],
    ['a dead NIC', 'down carrier'],
    ['the veil', 'no power'],
    ['an alarm', 'node-lost'],
    ['a broken connection', 'broken'],
    ['the story', `The cable ${HOSTILE}`],
    ['evidence', `note: ${HOSTILE}`],
    ['the timeline', 'beta peer-health alive → lost (silent)'],
  ])('tells %s', (_, words) => {
    expect(text).toContain(words);
  });

  it('holds one script, its own, and nothing that names another place', () => {
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/<img|<iframe|<link(?! rel="icon" href="data:,">)|@import|javascript:/);
    const ours = page.replace(/&lt;.*?&gt;/g, '');
    const places = [...ours.matchAll(/(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)/g)].map((match) => match[1]);
    expect([...new Set(places)].sort()).toEqual(['#away', '#hatch', 'data:,'].filter((one) => places.includes(one)));
    expect(page.match(/https?:\/\/[^"' )<]+/g)).toEqual(['http://www.w3.org/2000/svg']);
  });

  it('marks what is broken still and what is whole again', () => {
    expect(page).toMatch(/class="cable mended"/);
    expect(page).toMatch(/class="node broken node0"/);
  });

  it('of a drill that was skipped gives the reason, and draws no lanes', () => {
    const none = { timeline: [], outages: [], connections: [], acts: [], judged: [], holds: [], failures: [] };
    const skipped = pictureOfDrill({
      ...drawnDrill(),
      ...none,
      verdict: 'skipped',
      reason: 'needs root',
      twoHolders: null,
    });
    expect(textOf(skipped)).toContain('Skipped: needs root.');
    expect(skipped).not.toContain('class="chart"');
  });

  it('many blows have no closer look each', () => {
    const drill = drawnDrill();
    const acts = Array.from({ length: 30 }, (_, i) => ({ ...drill.acts[0]!, kind: 'do' as const, at: i * 100 }));
    expect(page).toContain('class="closer"');
    expect(pictureOfDrill({ ...drill, acts })).not.toContain('class="closer"');
  });
});

it('an index leads to each page, the failed ones first', () => {
  const failed = drawnDrill();
  const page = indexOfDrills([
    { report: { ...failed, scenario: 'well', verdict: 'passed', failures: [] }, file: 'well.html' },
    { report: failed, file: 'made up-2.html' },
  ]);
  expect([...page.matchAll(/<a href="([^"]+)"/g)].map((match) => match[1])).toEqual(['made%20up-2.html', 'well.html']);
  expect(textOf(page)).toContain('passed 1 failed 1 skipped 0');
});

describe('recordings', () => {
  const page = pictureOfReplay(drawnReplay());
  const text = textOf(page);

  it.each([
    ['the cluster', `Cluster ${HOSTILE}, replayed`],
    ['how they were set beside each other', 'clocks estimated from their beats, up to 0.7 ms apart'],
    ['what does not hold', `S3 does not hold at 11.000 s: ${HOSTILE}`],
    ['a journal that differs', 'alpha-000001.jsonl: after input 17 of alpha the journal differs'],
    ['a lane of a NIC', 'eth1, standby'],
    ['who held', 'beta answered for 10.77.0.100, 9.111 s'],
    ['two that held', 'alpha and beta both answered for 10.77.0.100, 0.500 s to 0.900 s'],
    ['a silent node', 'nothing recorded, 8.100 s to 12.000 s'],
    ['what an operator asked', 'beta: package move web --to beta'],
    ['evidence', `note: ${HOSTILE}`],
    ['the timeline', 'beta peer-health alive → lost (silent)'],
  ])('tell %s', (_, words) => {
    expect(text).toContain(words);
  });

  it('tell of no client, and of no command that changes nothing', () => {
    expect(text).not.toMatch(/Outages|missed|package move web --to alpha/);
  });

  it('mark what failed by the number of its change', () => {
    expect(page).toMatch(/class="node broken node0"/);
    expect(text).toContain('NIC eth0 of alpha');
    const changes = [
      ...page.matchAll(/<tr><td><span class="tag do quiet">(\d+)<\/span><\/td><td class="number">([^<]+)/g),
    ];
    expect(changes.map(([, number, at]) => [number, at])).toEqual([
      ['1', '0.010 s'],
      ['2', '4.101 s'],
      ['3', '9.000 s'],
    ]);
    expect(page).toMatch(/nothing recorded from 8\.100 s[^<]*<\/title>/);
  });

  it('hold one script, and nothing that names another place', () => {
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/<img|<iframe|javascript:/);
  });

  it('that agree and break nothing are well', () => {
    const report = drawnReplay();
    delete report.violation;
    for (const recording of report.recordings) delete recording.differs;
    const well = pictureOfReplay(report);
    expect(textOf(well)).toContain('journals the same again holds S3 S4');
    expect(well).not.toContain('class="failures');
  });
});

describe('an audit', () => {
  function trial(parts: Trial['parts'], fault: string, ms: number, forGood: boolean): Trial {
    const effect = { subject: 'web', before: 'alpha', after: forGood ? null : 'beta', ms, forGood };
    return { parts, faults: [fault], effects: [effect], twoHolders: [], rerouted: [], trouble: [] };
  }
  const { setting } = drawnDrill();
  const singles = [
    trial([{ kind: 'switch', name: 'left' }], 'switch-off left', 6000, true),
    trial([{ kind: 'NIC', name: 'alpha.eth0', node: 'alpha' }], 'drop both alpha.eth0', 233, false),
    trial([{ kind: 'node', name: 'alpha' }], 'power-off alpha', 960, false),
    trial([{ kind: 'daemon', name: 'alpha', node: 'alpha' }], 'kill alpha', 77, false),
    trial([{ kind: 'target', name: '10.77.0.254' }], 'client-off 10.77.0.254', 0, false),
    trial([{ kind: 'trunk', name: 'left-right' }], 'trunk left-right', 12, false),
    trial([{ kind: 'arbiter', name: 'etcd' }], 'arbiter-off', 0, false),
  ];
  const audit: Audit = {
    ...{ cluster: HOSTILE, from: 'file', node: null, assumed: ['one switch'], cautions: ['plans form a circle'] },
    findings: [
      {
        ...{ kind: 'switch', name: 'left', text: 'switch left: web stays out', faults: ['switch-off left'] },
        ...{ subjects: ['web'], cure: 'a standby on another switch' },
      },
    ],
    ...{ singles, doubles: null, tried: singles.length, trouble: [], setting },
  };

  it('marks single points of failure by their number, and what is felt by its length', () => {
    const marks = [...auditMarks(audit)].map(([key, { state, badges }]) => [key, state, ...badges]);
    expect(marks).toEqual([
      ['switch left', 'single', '1'],
      ['nic alpha.eth0', 'mended', '233 ms'],
      ['node alpha', 'mended', '960 ms'],
      ['trunk left-right', 'mended', '12.0 ms'],
    ]);
  });

  it('marks each bridge of a switch that carries several nets', () => {
    const bridges = setting.switches.flatMap(({ name, ...one }) =>
      name === 'left'
        ? [
            { ...one, name: 'left/a' },
            { ...one, name: 'left/b' },
          ]
        : [{ ...one, name }],
    );
    expect([...auditMarks({ ...audit, setting: { ...setting, switches: bridges } }).keys()].slice(0, 2)).toEqual([
      'switch left/a',
      'switch left/b',
    ]);
  });

  it('tells findings with their cures, every fault, and what was taken for granted', () => {
    const text = textOf(pictureOfAudit(audit));
    for (const words of [
      HOSTILE,
      'a standby on another switch',
      'plans form a circle',
      'for good',
      'beta, before alpha',
      'one switch',
      'longest outage that ended 960 ms',
    ])
      expect(text).toContain(words);
    expect(textOf(pictureOfAudit({ ...audit, findings: [] }))).toContain('single points of failure none');
  });

  it('tells pairs, and that there are none', () => {
    expect(textOf(pictureOfAudit({ ...audit, doubles: [] }))).toContain('harm together None.');
    const pair = { ...singles[2]!, faults: ['power-off alpha', 'power-off beta'] };
    expect(textOf(pictureOfAudit({ ...audit, doubles: [pair] }))).toContain('power-off alpha power-off beta web');
  });
});
