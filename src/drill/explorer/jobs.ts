/** Explores many seeds, in processes of their own: so it can be called off, and tells how far it is. */
import { fileURLToPath } from 'node:url';
import { serve, sideBySide } from '../side-by-side.js';
import { exploreSeed } from './exploration.js';
import { findingOf, type Finding } from './finding.js';

export interface ExploreOptions {
  from: number;
  /** Inclusive; Infinity: until `deadline`. */
  to: number;
  /** Wall clock, milliseconds since 1970: no seed is begun later. */
  deadline: number;
  jobs: number;
  /** Wall time for making the schedule of a violation small; 0: it is not tried. */
  shrinkMs: number;
  /** All seeds have that one; absent: as each draws it. */
  aim?: string;
  onSeed: (found: Finding) => void;
  signal?: AbortSignal;
}

/** What a job is told. */
interface Order {
  seed: number;
  shrinkMs: number;
  aim?: string;
}

const JOB = 'baton-explorer-job';

export async function explore({
  from,
  to,
  deadline,
  jobs,
  shrinkMs,
  aim,
  onSeed,
  signal,
}: ExploreOptions): Promise<void> {
  let seed = from;
  const next = (): Order | null => {
    if (seed > to || Date.now() > deadline) return null;
    return { seed: seed++, shrinkMs, ...(aim !== undefined && { aim }) };
  };
  await sideBySide<Order, Finding>({
    script: fileURLToPath(import.meta.url),
    name: JOB,
    jobs: Math.min(jobs, to - from + 1),
    next,
    onAnswer: onSeed,
    ...(signal && { signal }),
  });
}

serve(JOB, async ({ seed, shrinkMs, aim }: Order): Promise<Finding> => {
  return findingOf(await exploreSeed(seed, aim), shrinkMs);
});
