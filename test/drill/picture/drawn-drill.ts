/** A drill for the tests of pictures: made up, so that it holds still, with every kind of line and lane in it. */
import type { DrillReport, TimelineLine } from '../../../src/drill/report.js';
import { describeEntry } from '../../../src/drill/judge.js';
import { loadScenario } from '../../../src/drill/load.js';
import { settingOf } from '../../../src/drill/setting.js';
import type { JournalEntry } from '../../../src/status.js';

/** What an attacker may try to bring into the page by way of names and words. */
export const HOSTILE = `"><img src=x onerror=alert(1)><script>alert('&amp;')</script>`;

type Entry = JournalEntry & { node: string };

const JOURNAL: Entry[] = [
  ...['alpha', 'beta'].flatMap((node): Entry[] => [
    { node, at: -100, event: 'node-started', cause: 'started' },
    { node, at: -90, event: 'nic-health', nic: 'eth0', from: 'suspect waiting', to: 'up', cause: 'heard' },
    { node, at: -90, event: 'nic-health', nic: 'eth1', from: 'suspect waiting', to: 'up', cause: 'heard' },
    { node, at: -90, event: 'nic-health', nic: 'hb0', from: 'suspect waiting', to: 'up isolated', cause: 'isolated' },
    { node, at: 100, event: 'lease', from: 'over', to: 'valid', cause: 'granted' },
    { node, at: 100, event: 'gate', from: 'closed', to: 'open', cause: 'held' },
    { node, at: 100, event: 'peer-health', peer: node === 'alpha' ? 'beta' : 'alpha', to: 'alive', cause: 'heard' },
  ]),
  {
    node: 'alpha',
    at: 90,
    event: 'role',
    from: 'candidate',
    to: 'coordinator',
    cause: 'elected',
    evidence: { term: 1 },
  },
  { node: 'alpha', at: 110, event: 'package', package: 'web', from: 'starting', to: 'running', cause: 'takeover' },
  { node: 'alpha', at: 110, event: 'announced', nic: 'eth0', address: '10.77.0.100', cause: 'takeover' },
  {
    node: 'alpha',
    at: 4001,
    event: 'nic-health',
    nic: 'eth0',
    from: 'up',
    to: 'down carrier',
    cause: 'carrier',
    evidence: { carrier: false, note: HOSTILE },
  },
  { node: 'beta', at: 9000, event: 'peer-health', peer: 'alpha', from: 'alive', to: 'lost', cause: 'silent' },
  { node: 'beta', at: 9000, event: 'alarm-raised', cause: 'node-lost', peer: 'alpha' },
  { node: 'beta', at: 9010, event: 'package', package: 'web', from: 'starting', to: 'running', cause: 'takeover' },
];

export function drawnDrill(): DrillReport {
  const scenario = loadScenario('voters-keep');
  const journal = [...JOURNAL]
    .sort((a, b) => a.at - b.at)
    .map((entry): TimelineLine => ({ at: entry.at, what: 'journal', text: describeEntry(entry), entry }));
  const probe = { client: 'client', address: '10.77.0.100' };
  return {
    scenario: 'made-up',
    title: `a story ${HOSTILE}`,
    lab: 'kernel',
    verdict: 'failed',
    failures: [`power-off alpha: ${HOSTILE}`],
    timeline: [
      ...journal,
      { at: 4000, what: 'say', text: `The cable ${HOSTILE}` },
      { at: 4000, what: 'fault', text: 'cut alpha.eth0' },
      { at: 4500, what: 'met', text: 'cut alpha.eth0: as expected' },
      { at: 9900, what: 'unmet', text: `power-off alpha: ${HOSTILE}` },
    ],
    outages: [
      {
        ...probe,
        longestMs: 1012,
        sent: 12_000,
        answered: 10_981,
        gaps: [
          { fromMs: 4000, toMs: 4007 },
          { fromMs: 7999, toMs: 9011 },
        ],
      },
    ],
    holders: { web: 'beta' },
    connections: [{ client: 'client', address: '10.77.0.1', alive: false, pauseMaxMs: 4012 }],
    twoHolders: { totalMs: 0, overlaps: [] },
    acts: [
      { at: 4000, kind: 'fault', what: 'cut alpha.eth0', label: 'cut alpha.eth0', felt: [{ ...probe, longestMs: 7 }] },
      {
        at: 6000,
        kind: 'heal',
        what: 'cut alpha.eth0',
        label: 'heal: cut alpha.eth0',
        felt: [{ ...probe, longestMs: 0 }],
      },
      { at: 7000, kind: 'do', what: `alpha: ${HOSTILE}`, label: HOSTILE, felt: [{ ...probe, longestMs: 0 }] },
      {
        at: 8000,
        kind: 'fault',
        what: 'power-off alpha',
        label: 'power-off alpha',
        felt: [{ ...probe, longestMs: 1012 }],
      },
    ],
    judged: [
      { from: 4000, at: 4500, label: 'cut alpha.eth0', wrong: [] },
      { from: 8000, at: 9900, label: 'power-off alpha', wrong: [HOSTILE] },
    ],
    setting: settingOf(scenario),
    before: [],
    holds: [
      { address: '10.77.0.100', node: 'alpha', fromMs: 110, toMs: 8000 },
      { address: '10.77.0.100', node: 'beta', fromMs: 9011, toMs: 12_000 },
    ],
    endedAt: 12_000,
    tookMs: 15_000,
  };
}
