/** A drill as it goes, its verdict, and the table of many. */
import type { DrillReport, TimelineLine } from '../../drill/report.js';
import type { Paint } from './paint.js';
import { table } from './table.js';
import { count, plural, span } from './words.js';

function paintLine(what: TimelineLine['what'], text: string, paint: Paint): string {
  switch (what) {
    case 'say':
      return paint.bold(text);
    case 'fault':
    case 'outage':
      return paint.warn(text);
    case 'unmet':
      return paint.bad(text);
    case 'met':
    case 'heal':
      return paint.good(text);
    case 'do':
    case 'journal':
      return text;
  }
}

export function lineText(line: TimelineLine, paint: Paint): string {
  const at = `${(line.at / 1000).toFixed(3).padStart(8)} s`;
  return `${paint.dim(at)}  ${paint.dim(line.what.padEnd(7))} ${paintLine(line.what, line.text, paint)}`;
}

/** What each blow cost, a column an address. */
function actTable({ acts, outages }: DrillReport, paint: Paint): string[] {
  const probes = outages.map(({ client, address }) => ({ client, address }));
  if (probes.length === 0) return [];
  const clients = new Set(probes.map(({ client }) => client));
  const titles = probes.map(({ client, address }) => (clients.size > 1 ? `${client} ${address}` : address));
  const rows = acts.map(({ label, felt }) => [
    label,
    ...felt.map(({ longestMs }) => (longestMs === 0 ? '< 5 ms' : `${longestMs.toFixed(1)} ms`)),
  ]);
  return table(
    [{ title: 'OUTAGE AFTER' }, ...titles.map((title) => ({ title, align: 'right' as const }))],
    rows,
    paint.dim,
  );
}

function outageTable(report: DrillReport, paint: Paint): string[] {
  const rows = report.outages.map(({ client, address, longestMs, sent, answered }) => [
    client,
    address,
    `${longestMs.toFixed(1)} ms`,
    `${count(answered)} of ${count(sent)}`,
  ]);
  for (const { client, address, alive, pauseMaxMs } of report.connections) {
    rows.push([
      client,
      address,
      `${pauseMaxMs.toFixed(1)} ms`,
      alive ? 'TCP connection alive' : paint.bad('TCP connection broken'),
    ]);
  }
  return table(
    [{ title: 'CLIENT' }, { title: 'ADDRESS' }, { title: 'LONGEST OUTAGE', align: 'right' }, { title: 'ANSWERED' }],
    rows,
    paint.dim,
  );
}

function holdersText({ totalMs, overlaps }: NonNullable<DrillReport['twoHolders']>, paint: Paint): string[] {
  const text = `two holders: ${overlaps.length === 0 ? '0' : totalMs.toFixed(1)} ms`;
  return [overlaps.length === 0 ? paint.good(text) : paint.bad(text)];
}

export function verdictText(report: DrillReport, paint: Paint, quiet = false): string[] {
  const { scenario, lab, verdict, failures, reason, tookMs } = report;
  const head = `${scenario} on ${lab}`;
  if (verdict === 'skipped') return [`${paint.warn('skipped')} ${head}: ${reason ?? 'no reason given'}`];
  const colour = verdict === 'passed' ? paint.good : paint.bad;
  const lines = quiet ? [] : ['', ...actTable(report, paint), '', ...outageTable(report, paint), ''];
  if (!quiet && report.twoHolders) lines.push(...holdersText(report.twoHolders, paint), '');
  lines.push(`${colour(verdict)} ${head} ${paint.dim(`in ${span(tookMs)}`)}`);
  lines.push(...failures.map((failure) => `  ${paint.bad(failure)}`));
  return lines;
}

export function summaryText(reports: readonly DrillReport[], paint: Paint): string[] {
  const of = (verdict: DrillReport['verdict']) => reports.filter((report) => report.verdict === verdict);
  const failed = of('failed');
  const took = reports.reduce((sum, report) => sum + report.tookMs, 0);
  const figures = `${of('passed').length} passed, ${failed.length} failed, ${of('skipped').length} skipped`;
  return [
    '',
    `${plural(reports.length, 'drill')}: ${failed.length > 0 ? paint.bad(figures) : paint.good(figures)} in ${span(took)}`,
    ...[...new Set(failed.map(({ scenario }) => scenario))].map((name) => `  ${paint.bad(name)}`),
  ];
}
