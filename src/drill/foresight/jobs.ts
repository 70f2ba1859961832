/** Tries many faults: here one after the other, or side by side in processes of their own. */
import { fileURLToPath } from 'node:url';
import { serve, sideBySide } from '../side-by-side.js';
import type { Situation } from './situation.js';
import { tryFaults, type Trial, type TrialOrder } from './trial.js';

export interface TrialOptions {
  jobs: number;
  onTrial?: (trial: Trial) => void;
  signal?: AbortSignal;
}

interface Order {
  place: number;
  situation: Situation;
  order: TrialOrder;
}

interface Answer {
  place: number;
  trial: Trial;
}

const JOB = 'baton-audit-job';

/** In the order of the orders. */
export async function tryAll(
  situation: Situation,
  orders: readonly TrialOrder[],
  options: TrialOptions,
): Promise<Trial[]> {
  const { jobs, onTrial, signal } = options;
  const trials: Trial[] = [];
  const book = ({ place, trial }: Answer): void => {
    trials[place] = trial;
    onTrial?.(trial);
  };
  let place = 0;
  const next = (): Order | null => {
    const order = orders[place];
    return order === undefined ? null : { place: place++, situation, order };
  };
  if (jobs > 1) {
    const script = fileURLToPath(import.meta.url);
    await sideBySide<Order, Answer>({ script, name: JOB, jobs, next, onAnswer: book, ...(signal && { signal }) });
  } else for (let order = next(); order !== null && !signal?.aborted; order = next()) book(await carryOut(order));
  signal?.throwIfAborted();
  return trials;
}

async function carryOut({ place, situation, order }: Order): Promise<Answer> {
  return { place, trial: await tryFaults(situation, order) };
}

serve(JOB, carryOut);
