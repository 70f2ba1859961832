/** Draws the blows of one seed, swarm style: each seed has its own few kinds of them and its own pace. */
import { Random } from '../../../drivers/simulator/random.js';
import type { Ms } from '../../input.js';
import type { OperatorRequest } from '../../status.js';
import { CAMPAIGNS } from './campaigns.js';
import { chance, pick, spanOf } from './dice.js';
import { kindsFor } from './kinds.js';
import type { Drawn } from './topology.js';
import { drawWeather } from './weather.js';

export type Blow =
  /** As the scenario language has it, with COORDINATOR and HOLDER for nodes, and besides `isolate NODE`: split it from all others. */
  | { at: Ms; do: 'inflict'; fault: string; healAfterMs: Ms | null; evenIfOff?: true }
  | { at: Ms; do: 'ask'; node: string; request: OperatorRequest }
  /** What is no request to a daemon: `keygen --rotate`. */
  | { at: Ms; do: 'command'; node: string; command: string }
  /** The disk of that node takes so many times as long, from then on. */
  | { at: Ms; do: 'slow-disk'; node: string; times: number };

export interface Schedule {
  /** Harmless weather only: then nothing may move. */
  isMild: boolean;
  /** From then on; absent: once the start is surely over. */
  mildFromMs?: Ms;
  blows: Blow[];
  endsAt: Ms;
  /** At the end all nodes are healed; else a core of them, and the rest stays dead. */
  healsAll?: boolean;
  /** Stops before an effect of a daemon, and between two effects of its gate's hand. */
  pauses: { effect: Pauses; gate: Pauses };
  /** Do all daemons start in one moment? */
  startsTogether: boolean;
  /** Rate error of each node's clock. */
  driftPpm: Record<string, number>;
}

/** How likely each is, and how long; most are much shorter. */
interface Pauses {
  chance: number;
  maxMs: Ms;
}

const NONE: Pauses = { chance: 0, maxMs: 0 };

/** By then most clusters have a coordinator; some blows fall before. */
const FROM_MS: Ms = 2500;
const MILD_FROM_MS: Ms = 8000;
const MILD_UNTIL_MS: Ms = 22_000;
/** A seed has about so many kinds of blows; each comes as seldom as would make the pace of all. */
const KINDS_OF_A_SEED = 7;

/** Each kind has dice of its own, so that a new kind leaves the blows of the others as they are. */
export function drawSchedule(seed: number, drawn: Drawn): Schedule {
  const random = new Random(seed).stream('schedule');
  const isMild = chance(random.stream('mild'), 0.1);
  const drawnBlows = isMild ? weather(random.stream('weather'), drawn) : rough(random, drawn);
  const blows = drawnBlows.map((blow) => ({ ...blow, at: Math.round(blow.at) })).sort((a, b) => a.at - b.at);
  return {
    isMild,
    blows,
    endsAt: isMild ? MILD_UNTIL_MS : Math.max(4000, ...blows.map(({ at }) => at)) + 500,
    pauses: isMild ? { effect: NONE, gate: NONE } : drawPauses(random.stream('pauses')),
    startsTogether: chance(random.stream('start'), 0.5),
    driftPpm: drawDrift(random.stream('drift'), drawn.nodes),
  };
}

function drawDrift(random: Random, nodes: readonly string[]): Record<string, number> {
  const isExact = chance(random, 0.5);
  const isExtreme = chance(random, 0.3);
  const ppm = (): number => (isExtreme ? pick(random, [-1000, 1000]) : Math.round(random.between(-1000, 1000)));
  return Object.fromEntries(nodes.map((name) => [name, isExact ? 0 : ppm()]));
}

function drawPauses(random: Random): Schedule['pauses'] {
  return {
    effect: pick(random, [NONE, NONE, { chance: 0.0005, maxMs: 2000 }, { chance: 0.003, maxMs: 300 }]),
    gate: pick(random, [NONE, NONE, { chance: 0.02, maxMs: 300 }, { chance: 0.01, maxMs: 4000 }]),
  };
}

/** Within what S10 allows, from the start to the end. */
function weather(random: Random, drawn: Drawn): Blow[] {
  return drawWeather(random, drawn).map((fault): Blow => ({
    at: MILD_FROM_MS,
    do: 'inflict',
    fault,
    healAfterMs: MILD_UNTIL_MS,
  }));
}

function rough(random: Random, drawn: Drawn): Blow[] {
  const pace = random.stream('pace');
  const gapMs = pick(pace, [300, 800, 2000, 4000]) * KINDS_OF_A_SEED;
  const until = pick(pace, drawn.nodes.length > 5 ? [10_000, 14_000] : [10_000, 16_000, 24_000]);
  const kinds = kindsFor(drawn);
  const blows = Object.entries(kinds).flatMap(([name, { share, draw }]) => {
    const dice = random.stream(`kind ${name}`);
    if (!chance(dice, share)) return [];
    const mine: Blow[] = [];
    const own = gapMs * spanOf(dice, [50, 200]) * 0.01;
    for (let at = FROM_MS - own * Math.log(1 - dice.unit()); at < until; at -= own * Math.log(1 - dice.unit()))
      mine.push({ at, do: 'inflict', ...draw(dice, drawn) });
    return mine;
  });
  const campaigns = Object.entries(CAMPAIGNS).flatMap(([name, { share, draw }]) => {
    const dice = random.stream(`campaign ${name}`);
    if (!chance(dice, share)) return [];
    return draw(dice, drawn, dice.between(FROM_MS, until));
  });
  const all = [...blows, ...campaigns];
  return all.length > 0 ? all : CAMPAIGNS['blackout']!.draw(random.stream('blackout'), drawn, FROM_MS);
}
