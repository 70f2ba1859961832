/** What is built with a bug in it: explores the seeds that its argument names, and writes a line of JSON for each. */
import { exploreSeed } from '../../src/drill/explorer/exploration.js';

/** The argument, as JSON. */
export interface SubjectOrder {
  /** Null: schedules that nobody aimed; absent: as each seed has it by itself. */
  aim?: string | null;
  from: number;
  /** Inclusive. */
  to: number;
  /** Every so-manieth from the first on. */
  every?: number;
  /** Stop at the first seed with a violation. */
  untilCaught: boolean;
}

export interface SubjectLine {
  seed: number;
  violations: { invariant: string; at: number; text: string }[];
  simulatedMs: number;
  traceHash: string;
  cpuMs: number;
}

const { aim, from, to, every = 1, untilCaught } = JSON.parse(process.argv[2]!) as SubjectOrder;
for (let seed = from; seed <= to; seed += every) {
  const before = process.cpuUsage();
  const { violations, simulatedMs, traceHash } = await exploreSeed(seed, aim);
  const { user, system } = process.cpuUsage(before);
  const line: SubjectLine = { seed, violations, simulatedMs, traceHash, cpuMs: (user + system) / 1000 };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (untilCaught && violations.length > 0) break;
}
