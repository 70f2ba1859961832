/** What is measured, and what it is held against. */

export interface Spread {
  median: number;
  min: number;
  max: number;
  count: number;
}

/** Null for no values at all. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted[sorted.length - 1]!, count: sorted.length };
}

export type Timing = 'default' | 'fast';

export interface SwitchFigures {
  failure: string;
  cards: 'plain' | 'physical';
  timing: Timing;
  /** Longest gap between answers after the failure, milliseconds, of each run that switched. */
  outagesMs: number[];
  /** The same of the minimal program; empty where it has no counterpart. */
  minimalMs: number[];
  /** Gap at the switch back to the repaired primary. */
  backMs: number[];
  /** Runs after which the TCP connection of the start was alive, of how many. */
  tcpAlive: number;
  runs: number;
  /** What went wrong, a line a run. */
  failures: string[];
  /** Bound of the median; absent: none is promised. */
  budgetMs?: number;
}

export interface IdleFigures {
  nics: number;
  nodes: number;
  timing: Timing;
  /** Percent of one core, user and system time. */
  cpuPercent: number;
  rssMb: number;
  overS: number;
  cpuBudgetPercent?: number;
  rssBudgetMb?: number;
  failure?: string;
}

export interface LocalSwitchFigures {
  switches: SwitchFigures[];
  idle: IdleFigures[];
}

/** Every promise that was not kept, in words. */
export function missed(report: LocalSwitchFigures): string[] {
  const switches = report.switches.flatMap((figures) => {
    const name = `${figures.failure}, ${figures.cards}, ${figures.timing}`;
    const median = spreadOf(figures.outagesMs)?.median ?? Infinity;
    return [
      ...(figures.budgetMs !== undefined && median > figures.budgetMs
        ? [`${name}: median ${median.toFixed(1)} ms, budget ${figures.budgetMs} ms`]
        : []),
      ...(figures.tcpAlive < figures.runs ? [`${name}: TCP alive after ${figures.tcpAlive} of ${figures.runs}`] : []),
      ...figures.failures.map((failure) => `${name}: ${failure}`),
    ];
  });
  const idle = report.idle.flatMap((figures) => {
    const name = `idle, ${figures.nics} NICs, ${figures.timing}`;
    if (figures.failure !== undefined) return [`${name}: ${figures.failure}`];
    return [
      ...(figures.cpuBudgetPercent !== undefined && figures.cpuPercent >= figures.cpuBudgetPercent
        ? [`${name}: ${figures.cpuPercent.toFixed(2)} % of a core, budget ${figures.cpuBudgetPercent} %`]
        : []),
      ...(figures.rssBudgetMb !== undefined && figures.rssMb >= figures.rssBudgetMb
        ? [`${name}: ${figures.rssMb.toFixed(0)} MB resident, budget ${figures.rssBudgetMb} MB`]
        : []),
    ];
  });
  return [...switches, ...idle];
}
