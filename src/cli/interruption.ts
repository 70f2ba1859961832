const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Work that can be called off: by Ctrl-C, SIGTERM, a closed terminal, or a reader of its output who went away (`| head`).
 * The first of them aborts the signal that the work is given. The others change nothing until the work, which then cleans
 * up after itself, has ended. It then ends as any work does: whoever asks finds the signal aborted.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => ended.abort(new Error(`called off by ${signal}`));
  const onOutput = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') ended.abort(new Error('called off: nobody reads what it says'));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.stdout.on('error', onOutput);
  try {
    return await work(ended.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    process.stdout.off('error', onOutput);
  }
}
