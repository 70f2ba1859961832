/** What is built with a bug in it: explores the seeds that its arguments name, and writes a line of JSON for each. */
import { exploreSeed } from '../../src/drill/explorer/exploration.js';

export interface SubjectLine {
  seed: number;
  violations: { invariant: string; at: number; text: string }[];
  simulatedMs: number;
  traceHash: string;
  cpuMs: number;
}

const [, , aim, from, to, ends] = process.argv;
for (let seed = Number(from); seed <= Number(to); seed++) {
  const before = process.cpuUsage();
  const { violations, simulatedMs, traceHash } = await exploreSeed(seed, aim === '' ? null : aim);
  const { user, system } = process.cpuUsage(before);
  const line: SubjectLine = { seed, violations, simulatedMs, traceHash, cpuMs: (user + system) / 1000 };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (ends === 'at-first' && violations.length > 0) break;
}
