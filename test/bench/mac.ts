/**
 * What it costs that a MAC moves along: takeover of an address with `mac:` and local switch with `mac: follow`, each beside
 * the plain one. Both networks stand all the while and have their turns one after the other.
 */
import { parseArgs } from 'node:util';
import type { NamespacesLab } from '../../drivers/namespaces/lab.js';
import { parseFault } from '../../src/drill/scenario.js';
import { choice, count, UsageError, type Bench } from './bench.js';
import { spreadOf } from './figures.js';
import { ADDRESS, floatingAddresses, switchNetwork } from './network.js';
import * as outage from './outage.js';
import { showSpread, table } from './table.js';
import * as takeover from './takeover.js';

const OPTIONS = { runs: { type: 'string' }, only: { type: 'string' }, json: { type: 'boolean' } } as const;
const PARTS = ['power-off', 'planned-move', 'local-switch'] as const;
type Part = (typeof PARTS)[number];
const VARIANTS = ['plain', 'mac'] as const;
type Variant = (typeof VARIANTS)[number];

const MAC = '02:ba:73:00:00:64';
const CLIENT = 'client';

export interface MacFigures {
  part: Part;
  /** Longest gap between answers of each run, milliseconds. */
  outagesMs: Record<Variant, number[]>;
  /** Runs with the MAC after which the client's neighbour entry was what it had been before, of how many. */
  unchanged: number;
  runs: number;
  failures: string[];
}

/** One network with its daemons: strikes once, and calls `look` before it mends. */
interface Stand {
  lab: NamespacesLab;
  address: string;
  untilWell(): Promise<void>;
  run(look: () => Promise<void>): Promise<number | undefined>;
  down(): Promise<void>;
}

async function takeoverStand(part: Exclude<Part, 'local-switch'>, variant: Variant): Promise<Stand> {
  const [timing] = takeover.timings();
  const contender = await takeover.batonOf(timing!, 1, variant === 'mac' ? MAC : undefined);
  const addresses = floatingAddresses(1);
  return {
    lab: contender.lab,
    address: addresses[0]!,
    untilWell: () => takeover.untilWell(contender.lab, addresses),
    async run(look) {
      const figures = { blow: part, detectionMs: timing!.nodeTimeoutMs, outagesMs: [], spreadMs: [], twoHoldersMs: [] };
      await takeover.runOnce(contender, figures, addresses, look);
      return figures.outagesMs[0];
    },
    down: () => contender.down(),
  };
}

async function switchStand(variant: Variant): Promise<Stand> {
  const lab = await outage.raise(switchNetwork('plain', 'default', variant === 'mac' ? 'follow' : undefined), true);
  return {
    lab,
    address: ADDRESS,
    untilWell: () => outage.untilWell(lab),
    async run(look) {
      const figures = { outagesMs: [], backMs: [], tcpAlive: 0 };
      await outage.runBaton(lab, { fault: parseFault('cut alpha.eth0') }, figures, look);
      return figures.outagesMs[0];
    },
    down: () => outage.takeDown(lab),
  };
}

async function measure(part: Part, runs: number, say: (line: string) => void): Promise<MacFigures> {
  const figures: MacFigures = { part, outagesMs: { plain: [], mac: [] }, unchanged: 0, runs, failures: [] };
  const stands: Partial<Record<Variant, Stand>> = {};
  try {
    for (const variant of VARIANTS)
      stands[variant] = await (part === 'local-switch' ? switchStand(variant) : takeoverStand(part, variant));
    for (let run = 1; run <= runs; run++)
      for (const variant of VARIANTS) {
        await runOne(figures, variant, stands[variant]!).catch((error: unknown) =>
          figures.failures.push(`run ${run}, ${variant}: ${error instanceof Error ? error.message : String(error)}`),
        );
        const last = figures.outagesMs[variant].at(-1)?.toFixed(1) ?? 'none';
        say(`${part}, ${variant}: run ${run} of ${runs}, outage ${last} ms`);
      }
  } catch (error) {
    figures.failures.push(`lab: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    for (const stand of Object.values(stands)) await stand.down();
  }
  return figures;
}

async function runOne(figures: MacFigures, variant: Variant, stand: Stand): Promise<void> {
  await stand.untilWell();
  const before = await stand.lab.neighbour(CLIENT, stand.address);
  let after: string | null = null;
  const outageMs = await stand.run(async () => {
    after = await stand.lab.neighbour(CLIENT, stand.address);
  });
  if (outageMs !== undefined) figures.outagesMs[variant].push(outageMs);
  if (variant === 'mac' && before !== null && before === after) figures.unchanged++;
}

export function missedMac(all: readonly MacFigures[]): string[] {
  return all.flatMap(({ part, outagesMs, unchanged, runs, failures }) => [
    ...failures.map((failure) => `${part}: ${failure}`),
    ...VARIANTS.filter((variant) => spreadOf(outagesMs[variant]) === null).map((it) => `${part}: no run of ${it}`),
    ...(unchanged < runs ? [`${part}: the client's entry was unchanged after ${unchanged} of ${runs}`] : []),
  ]);
}

export function showMac(all: readonly MacFigures[]): string[] {
  const head = ['case', 'plain', 'with the MAC', 'entry unchanged'];
  const rows = all.map(({ part, outagesMs, unchanged, runs }) => [
    ...[part, showSpread(outagesMs.plain), showSpread(outagesMs.mac), `${unchanged}/${runs}`],
  ]);
  return [
    '',
    'Outage in ms, seen by a client that pings each millisecond: median (range)',
    '',
    ...table([head, ...rows]),
  ];
}

export const mac: Bench = {
  usage: `[--runs N] [--only ${PARTS.join(',')}] [--json]`,
  async run(words, say) {
    const { runs, parts } = read(words);
    const figures: MacFigures[] = [];
    for (const part of parts) figures.push(await measure(part, runs, say));
    return { figures: { macs: figures }, text: showMac(figures), missed: missedMac(figures) };
  },
};

function read(words: readonly string[]): { runs: number; parts: readonly Part[] } {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    return { runs: count('runs', values.runs, 5), parts: choice('only', values.only, PARTS) };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}
