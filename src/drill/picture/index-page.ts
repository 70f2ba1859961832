/** The first page of many drills: a row each, with a way to its picture. */
import type { DrillReport } from '../report.js';
import { markup, type Markup } from './markup.js';
import { pageOf, section, tableOf } from './page.js';
import type { Tone } from './palette.js';
import { milliseconds } from './span.js';

export interface IndexedDrill {
  report: DrillReport;
  /** Of its picture, beside the index. */
  file: string;
}

const TONES: Record<DrillReport['verdict'], Tone> = { passed: 'good', failed: 'bad', skipped: 'warn' };

/** The failed ones first. */
export function indexOfDrills(drills: readonly IndexedDrill[]): string {
  const count = (verdict: DrillReport['verdict']): number =>
    drills.filter(({ report }) => report.verdict === verdict).length;
  const failed = count('failed');
  const columns = [
    { title: 'drill' },
    { title: 'story' },
    { title: 'lab' },
    { title: 'verdict' },
    { title: 'longest outage', number: true },
  ];
  const sorted = [...drills].sort(
    (a, b) => Number(b.report.verdict === 'failed') - Number(a.report.verdict === 'failed'),
  );
  return pageOf({
    title: `${drills.length} drills`,
    lead: 'Each row leads to the picture of its drill.',
    facts: [
      { name: 'passed', value: String(count('passed')) },
      { name: 'failed', value: String(failed), ...(failed > 0 && { tone: 'bad' as const }) },
      { name: 'skipped', value: String(count('skipped')) },
    ],
    failures: [],
    body: section('Drills', tableOf('Drills', columns, sorted.map(drillRow))),
  });
}

function drillRow({ report, file }: IndexedDrill): Markup {
  const { scenario, title, lab, verdict, reason, outages } = report;
  const longest = Math.max(0, ...outages.map(({ longestMs }) => longestMs));
  const outage = outages.length === 0 ? '' : longest === 0 ? '< 5 ms' : milliseconds(longest);
  const story = reason === undefined ? title : `${title} (${reason})`;
  return markup`<tr><td><a href="${encodeURI(file)}">${scenario}</a></td><td>${story}</td><td>${lab}</td><td><span class="verdict ${TONES[verdict]}">${verdict}</span></td><td class="number">${outage}</td></tr>`;
}
