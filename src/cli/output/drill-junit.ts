/** Drills as JUnit XML, the dialect that CI servers read: a suite each, a case for each expectation. */
import { XMLBuilder } from 'fast-xml-parser';
import type { DrillReport } from '../../drill/report.js';

interface Case {
  '@name': string;
  '@classname': string;
  /** Seconds. */
  '@time': string;
  failure?: { '@message': string; '#text': string };
  skipped?: { '@message': string };
}

const BUILDER = new XMLBuilder({
  format: true,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  suppressEmptyNode: true,
});

export function drillJunit(reports: readonly DrillReport[]): string {
  const suites = reports.map(suiteOf);
  const sum = (of: (report: DrillReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  const text = BUILDER.build({
    '?xml': { '@version': '1.0', '@encoding': 'UTF-8' },
    testsuites: {
      '@name': 'baton drills',
      '@tests': suites.reduce((total, { '@tests': tests }) => total + tests, 0),
      '@failures': suites.reduce((total, { '@failures': failures }) => total + failures, 0),
      '@time': seconds(sum(({ tookMs }) => tookMs)),
      testsuite: suites,
    },
  });
  return withoutControls(text);
}

function suiteOf(report: DrillReport) {
  const { scenario, lab, title, tookMs, timeline } = report;
  const cases = casesOf(report);
  return {
    '@name': `${scenario} on ${lab}`,
    '@tests': cases.length,
    '@failures': cases.filter((one) => one.failure).length,
    '@skipped': cases.filter((one) => one.skipped).length,
    '@time': seconds(tookMs),
    properties: { property: [{ '@name': 'title', '@value': title }] },
    testcase: cases,
    'system-out': timeline.map(({ at, what, text }) => `${(at / 1000).toFixed(3)} s ${what} ${text}`).join('\n'),
  };
}

/** What must always hold is one case more: all that failed and was no expectation's. */
function casesOf({ scenario, lab, verdict, reason, judged, failures }: DrillReport): Case[] {
  const classname = `${scenario}.${lab}`;
  if (verdict === 'skipped')
    return [
      {
        '@name': scenario,
        '@classname': classname,
        '@time': '0',
        skipped: { '@message': reason ?? 'no reason given' },
      },
    ];
  const expected = judged.map(({ from, at, label, wrong }): Case => {
    const name = `${label} at ${(from / 1000).toFixed(1)} s`;
    const plain = { '@name': name, '@classname': classname, '@time': seconds(at - from) };
    return wrong.length === 0 ? plain : { ...plain, failure: failureOf(wrong) };
  });
  const known = judged
    .filter(({ wrong }) => wrong.length > 0)
    .map(({ label, wrong }) => `${label}: ${wrong.join('; ')}`);
  const others = failures.filter((text) => !known.includes(text));
  const always: Case = { '@name': 'always', '@classname': classname, '@time': '0' };
  return [...expected, others.length === 0 ? always : { ...always, failure: failureOf(others) }];
}

function failureOf(wrong: readonly string[]): NonNullable<Case['failure']> {
  return { '@message': wrong[0]!, '#text': wrong.join('\n') };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** XML 1.0 has no way to write them. */
function withoutControls(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
}
