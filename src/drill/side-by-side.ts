/** Work in processes of their own, which die with this one: each gets an order when it has answered the last one. */
import { fork } from 'node:child_process';

export interface SideBySide<Order, Answer> {
  /** Module that calls `serve` with the same name. */
  script: string;
  name: string;
  jobs: number;
  /** Null: no more. */
  next: () => Order | null;
  onAnswer: (answer: Answer) => void;
  signal?: AbortSignal;
}

const READY = 'ready';
/** Much is made and soon forgotten: with more room for it less of it is moved about (megabytes; V8's own is 16). */
const YOUNG_MB = 32;

export async function sideBySide<Order extends object, Answer>(work: SideBySide<Order, Answer>): Promise<void> {
  await Promise.all(Array.from({ length: work.jobs }, () => runJob(work)));
}

function runJob<Order extends object, Answer>({
  script,
  name,
  next,
  onAnswer,
  signal,
}: SideBySide<Order, Answer>): Promise<void> {
  return new Promise((done, failed) => {
    const job = fork(script, [name], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, `--max-semi-space-size=${YOUNG_MB}`],
    });
    const stop = (): void => void job.kill('SIGKILL');
    signal?.addEventListener('abort', stop, { once: true });
    job.on('message', (message: typeof READY | { answer: Answer }) => {
      if (message !== READY) onAnswer(message.answer);
      const order = signal?.aborted ? null : next();
      if (order === null) job.disconnect();
      else job.send(order);
    });
    job.on('error', failed);
    job.on('exit', (code) => {
      signal?.removeEventListener('abort', stop);
      if (code === 0 || signal?.aborted) done();
      else failed(new Error(`a job (${name}) ended with ${code ?? 'a signal'}`));
    });
  });
}

/** Answers orders, if this process was made by `sideBySide` for that name. */
export function serve<Order, Answer>(name: string, work: (order: Order) => Promise<Answer>): void {
  if (process.argv[2] !== name || !process.send) return;
  // Whoever is asked to end the whole ends its jobs.
  process.on('SIGINT', () => undefined);
  process.on('message', (order: Order) => void work(order).then((answer) => process.send!({ answer })));
  process.send(READY);
}
