/** Draws the blows of one seed, swarm style: each seed has its own few kinds of them and its own pace. */
import type { Random } from '../../../drivers/simulator/random.js';
import type { Ms } from '../../input.js';
import type { ClusterRequest } from '../../status.js';
import { chance, pick, shuffled, type Drawn } from './topology.js';

export type Blow =
  /** As the scenario language has it, with COORDINATOR and HOLDER for nodes, and besides `isolate NODE`: split it from all others. */
  | { at: Ms; do: 'inflict'; fault: string; healAfterMs: Ms | null }
  | { at: Ms; do: 'ask'; node: string; request: ClusterRequest }
  /** The disk of that node takes so many times as long. */
  | { at: Ms; do: 'slow-disk'; node: string; times: number };

export interface Schedule {
  /** Harmless weather only: then nothing may move. */
  isMild: boolean;
  blows: Blow[];
  endsAt: Ms;
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

type Draw = (random: Random, drawn: Drawn) => Pick<Extract<Blow, { do: 'inflict' }>, 'fault' | 'healAfterMs'>;

const BRIEF: [Ms, Ms] = [50, 1500];
const LONG: [Ms, Ms] = [200, 6000];

function after(random: Random, [from, to]: [Ms, Ms]): Ms {
  return Math.round(from * (to / from) ** random.unit());
}

function healed(fault: (random: Random, drawn: Drawn) => string, span: [Ms, Ms] = LONG): Draw {
  return (random, drawn) => ({ fault: fault(random, drawn), healAfterMs: after(random, span) });
}

function once(fault: (random: Random, drawn: Drawn) => string): Draw {
  return (random, drawn) => ({ fault: fault(random, drawn), healAfterMs: null });
}

/** Words that stand for a node until the blow falls. */
export const COORDINATOR = 'coordinator';
export const HOLDER = 'holder';

/** Often whoever is coordinator, or holds the first package, when the blow falls: there it hurts. */
function node(random: Random, { nodes }: Drawn): string {
  const at = random.unit();
  return at < 0.3 ? COORDINATOR : at < 0.5 ? HOLDER : pick(random, nodes);
}

function nic(random: Random, drawn: Drawn): string {
  return pick(random, drawn.nics).replace(/^[a-z]+/, node(random, drawn));
}

const ROUGH: Record<string, Draw> = {
  'power-off': healed((r, d) => `power-off ${node(r, d)}`),
  kill: healed((r, d) => `kill ${node(r, d)}`),
  restart: once((r, d) => `restart ${node(r, d)}`),
  stop: healed((r, d) => `stop ${node(r, d)}`),
  freeze: healed((r, d) => `freeze ${node(r, d)}`),
  stutter: once((r, d) => `freeze-for ${node(r, d)} ${after(r, BRIEF)}ms`),
  split: healed((r, d) => `split ${groups(r, d)}`),
  isolate: healed((r, d) => `isolate ${node(r, d)}`),
  block: healed(
    (r, d) =>
      `block ${shuffled(r, [...d.nodes, COORDINATOR, ...(d.hasArbiter ? ['arbiter'] : [])])
        .slice(0, 2)
        .join(' ')}`,
  ),
  cut: healed((r, d) => `cut ${nic(r, d)}`),
  drop: healed((r, d) => `drop ${pick(r, ['in', 'out', 'both'])} ${nic(r, d)}`),
  'admin-down': healed((r, d) => `admin-down ${nic(r, d)}`),
  loss: healed((r) => `loss ${pick(r, [5, 20, 50])}%`),
  'loss-one': healed((r, d) => `loss ${pick(r, [20, 60, 90])}% ${nic(r, d)}`),
  duplicate: healed((r) => `duplicate ${pick(r, [10, 60])}%`),
  reorder: healed((r) => `reorder ${pick(r, [10, 60])}%`),
  'switch-off': healed((r, d) => `switch-off ${pick(r, d.switches)}`, BRIEF),
  'switch-mute': healed((r, d) => `switch-mute ${pick(r, d.switches)}`, BRIEF),
  'disk-full': healed((r, d) => `disk-full ${node(r, d)}`),
  'add-address': healed((r, d) => {
    const address = pick(r, d.addresses);
    return `add-address ${node(r, d)}.eth0 ${address}/${address.includes(':') ? 128 : 32}`;
  }),
  'remove-address': once((r, d) => `remove-address ${node(r, d)} ${pick(r, d.addresses)}`),
  'flush-firewall': once((r, d) => `flush-firewall ${node(r, d)}`),
  claim: healed((r, d) => `claim router ${pick(r, d.addresses)}`, BRIEF),
  replay: once((r, d) => `replay ${pick(r, d.switches)}`),
};

const ARBITER: Record<string, Draw> = {
  'arbiter-off': healed(() => 'arbiter-off'),
  'arbiter-freeze': healed(() => 'arbiter-freeze'),
};

/**
 * Blows that only a disk knows. A torn block is not among them: with the state of its node lost as well, what the arbiter
 * knew is gone, and only an operator can go on.
 */
const DISK: Record<string, Draw> = {
  'arbiter-slow': healed((r) => `arbiter-slow ${pick(r, ['50ms', '400ms', '10s'])}`),
  'arbiter-stale': healed(() => 'arbiter-stale'),
  'arbiter-read-only': healed(() => 'arbiter-read-only'),
};

const LINE: Record<string, Draw> = {
  'serial-cut': healed(() => 'serial-cut'),
  'serial-unplug': healed((r, d) => `serial-unplug ${pick(r, d.nodes)}`),
  'serial-noise': healed((r) => `serial-noise ${pick(r, [0.1, 1, 20])}%`),
};

function groups(random: Random, { nodes, hasArbiter }: Drawn): string {
  const all = shuffled(random, [...nodes, ...(hasArbiter && chance(random, 0.7) ? ['arbiter'] : [])]);
  const at = 1 + Math.floor(random.unit() * (all.length - 1));
  const parts = [all.slice(0, at), all.slice(at)];
  if (parts[1]!.length > 1 && chance(random, 0.2)) parts.push(parts[1]!.splice(0, 1));
  return parts.map((part) => part.join(',')).join('|');
}

export function drawSchedule(random: Random, drawn: Drawn): Schedule {
  const isMild = chance(random, 0.12);
  const blows: Blow[] = isMild ? weather(random) : rough(random, drawn);
  const driftPpm: Record<string, number> = {};
  const drifts = chance(random, 0.5);
  for (const name of drawn.nodes) driftPpm[name] = drifts ? Math.round(random.between(-1000, 1000)) : 0;
  return {
    isMild,
    blows: blows.sort((a, b) => a.at - b.at),
    endsAt: Math.max(4000, ...blows.map(({ at }) => at)) + 500,
    pauses: isMild ? { effect: NONE, gate: NONE } : drawPauses(random),
    startsTogether: chance(random, 0.5),
    driftPpm,
  };
}

function drawPauses(random: Random): Schedule['pauses'] {
  return {
    effect: pick(random, [NONE, NONE, { chance: 0.0005, maxMs: 2000 }, { chance: 0.003, maxMs: 300 }]),
    gate: pick(random, [NONE, NONE, { chance: 0.02, maxMs: 300 }, { chance: 0.01, maxMs: 4000 }]),
  };
}

/** Within what S10 allows, from the start to the end. */
function weather(random: Random): Blow[] {
  const faults = [
    ...(chance(random, 0.7) ? [`loss ${pick(random, [5, 10, 20])}%`] : []),
    ...(chance(random, 0.5) ? [`duplicate ${pick(random, [10, 50])}%`] : []),
    ...(chance(random, 0.5) ? [`reorder ${pick(random, [10, 50])}%`] : []),
  ];
  return faults.map((fault): Blow => ({ at: 8000, do: 'inflict', fault, healAfterMs: 25_000 }));
}

function rough(random: Random, drawn: Drawn): Blow[] {
  const known = {
    ...ROUGH,
    ...(drawn.hasArbiter ? ARBITER : {}),
    ...(drawn.hasDisk ? DISK : {}),
    ...(drawn.hasLine ? LINE : {}),
  };
  let kinds = Object.keys(known).filter(() => chance(random, 0.3));
  if (kinds.length === 0) kinds = ['power-off', 'freeze'];
  const moves = chance(random, 0.5);
  const gapMs = pick(random, [300, 800, 2000, 4000]);
  const until = pick(random, [12_000, 20_000, 30_000]);
  const blows: Blow[] = [];
  let lost = 0;
  for (let at = 2500; at < until; at += -gapMs * Math.log(1 - random.unit())) {
    const special = random.unit();
    if (moves && chance(random, 0.3)) blows.push({ at, do: 'ask', ...drawRequest(random, drawn) });
    else if (special < 0.03 && lost < drawn.mayLose) {
      lost++;
      blows.push(...loss(random, drawn, at));
    } else if (special > 0.97)
      blows.push({ at, do: 'slow-disk', node: pick(random, drawn.nodes), times: pick(random, [1, 5, 40]) });
    else if (special > 0.94) blows.push(...blackout(random, drawn, at));
    else blows.push({ at, do: 'inflict', ...known[pick(random, kinds)]!(random, drawn) });
  }
  return blows;
}

/** A node comes back without its disk. So often only that the voters left are a majority: nothing could bring back more. */
function loss(random: Random, drawn: Drawn, at: Ms): Blow[] {
  const name = pick(random, drawn.nodes);
  return [
    { at, do: 'inflict', fault: `disk-lost ${name}`, healAfterMs: null },
    { at, do: 'inflict', fault: `power-off ${name}`, healAfterMs: after(random, LONG) },
  ];
}

/** The power goes everywhere at once, and comes back at once or nearly so. */
function blackout(random: Random, { nodes }: Drawn, at: Ms): Blow[] {
  const healAfterMs = after(random, LONG);
  const apart = pick(random, [0, 0, 400]);
  return nodes.map((name, n): Blow => ({
    at,
    do: 'inflict',
    fault: `power-off ${name}`,
    healAfterMs: healAfterMs + n * apart,
  }));
}

function drawRequest(random: Random, drawn: Drawn): { node: string; request: ClusterRequest } {
  const asked = pick(random, drawn.nodes);
  const moved = pick(random, drawn.packages);
  const request = pick<ClusterRequest>(random, [
    { ask: 'package-move', package: moved, to: pick(random, drawn.nodes) },
    { ask: 'package-move', package: moved, to: pick(random, drawn.nodes) },
    { ask: 'takeover', node: pick(random, drawn.nodes) },
    { ask: 'surrender' },
  ]);
  return { node: asked, request };
}
