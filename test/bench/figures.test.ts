import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseFault } from '../../src/drill/scenario.js';
import { missed, spreadOf, type LocalSwitchFigures, type IdleFigures, type SwitchFigures } from './figures.js';
import { compileMinimal } from './minimal.js';
import { idleNetwork, switchNetwork } from './network.js';
import { showFigures } from './table.js';

test.each([
  [[], null],
  [[3], { median: 3, min: 3, max: 3, count: 1 }],
  [[10, 9, 1], { median: 9, min: 1, max: 10, count: 3 }],
  [[4, 1, 100, 2], { median: 3, min: 1, max: 100, count: 4 }],
])('the spread of %j', (values, spread) => {
  expect(spreadOf(values)).toEqual(spread);
});

const switched: SwitchFigures = {
  ...{ failure: 'carrier loss', cards: 'plain', timing: 'default', runs: 3, tcpAlive: 3, failures: [] },
  ...{ outagesMs: [10, 30, 20], minimalMs: [12, 9], backMs: [5, 5], budgetMs: 20 },
};
const idle: IdleFigures = {
  ...{ nics: 4, nodes: 3, timing: 'default', cpuPercent: 1.2, cpuBudgetPercent: 1.5 },
  ...{ rssMb: 100, rssBudgetMb: 110, overS: 20 },
};
const reportOf = (change: Partial<SwitchFigures>, idleChange: Partial<IdleFigures> = {}): LocalSwitchFigures => ({
  switches: [{ ...switched, ...change }],
  idle: [{ ...idle, ...idleChange }],
});

describe('budgets', () => {
  test.each<[string, Partial<SwitchFigures>, Partial<IdleFigures>, string | null]>([
    ['kept, on the line', {}, {}, null],
    ['median above', { budgetMs: 19 }, {}, 'median 20.0 ms, budget 19 ms'],
    ['no run switched', { outagesMs: [] }, {}, 'median Infinity ms'],
    ['no budget, no miss', { outagesMs: [9999], budgetMs: undefined as never }, {}, null],
    ['a TCP connection died', { tcpAlive: 2 }, {}, 'TCP alive after 2 of 3'],
    ['a run failed', { failures: ['run 2, baton: the switch did not happen'] }, {}, 'run 2, baton'],
    ['CPU', {}, { cpuPercent: 1.5 }, '1.50 % of a core, budget 1.5 %'],
    ['memory', {}, { rssMb: 110 }, '110 MB resident'],
    ['idle could not be measured', {}, { failure: '3 of 4 NICs are up' }, '3 of 4 NICs are up'],
  ])('%s', (_name, change, idleChange, words) => {
    const report = reportOf(change, idleChange);
    if (words === null) expect(missed(report)).toEqual([]);
    else expect(missed(report)).toEqual([expect.stringContaining(words)]);
  });
});

test('the table holds each figure beside its budget', () => {
  const text = showFigures(reportOf({})).join('\n');
  expect(text).toMatch(
    /carrier loss, plain veth +default +20 +20\.0 \(10\.0 to 30\.0\) +10\.5 \(9\.0 to 12\.0\) +5\.0/,
  );
  expect(text).toMatch(/4 NICs, 3 nodes +default +< 1\.5 +1\.20 +< 110 +100/);
});

test('the networks are scenarios, and their faults are known', () => {
  for (const cards of ['plain', 'physical'] as const)
    expect(switchNetwork(cards, 'fast').topology).toMatchObject({ cards, trunks: ['left-right'] });
  const { topology, cluster } = idleNetwork(1000, 4, 1, 'default');
  expect(Object.keys(topology.nodes['alpha']!)).toHaveLength(1000);
  expect(Object.keys(cluster['nets'] as object)).toHaveLength(250);
  expect(parseFault('drop in alpha.eth0')).toEqual({
    fault: 'drop',
    direction: 'in',
    at: { node: 'alpha', nic: 'eth0' },
  });
});

const noCompiler = spawnSync('cc', ['--version']).status !== 0;

test.skipIf(noCompiler)('the minimal program compiles and refuses nonsense (skipped without cc)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
  try {
    const program = compileMinimal(folder);
    const refused = spawnSync(program, ['eth0', 'eth1', '10.77.0.1', '-', 'now'], { encoding: 'utf8' });
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(spawnSync(program, ['lo', 'lo', 'x/24', '-', 'now']).status).toBe(2);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
