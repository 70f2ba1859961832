/** Takeovers by baton and by keepalived, side by side in one run. */
import { parseArgs } from 'node:util';
import { choice, count, UsageError, type Bench } from './bench.js';
import { spreadOf } from './figures.js';
import { missing } from './keepalived.js';
import { measureSteadiness, type SteadinessFigures } from './steadiness.js';
import { showSpread, table } from './table.js';
import { BLOWS, measureTakeovers, timings, type TakeoverFigures } from './takeover.js';

const OPTIONS = {
  runs: { type: 'string' },
  only: { type: 'string' },
  timing: { type: 'string' },
  addresses: { type: 'string' },
  idle: { type: 'string' },
  stress: { type: 'string' },
  json: { type: 'boolean' },
} as const;
const PARTS = [...BLOWS, 'steadiness'] as const;
const TIMINGS = ['default', '1s', '200ms', '60ms'] as const;
const PROGRAMS = ['baton', 'keepalived'] as const;
/** DESIGN 16. */
const POWER_OFF_OVER_MS = 50;
const PLANNED_MS = 10;
const SPREAD_MS = 150;

function read(words: readonly string[]) {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    const counts = (values.addresses ?? '1').split(',').map((text) => count('addresses', text, 1));
    return {
      runs: count('runs', values.runs, 5),
      parts: choice('only', values.only, PARTS),
      timing: choice('timing', values.timing, TIMINGS),
      counts,
      idleS: count('idle', values.idle, 600),
      stressS: count('stress', values.stress, 60),
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

export const takeover: Bench = {
  usage: `[--runs N] [--only ${PARTS.join(',')}] [--timing ${TIMINGS.join(',')}] [--addresses 1,100,500] [--idle S] [--stress S] [--json]`,
  async run(words, say) {
    const { runs, parts, timing, counts, idleS, stressS } = read(words);
    const refusal = missing();
    if (refusal !== null) throw new UsageError(refusal);
    const chosen = timings().filter((_, i) => timing.includes(TIMINGS[i]!));
    const blows = BLOWS.filter((blow) => parts.includes(blow));
    const takeovers: TakeoverFigures[] = [];
    const steadiness: SteadinessFigures[] = [];
    for (const each of chosen) {
      for (const addresses of blows.length > 0 ? counts : [])
        for (const program of PROGRAMS)
          takeovers.push(...(await measureTakeovers(program, each, addresses, blows, runs, say)));
      if (parts.includes('steadiness'))
        for (const program of PROGRAMS) steadiness.push(await measureSteadiness(program, each, idleS, stressS, say));
    }
    const text = [...showTakeovers(takeovers), ...showSteadiness(steadiness)];
    return {
      figures: { takeovers, steadiness },
      text,
      missed: [...missedTakeovers(takeovers), ...missedSteadiness(steadiness)],
    };
  },
};

function showTakeovers(all: readonly TakeoverFigures[]): string[] {
  if (all.length === 0) return [];
  const head = [
    'blow',
    'timing',
    'addresses',
    'program',
    'given up after',
    'outage ms',
    'first to last ms',
    'two holders ms',
  ];
  const rows = all.map((figures) => [
    figures.blow,
    figures.timing,
    `${figures.addresses}`,
    figures.program,
    `${figures.detectionMs.toFixed(0)}`,
    showSpread(figures.outagesMs),
    showSpread(figures.spreadMs),
    showSpread(figures.twoHoldersMs),
  ]);
  return ['', 'Takeover, seen by a client that pings each millisecond: median (range)', '', ...table([head, ...rows])];
}

function showSteadiness(all: readonly SteadinessFigures[]): string[] {
  if (all.length === 0) return [];
  const head = ['timing', 'program', 'idle s', 'moves', 'stress s', 'moves', 'CPU % of a core', 'resident MB'];
  const rows = all.map((figures) => [
    figures.timing,
    figures.program,
    `${figures.idleS}`,
    `${figures.idleMoves}`,
    `${figures.stressS}`,
    `${figures.stressMoves}`,
    figures.cpuPercent.toFixed(2),
    figures.rssMb.toFixed(0),
  ]);
  return ['', 'Nothing fails: idle, then 4 busy loops', '', ...table([head, ...rows])];
}

const nameOf = ({ program, blow, timing, addresses }: TakeoverFigures): string =>
  `${program}, ${blow}, ${timing}, ${addresses} addresses`;

function missedTakeovers(all: readonly TakeoverFigures[]): string[] {
  return all.flatMap((figures) => {
    const failures = figures.failures.map((failure) => `${nameOf(figures)}: ${failure}`);
    if (figures.program !== 'baton') return failures;
    const outage = spreadOf(figures.outagesMs)?.median ?? Infinity;
    const rival = all.find(
      (other) =>
        other.program === 'keepalived' &&
        other.blow === figures.blow &&
        other.timing === figures.timing &&
        other.addresses === figures.addresses,
    );
    const rivalMs = spreadOf(rival?.outagesMs ?? [])?.median;
    const broken: string[] = [];
    const promise = (kept: boolean, text: string): void => {
      if (!kept) broken.push(`${nameOf(figures)}: ${text}`);
    };
    if (figures.blow === 'power-off' && figures.addresses === 1) {
      const budget = figures.detectionMs + POWER_OFF_OVER_MS;
      promise(outage <= budget, `outage ${outage.toFixed(1)} ms, budget ${budget} ms`);
      if (rivalMs !== undefined && figures.timing !== 'own default')
        promise(outage <= rivalMs, `outage ${outage.toFixed(1)} ms, keepalived ${rivalMs.toFixed(1)} ms`);
    }
    if ((figures.blow === 'planned-move' || figures.blow === 'orderly-stop') && figures.addresses === 1)
      promise(outage <= PLANNED_MS, `outage ${outage.toFixed(1)} ms, budget ${PLANNED_MS} ms`);
    promise(
      Math.max(0, ...figures.spreadMs) <= SPREAD_MS,
      `last ${Math.max(0, ...figures.spreadMs).toFixed(0)} ms after first, budget ${SPREAD_MS} ms`,
    );
    const two = Math.max(0, ...figures.twoHoldersMs);
    promise(two === 0, `two holders for ${two.toFixed(0)} ms`);
    return [...failures, ...broken];
  });
}

function missedSteadiness(all: readonly SteadinessFigures[]): string[] {
  return all.flatMap((figures) => {
    if (figures.failure !== undefined) return [`${figures.program}, ${figures.timing}: ${figures.failure}`];
    if (figures.program !== 'baton') return [];
    const rival = all.find((other) => other.program === 'keepalived' && other.timing === figures.timing);
    const moves = figures.idleMoves + figures.stressMoves;
    const allowed = rival === undefined || rival.failure !== undefined ? 0 : rival.idleMoves + rival.stressMoves;
    return moves > allowed ? [`${figures.timing}: ${moves} false moves, keepalived ${allowed}`] : [];
  });
}
