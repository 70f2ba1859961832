/** The report for people. */
import { spreadOf, type IdleFigures, type LocalSwitchFigures, type SwitchFigures } from './figures.js';

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
export function table(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

export function showSpread(values: readonly number[]): string {
  const spread = spreadOf(values);
  if (spread === null) return '-';
  return `${spread.median.toFixed(1)} (${spread.min.toFixed(1)} to ${spread.max.toFixed(1)})`;
}

function switchRow(figures: SwitchFigures): string[] {
  return [
    `${figures.failure}, ${figures.cards} veth`,
    figures.timing,
    figures.budgetMs === undefined ? '-' : `${figures.budgetMs}`,
    showSpread(figures.outagesMs),
    showSpread(figures.minimalMs),
    showSpread(figures.backMs),
    `${figures.tcpAlive}/${figures.runs}`,
  ];
}

function idleRow(figures: IdleFigures): string[] {
  const { cpuBudgetPercent, rssBudgetMb } = figures;
  const below = (budget: number | undefined): string => (budget === undefined ? '-' : `< ${budget}`);
  return [
    `${figures.nics} NICs, ${figures.nodes} node${figures.nodes === 1 ? '' : 's'}`,
    figures.timing,
    below(cpuBudgetPercent),
    Number.isNaN(figures.cpuPercent) ? '-' : figures.cpuPercent.toFixed(2),
    below(rssBudgetMb),
    Number.isNaN(figures.rssMb) ? '-' : figures.rssMb.toFixed(0),
  ];
}

export function showFigures(report: LocalSwitchFigures): string[] {
  const { switches, idle } = report;
  const lines: string[] = [];
  if (switches.length > 0) {
    const tcp = switches.reduce((sum, figures) => sum + figures.tcpAlive, 0);
    const runs = switches.reduce((sum, figures) => sum + figures.runs, 0);
    const head = ['failure', 'timing', 'budget', 'baton', 'minimal program', 'switch back', 'TCP alive'];
    lines.push(
      '',
      'Outage in ms, seen by a client that pings each millisecond: median (range); 5 stands for less, too',
      '',
    );
    lines.push(
      ...table([head, ...switches.map(switchRow)]),
      '',
      `TCP connections alive after ${tcp} of ${runs} switches`,
    );
  }
  if (idle.length > 0) {
    lines.push('', `Idle daemon, measured over ${idle[0]!.overS} s`, '');
    lines.push(
      ...table([['size', 'timing', 'budget', 'CPU % of a core', 'budget', 'resident MB'], ...idle.map(idleRow)]),
    );
  }
  return lines;
}
