/** Explores many seeds, in processes of their own, which die with this one: so it can be called off, and tells how far it is. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
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

export async function explore(options: ExploreOptions): Promise<void> {
  let seed = options.from;
  const next = (): Order | null => {
    const isOver = seed > options.to || Date.now() > options.deadline || options.signal?.aborted === true;
    if (isOver) return null;
    return { seed: seed++, shrinkMs: options.shrinkMs, ...(options.aim !== undefined && { aim: options.aim }) };
  };
  const jobs = Math.min(options.jobs, options.to - options.from + 1);
  await Promise.all(Array.from({ length: jobs }, () => runJob(options, next)));
}

function runJob(options: ExploreOptions, next: () => Order | null): Promise<void> {
  return new Promise((done, failed) => {
    const job = fork(fileURLToPath(import.meta.url), [JOB], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const stop = (): void => void job.kill('SIGKILL');
    options.signal?.addEventListener('abort', stop, { once: true });
    job.on('message', (found: Finding | 'ready') => {
      if (found !== 'ready') options.onSeed(found);
      const order = next();
      if (order === null) job.disconnect();
      else job.send(order);
    });
    job.on('error', failed);
    job.on('exit', (code) => {
      options.signal?.removeEventListener('abort', stop);
      if (code === 0 || options.signal?.aborted) done();
      else failed(new Error(`a job of the explorer ended with ${code ?? 'a signal'}`));
    });
  });
}

const JOB = 'baton-explorer-job';

if (process.argv[2] === JOB && process.send) {
  process.on('message', ({ seed, shrinkMs, aim }: Order) => {
    void exploreSeed(seed, aim)
      .then((explored) => findingOf(explored, shrinkMs))
      .then((found) => process.send!(found));
  });
  // Whoever is asked to end the exploration ends its jobs.
  process.on('SIGINT', () => undefined);
  process.send('ready');
}
