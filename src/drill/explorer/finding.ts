/** What is told of a seed that broke a rule: the moment, and a small scenario that breaks it the same way. */
import type { ExploredSeed, SeedReport } from './exploration.js';
import { shrink } from './shrink.js';
import { writeScenario } from './story.js';

export interface Finding extends SeedReport {
  /** The trace around the first violation. */
  around: string[];
  /** As a file; null: it does not fail again that way, or nobody wanted it. */
  scenario: string | null;
}

const LINES_BEFORE = 30;
const LINES_AFTER = 3;

/** `withinMs`: wall time for making it small; 0: it is not tried. */
export async function findingOf(explored: ExploredSeed, withinMs: number): Promise<Finding> {
  const { seed, traceHash, simulatedMs, violations, story, text } = explored;
  const [first] = violations;
  const report = { seed, traceHash, simulatedMs, violations };
  if (!first) return { ...report, around: [], scenario: null };
  const around = linesAround(text, first.at);
  const small = withinMs > 0 ? await shrink(story, first.invariant, withinMs) : null;
  if (small === null) return { ...report, around, scenario: null };
  const title = `seed ${seed} of the explorer breaks ${first.invariant}`;
  return { ...report, around, scenario: writeScenario({ ...small, title }) };
}

function linesAround(text: string, at: number): string[] {
  const lines = text.split('\n');
  const after = lines.findIndex((line) => /^ *-?\d/.test(line) && Number.parseFloat(line) > at);
  const middle = after < 0 ? lines.length : after;
  return lines.slice(Math.max(0, middle - LINES_BEFORE), middle + LINES_AFTER);
}
