/** A replay in words: its timeline, and how it ended. */
import { describeEntry } from '../../drill/judge.js';
import { clockText } from '../../drill/replay/clock.js';
import type { ReplayLine, ReplayReport } from '../../drill/replay/replay.js';
import type { Paint } from './paint.js';

/** `explain`: with the evidence of each transition. */
export function replayLineText({ at, node, entry }: ReplayLine, paint: Paint, explain: boolean): string[] {
  const time = `${(at / 1000).toFixed(3).padStart(10)} s`;
  const line = `${paint.dim(time)}  ${describeEntry({ ...entry, node })}`;
  const evidence = Object.entries(explain ? (entry.evidence ?? {}) : {});
  return [line, ...evidence.map(([key, value]) => paint.dim(`${' '.repeat(14)}${key}: ${JSON.stringify(value)}`))];
}

export function replayVerdictText(report: ReplayReport, paint: Paint): string[] {
  const { recordings, clock, violation, invariants } = report;
  const lines: string[] = [];
  for (const { path, node, version, inputs, cutShort, differs } of recordings) {
    if (differs) {
      lines.push(
        paint.bad(
          `${path}: after input ${differs.input} of ${node} the journal differs (recorded by baton ${version})`,
        ),
      );
      lines.push(`  recorded ${differs.recorded}`, `  replayed ${differs.replayed}`);
    } else {
      const tail = cutShort ? '; the last line was cut short' : '';
      lines.push(`${path}: ${inputs} inputs of ${node} replayed: the same journal, byte for byte${tail}`);
    }
  }
  if (recordings.length > 1) {
    lines.push(`${recordings.length} recordings of ${report.cluster} merged: ${clockText(clock)}`);
  }
  if (violation) {
    const at = (violation.at / 1000).toFixed(3);
    lines.push(paint.bad(`${violation.invariant} does not hold at ${at} s: ${violation.text}`));
  } else lines.push(`to ${(report.endedAt / 1000).toFixed(3)} s holds: ${invariants.join(' ')}`);
  return lines;
}
