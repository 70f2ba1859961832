/** Explores many seeds: one after the other here, or side by side in processes of their own, which die with this one. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { exploreSeed, type SeedReport } from './exploration.js';

export interface ExploreOptions {
  from: number;
  /** Inclusive; Infinity: until `deadline`. */
  to: number;
  /** Wall clock, milliseconds since 1970: no seed is begun later. */
  deadline: number;
  jobs: number;
  onSeed: (report: SeedReport) => void;
  signal?: AbortSignal;
}

/** What a job is told: which seed next; null: no more. */
type Order = number | null;

export async function explore(options: ExploreOptions): Promise<void> {
  let seed = options.from;
  const next = (): Order => {
    const isOver = seed > options.to || Date.now() > options.deadline || options.signal?.aborted === true;
    return isOver ? null : seed++;
  };
  if (options.jobs === 1) {
    for (let order = next(); order !== null; order = next()) options.onSeed(reportOf(await exploreSeed(order)));
    return;
  }
  await Promise.all(Array.from({ length: options.jobs }, () => runJob(options, next)));
}

function runJob(options: ExploreOptions, next: () => Order): Promise<void> {
  return new Promise((done, failed) => {
    const job = fork(fileURLToPath(import.meta.url), [JOB], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const stop = (): void => void job.kill();
    options.signal?.addEventListener('abort', stop, { once: true });
    job.on('message', (report: SeedReport | 'ready') => {
      if (report !== 'ready') options.onSeed(report);
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

function reportOf({ seed, traceHash, simulatedMs, violations }: SeedReport): SeedReport {
  return { seed, traceHash, simulatedMs, violations };
}

const JOB = 'baton-explorer-job';

if (process.argv[2] === JOB && process.send) {
  process.on('message', (seed: number) => void exploreSeed(seed).then((report) => process.send!(reportOf(report))));
  process.send('ready');
}
