/** batond in the guest, led by its log, which is its journal: a command of `baton` takes ten seconds there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Machine } from './machine.js';

const READY_WITHIN_MS = 400_000;
const LOOK_EACH_MS = 300;
const LOG = '/tmp/batond.log';

export interface LogLine {
  /** ISO 8601, of the guest's clock. */
  time: string;
  event?: string;
  msg: string;
  nic?: string;
  from?: string;
  to?: string;
  cause?: string;
  evidence?: Record<string, unknown>;
}

export class GuestDaemon {
  readonly #machine: Machine;

  private constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** `key`: 64 hex digits. Resolves when the daemon says that it is ready. */
  static async start(machine: Machine, node: string, cluster: object, key = 'ba'.repeat(32)): Promise<GuestDaemon> {
    const file = Buffer.from(stringify({ cluster: 'drill', key: '/tmp/key', ...cluster })).toString('base64');
    await machine.must(`echo ${file} | busybox base64 -d > /tmp/cluster.yaml`);
    await machine.must(`echo ${key} > /tmp/key && chmod 600 /tmp/key && mkdir -p /tmp/run /tmp/state`);
    const places = '--config /tmp/cluster.yaml --run-dir /tmp/run --state-dir /tmp/state';
    const daemonWords = `node bin/baton.js daemon --node ${node} ${places}`;
    await machine.must(`(setsid sh -c 'echo $$ > /tmp/batond.pid; exec ${daemonWords}' > ${LOG} 2>&1 &)`);
    const daemon = new GuestDaemon(machine);
    await daemon.until((line) => line.msg === 'ready', 'ready', READY_WITHIN_MS);
    return daemon;
  }

  /** Number of lines so far: a mark for `since`. */
  async mark(): Promise<number> {
    return Number(await this.#machine.must(`wc -l < ${LOG}`));
  }

  async log(since = 0): Promise<LogLine[]> {
    return linesOf(await this.#machine.must(`tail -n +${since + 1} ${LOG}`)).flatMap(parsed);
  }

  /** Resolves to the first line since that mark for which it is true. Rejects with the log's end. */
  async until(truth: (line: LogLine) => boolean, what: string, withinMs: number, since = 0): Promise<LogLine> {
    const until = performance.now() + withinMs;
    for (let looked = since; ;) {
      const lines = linesOf(await this.#machine.must(`tail -n +${looked + 1} ${LOG}`));
      looked += lines.length;
      const found = lines.flatMap(parsed).find(truth);
      if (found) return found;
      if (performance.now() > until) {
        const tail = await this.#machine.run(`tail -n 30 ${LOG}`);
        throw new Error(`the guest's batond: not ${what} within ${withinMs / 1000} s\n${tail.text}`);
      }
      await sleep(LOOK_EACH_MS);
    }
  }
}

/** Whole ones: the last may still be written. */
function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

/** Warnings of node are none of the log's. */
function parsed(line: string): LogLine[] {
  try {
    return [JSON.parse(line) as LogLine];
  } catch {
    return [];
  }
}
