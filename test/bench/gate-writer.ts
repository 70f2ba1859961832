/** `gate-writer.js OPTIONS`: renews the gate of the namespace it runs in, and prints what each write took. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Gatekeeper } from '../../drivers/linux/gate/gatekeeper.js';
import { monotonicMs } from '../../drivers/linux/wake.js';

export interface WriterOptions {
  addresses: string[];
  writes: number;
  /** From the beginning of one write to that of the next. */
  everyMs: number;
  /** Length of the lease of each write. */
  leaseMs: number;
}
export interface Write {
  tookMs: number;
  ok: boolean;
  leaseEnd: number;
}

const RENEW_LATE_MAX_MS = 20;
/** V8 compiles what runs. */
const WARM_UP = 50;

const options = JSON.parse(process.argv[2]!) as WriterOptions;
const keeper = new Gatekeeper(options.addresses, RENEW_LATE_MAX_MS);
keeper.establish();

function write(): Write {
  const begin = monotonicMs();
  const leaseEnd = begin + options.leaseMs;
  const { ok } = keeper.write({ held: options.addresses, leaseEnd });
  return { tookMs: monotonicMs() - begin, ok, leaseEnd };
}

const written: Write[] = [];
for (let i = -WARM_UP; i < options.writes; i++) {
  const next = monotonicMs() + options.everyMs;
  const made = write();
  if (i >= 0) written.push(made);
  await sleep(Math.max(0, next - monotonicMs()));
}
console.log(JSON.stringify({ written, refusals: keeper.refusals }));
keeper.close();
