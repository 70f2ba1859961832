/** Drills as JUnit XML: well formed, a case an expectation, and the figures add up. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { drillJunit } from '../../src/cli/output/drill-junit.js';
import type { DrillReport } from '../../src/drill/report.js';
import { drawnDrill, HOSTILE } from './picture/drawn-drill.js';

interface Read {
  testsuites: {
    tests: string;
    failures: string;
    testsuite: {
      name: string;
      tests: string;
      failures: string;
      skipped: string;
      testcase: { name: string; failure?: { message: string }; skipped?: { message: string } }[];
      'system-out': string;
    }[];
  };
}

function read(reports: DrillReport[]): Read['testsuites'] {
  const text = drillJunit(reports);
  expect(XMLValidator.validate(text)).toBe(true);
  const isArray = (name: string): boolean => name === 'testsuite' || name === 'testcase';
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '', isArray });
  return (parser.parse(text) as Read).testsuites;
}

const PASSED: Partial<DrillReport> = { verdict: 'passed', failures: [], judged: drawnDrill().judged.slice(0, 1) };

describe('JUnit', () => {
  it('a case an expectation, and one for what must always hold', () => {
    const { testsuite, tests, failures } = read([drawnDrill()]);
    const [suite] = testsuite;
    expect(suite).toMatchObject({ name: 'made-up on kernel', tests: '3', failures: '1', skipped: '0' });
    expect([tests, failures]).toEqual(['3', '1']);
    expect(suite?.testcase.map(({ name, failure }) => [name, failure?.message])).toEqual([
      ['cut alpha.eth0 at 4.0 s', undefined],
      ['power-off alpha at 8.0 s', HOSTILE],
      ['always', undefined],
    ]);
    expect(suite?.['system-out']).toContain('4.000 s fault cut alpha.eth0');
  });

  it("a failure that is no expectation's is one of what must always hold", () => {
    const { testsuite } = read([
      { ...drawnDrill(), ...PASSED, verdict: 'failed', failures: ['S1: two \u0000 holders', 'more'] },
    ]);
    const always = testsuite[0]?.testcase.at(-1);
    expect([always?.name, always?.failure?.message]).toEqual(['always', 'S1: two \ufffd holders']);
  });

  it('a drill that was skipped says why; suites add up', () => {
    const skipped: DrillReport = {
      ...drawnDrill(),
      verdict: 'skipped',
      reason: 'needs root',
      failures: [],
      judged: [],
    };
    const { testsuite, tests, failures } = read([skipped, { ...drawnDrill(), ...PASSED }]);
    expect([tests, failures]).toEqual(['3', '0']);
    expect(testsuite[0]).toMatchObject({ tests: '1', skipped: '1' });
    expect(testsuite[0]?.testcase[0]?.skipped).toEqual({ message: 'needs root' });
  });
});
