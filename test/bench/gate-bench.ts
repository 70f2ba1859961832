/** What the gate costs, and how late it may be. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { packageRoot } from '../../src/version.js';
import { choice, count, UsageError, type Bench } from './bench.js';
import type { Write, WriterOptions } from './gate-writer.js';
import { table } from './table.js';

const run = promisify(execFile);
const PARTS = ['cost', 'idle', 'churn', 'firewall'] as const;
type Part = (typeof PARTS)[number];
const ADDRESSES = [1, 500];
const ELEMENTS = 100_000;
const ADDRESS = '10.77.9.200';
/** As the default timing has it: its lease, and a renewal each heartbeat; more often here, to see more of them. */
const LEASE_MS = 900;
const EVERY_MS = 20;
/** Long enough for the gate to close before the next write. */
const CLOSING = { leaseMs: 120, everyMs: 200, writes: 40 };
/** Least `margin` of a cluster file. */
const MARGIN_MIN_MS = 15;

export interface GateFigures {
  what: string;
  addresses: number;
  writes: number;
  late: number;
  medianMs: number;
  p99Ms: number;
  maxMs: number;
  /** How long after the end of its lease a question was asked that was answered yet; negative: the last one was asked before it. */
  closedAfterMs?: number;
}

class Network {
  readonly a = `bt-gatebench-${process.pid}-a`;
  readonly b = `bt-gatebench-${process.pid}-b`;

  async build(): Promise<void> {
    for (const ns of [this.a, this.b]) await run('ip', ['netns', 'add', ns]);
    await run('ip', ['link', 'add', 'eth0', 'netns', this.a, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.b]);
    for (const [ns, address] of [
      [this.a, '10.77.9.1/24'],
      [this.b, '10.77.9.2/24'],
    ] as const) {
      await run('ip', ['-n', ns, 'link', 'set', 'eth0', 'up']);
      await run('ip', ['-n', ns, 'addr', 'add', address, 'dev', 'eth0']);
    }
    await run('ip', ['-n', this.a, 'addr', 'add', `${ADDRESS}/32`, 'dev', 'eth0']);
    const { stdout } = await run('ip', ['-n', this.a, 'link', 'show', 'eth0']);
    const mac = /link\/ether (\S+)/.exec(stdout)![1]!;
    await run('ip', ['-n', this.b, 'neigh', 'replace', ADDRESS, 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent']);
  }

  async destroy(): Promise<void> {
    for (const ns of [this.a, this.b]) await run('ip', ['netns', 'del', ns]).catch(() => undefined);
  }
}

const addressesOf = (number: number): string[] => [
  ADDRESS,
  ...Array.from({ length: number - 1 }, (_, i) => (i % 2 ? `fd77::${i.toString(16)}` : `10.78.${i >> 8}.${i & 255}`)),
];

async function renew(ns: string, options: WriterOptions): Promise<Write[]> {
  const program = fileURLToPath(new URL('gate-writer.js', import.meta.url));
  const words = ['netns', 'exec', ns, process.execPath, program, JSON.stringify(options)];
  const { stdout } = await run('ip', words, { maxBuffer: 64 * 1024 * 1024 });
  return (JSON.parse(stdout) as { written: Write[] }).written;
}

/** When the questions were sent that were answered, while `work` ran. */
async function asked<T>(network: Network, work: () => Promise<T>): Promise<{ done: T; sentAt: number[] }> {
  const program = fileURLToPath(new URL('test/drivers/linux/inside/datagrams.js', packageRoot()));
  const start = (ns: string, ...words: string[]): ChildProcess =>
    spawn('ip', ['netns', 'exec', ns, process.execPath, program, ...words], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  const echo = start(network.a, 'echo', JSON.stringify([ADDRESS]));
  const asker = start(network.b, 'ask', JSON.stringify(ADDRESS));
  try {
    await Promise.all([once(echo, 'message'), once(asker, 'message')]);
    const done = await work();
    asker.send({});
    const [{ sentAt }] = (await once(asker, 'message')) as [{ sentAt: number[] }];
    return { done, sentAt };
  } finally {
    echo.kill('SIGKILL');
    asker.kill('SIGKILL');
  }
}

/** Goes on and on until it is told to stop. */
class Disturbance {
  #isOver = false;
  readonly #done: Promise<number>;

  constructor(once: (round: number) => Promise<unknown>) {
    this.#done = (async () => {
      let round = 0;
      for (; !this.#isOver; round++) await once(round);
      return round;
    })();
  }

  /** Rounds that were done. */
  stop(): Promise<number> {
    this.#isOver = true;
    return this.#done;
  }
}

function disturb(part: Part, network: Network, folder: string): Disturbance | null {
  switch (part) {
    case 'cost':
    case 'idle':
      return null;
    case 'churn':
      return new Disturbance(async (round) => {
        const ns = `bt-gatebench-${process.pid}-churn${round}`;
        await run('ip', ['netns', 'add', ns]);
        for (let i = 0; i < 4; i++)
          await run('ip', ['-n', ns, 'link', 'add', `v${i}`, 'type', 'veth', 'peer', 'name', `w${i}`]);
        await run('ip', ['netns', 'del', ns]);
      });
    case 'firewall': {
      const file = join(folder, 'firewall.nft');
      const elements = Array.from({ length: ELEMENTS }, (_, i) => `10.${100 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`);
      writeFileSync(
        file,
        `add table ip wall\ndelete table ip wall\ntable ip wall {\nset s { type ipv4_addr; elements = { ${elements.join(', ')} }\n}\nchain c { type filter hook input priority 0; ip saddr @s drop\n}\n}\n`,
      );
      return new Disturbance(() => run('ip', ['netns', 'exec', network.a, 'nft', '-f', file]));
    }
  }
}

function figuresOf(what: string, addresses: number, written: Write[]): GateFigures {
  const took = written.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const at = (share: number): number => took[Math.min(took.length - 1, Math.floor(share * took.length))]!;
  return {
    ...{ what, addresses, writes: written.length, late: written.filter(({ ok }) => !ok).length },
    ...{ medianMs: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
  };
}

/** The worst of all leases: how long after its end a question was sent that was answered. */
function closedAfter(written: Write[], sentAt: number[]): number {
  const worst = written.map(({ leaseEnd }, i) => {
    const until = written[i + 1] === undefined ? Infinity : written[i + 1]!.leaseEnd - CLOSING.leaseMs;
    const last = Math.max(...sentAt.filter((at) => at < until && at > leaseEnd - CLOSING.leaseMs), -Infinity);
    return last - leaseEnd;
  });
  return Math.max(...worst);
}

async function measure(part: Part, network: Network, writes: number, folder: string): Promise<GateFigures[]> {
  if (part === 'cost') {
    const figures: GateFigures[] = [];
    for (const number of ADDRESSES) {
      const options = { addresses: addressesOf(number), writes, everyMs: 5, leaseMs: LEASE_MS };
      figures.push(figuresOf('renewal', number, await renew(network.a, options)));
    }
    return figures;
  }
  const disturbance = disturb(part, network, folder);
  try {
    const addresses = [ADDRESS];
    const written = await renew(network.a, { addresses, writes, everyMs: EVERY_MS, leaseMs: LEASE_MS });
    const closing = await asked(network, () => renew(network.a, { addresses, ...CLOSING }));
    const closedAfterMs = closedAfter(closing.done, closing.sentAt);
    return [{ ...figuresOf(part, 1, written), ...(Number.isFinite(closedAfterMs) && { closedAfterMs }) }];
  } finally {
    await disturbance?.stop();
  }
}

function missedOf(figures: readonly GateFigures[]): string[] {
  return figures
    .filter(({ closedAfterMs }) => closedAfterMs !== undefined && closedAfterMs > MARGIN_MIN_MS)
    .map(({ what, closedAfterMs }) => `${what}: closed ${closedAfterMs!.toFixed(1)} ms after the end of the lease`);
}

function show(figures: readonly GateFigures[]): string[] {
  const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(2));
  return [
    'The gate: what one renewal takes (arm, check, act), and how long after the end of its lease it let through, in ms',
    '',
    ...table([
      ['with', 'addresses', 'writes', 'late', 'median', 'p99', 'p100', 'closed after'],
      ...figures.map((it) => [
        ...[it.what, String(it.addresses), String(it.writes), String(it.late)],
        ...[ms(it.medianMs), ms(it.p99Ms), ms(it.maxMs), ms(it.closedAfterMs)],
      ]),
    ]),
  ];
}

const OPTIONS = { writes: { type: 'string' }, only: { type: 'string' }, json: { type: 'boolean' } } as const;

function read(words: readonly string[]): { writes: number; parts: readonly Part[] } {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    return { writes: count('writes', values.writes, 1000), parts: choice('only', values.only, PARTS) };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

export const gate: Bench = {
  usage: `[--writes N] [--only ${PARTS.join(',')}] [--json]`,
  async run(words, say) {
    const { writes, parts } = read(words);
    const folder = mkdtempSync(join(tmpdir(), 'baton-gate-'));
    const network = new Network();
    const figures: GateFigures[] = [];
    try {
      await network.build();
      for (const part of parts) {
        figures.push(...(await measure(part, network, writes, folder)));
        say(`gate, ${part}: done`);
      }
    } finally {
      await network.destroy();
      rmSync(folder, { recursive: true, force: true });
    }
    return { figures: { gate: figures }, text: show(figures), missed: missedOf(figures) };
  },
};
