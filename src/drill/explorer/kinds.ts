/** Kinds of single blows, and how many seeds have each. */
import type { Random } from '../../../drivers/simulator/random.js';
import type { Ms } from '../../input.js';
import { chance, pick, shuffled, spanOf } from './dice.js';
import type { Drawn } from './topology.js';

/** Words that stand for a node until the blow falls. */
export const COORDINATOR = 'coordinator';
export const HOLDER = 'holder';
/** Where an operator sits down who needs any node that runs. */
export const AWAKE = 'awake';

interface Struck {
  fault: string;
  /** Null: it ends by itself. */
  healAfterMs: Ms | null;
}

export interface Kind {
  /** Of all seeds that could have it. */
  share: number;
  draw: (random: Random, drawn: Drawn) => Struck;
}

type Text = (random: Random, drawn: Drawn) => string;

export const BRIEF = [50, 1500] as const;
export const LONG = [200, 6000] as const;
const SHARE = 0.2;

function healed(fault: Text, span: readonly [Ms, Ms] = LONG, share = SHARE): Kind {
  return { share, draw: (random, drawn) => ({ fault: fault(random, drawn), healAfterMs: spanOf(random, span) }) };
}

function once(fault: Text, share = SHARE): Kind {
  return { share, draw: (random, drawn) => ({ fault: fault(random, drawn), healAfterMs: null }) };
}

/** Often whoever is coordinator, or holds the first package, when the blow falls: there it hurts. */
export function node(random: Random, { nodes }: Drawn): string {
  const at = random.unit();
  return at < 0.3 ? COORDINATOR : at < 0.5 ? HOLDER : pick(random, nodes);
}

export function nic(random: Random, drawn: Drawn): string {
  return pick(random, drawn.nics).replace(/^[a-z]+/, node(random, drawn));
}

function trunk(random: Random, { scenario }: Drawn): string {
  return pick(random, scenario.topology.trunks);
}

/** In either direction. */
function directed(random: Random, drawn: Drawn): string {
  const ends = trunk(random, drawn).split('-');
  return (chance(random, 0.5) ? ends : ends.reverse()).join('-');
}

const ROUGH: Record<string, Kind> = {
  'power-off': healed((r, d) => `power-off ${node(r, d)}`, LONG, 0.3),
  reset: healed((r, d) => `power-off ${node(r, d)}`, [1, 2]),
  kill: healed((r, d) => `kill ${node(r, d)}`, LONG, 0.3),
  restart: once((r, d) => `restart ${node(r, d)}`),
  stop: healed((r, d) => `stop ${node(r, d)}`),
  freeze: healed((r, d) => `freeze ${node(r, d)}`, LONG, 0.3),
  stutter: once((r, d) => `freeze-for ${node(r, d)} ${spanOf(r, BRIEF)}ms`, 0.3),
  split: healed((r, d) => `split ${groups(r, d)}`, LONG, 0.3),
  isolate: healed((r, d) => `isolate ${node(r, d)}`, LONG, 0.3),
  block: healed((r, d) => `block ${pair(r, d)}`, LONG, 0.3),
  cut: healed((r, d) => `cut ${nic(r, d)}`),
  drop: healed((r, d) => `drop ${pick(r, ['in', 'out', 'both'])} ${nic(r, d)}`),
  clog: healed((r, d) => `clog ${nic(r, d)}`),
  'admin-down': healed((r, d) => `admin-down ${nic(r, d)}`, LONG, 0.1),
  flap: once((r, d) => `flap ${nic(r, d)} ${spanOf(r, [10, 800])}ms ${spanOf(r, [10, 800])}ms ${pick(r, [2, 4])}`, 0.1),
  loss: healed((r) => `loss ${pick(r, [5, 20, 50])}%`),
  'loss-one': healed((r, d) => `loss ${pick(r, [20, 60, 90])}% ${nic(r, d)}`),
  delay: healed((r) => `delay ${pick(r, [2, 20, 100, 400])}ms`, LONG, 0.12),
  'delay-one': healed((r, d) => `delay ${pick(r, [5, 50, 300, 1500])}ms ${nic(r, d)}`, LONG, 0.12),
  duplicate: healed((r) => `duplicate ${pick(r, [10, 60])}%`),
  reorder: healed((r) => `reorder ${pick(r, [10, 60])}%`),
  corrupt: healed((r) => `corrupt ${pick(r, [1, 10, 40])}%`, LONG, 0.12),
  'switch-off': healed((r, d) => `switch-off ${pick(r, d.switches)}`, BRIEF),
  'switch-mute': healed((r, d) => `switch-mute ${pick(r, d.switches)}`, BRIEF),
  'disk-full': healed((r, d) => `disk-full ${node(r, d)}`, LONG, 0.12),
  'disk-read-only': healed((r, d) => `disk-read-only ${node(r, d)}`, LONG, 0.08),
  'disk-slow': healed((r, d) => `disk-slow ${node(r, d)} ${pick(r, [5, 40, 200])}`, LONG, 0.15),
  'kernel-slow': healed((r, d) => `kernel-slow ${node(r, d)} ${pick(r, [20, 200, 200])}ms`, LONG, 0.15),
  'add-address': healed((r, d) => `add-address ${node(r, d)}.eth0 ${added(r, d)}`, LONG, 0.15),
  'remove-address': once((r, d) => `remove-address ${node(r, d)} ${pick(r, d.addresses)}`, 0.15),
  'flush-firewall': once((r, d) => `flush-firewall ${node(r, d)}`, 0.15),
  manager: healed((r, d) => `manager ${node(r, d)}.eth0`, [2000, 9000], 0.06),
  claim: healed((r, d) => `claim ${pick(r, ['router', 'printer'])} ${pick(r, d.addresses)}`, BRIEF, 0.12),
  replay: once((r, d) => `replay ${pick(r, d.switches)}`, 0.12),
  target: healed(() => 'client-off router', LONG, 0.1),
};

const TRUNKED: Record<string, Kind> = {
  trunk: healed((r, d) => `trunk ${trunk(r, d)}`, LONG, 0.3),
  'drop-trunk': healed((r, d) => `drop-trunk ${directed(r, d)}`),
  'clog-trunk': healed((r, d) => `clog-trunk ${trunk(r, d)}`),
};

const ARBITER: Record<string, Kind> = {
  'arbiter-off': healed(() => 'arbiter-off', LONG, 0.3),
  'arbiter-freeze': healed(() => 'arbiter-freeze'),
  'arbiter-slow': healed((r) => `arbiter-slow ${pick(r, ['50ms', '400ms', '10s'])}`),
  'arbiter-forget': once(() => 'arbiter-forget', 0.12),
};

/** Blows that only a disk knows. */
const DISK: Record<string, Kind> = {
  'arbiter-stale': healed(() => 'arbiter-stale'),
  'arbiter-read-only': healed(() => 'arbiter-read-only'),
  'arbiter-full': healed(() => 'arbiter-full', LONG, 0.1),
  'arbiter-foreign': healed(() => 'arbiter-foreign', LONG, 0.1),
  'arbiter-torn': once((r, d) => `arbiter-torn ${node(r, d)}`, 0.15),
};

const LINE: Record<string, Kind> = {
  'serial-cut': healed(() => 'serial-cut', LONG, 0.3),
  'serial-unplug': healed((r, d) => `serial-unplug ${pick(r, d.nodes)}`),
  'serial-noise': healed((r) => `serial-noise ${pick(r, [0.1, 1, 20])}%`),
};

const FENCES: Record<string, Kind> = {
  'fence-fail': healed((r, d) => `fence-fail ${device(r, d)}`),
  'fence-hang': healed((r, d) => `fence-hang ${device(r, d)}`),
  'fence-slow': healed((r, d) => `fence-slow ${device(r, d)} ${pick(r, [300, 3000])}ms`),
};

export function kindsFor(drawn: Drawn): Record<string, Kind> {
  const { hasArbiter, hasDisk, hasLine, nodes, scenario } = drawn;
  const alone = ['split', 'block', 'isolate'];
  const known =
    nodes.length > 1 ? ROUGH : Object.fromEntries(Object.entries(ROUGH).filter(([name]) => !alone.includes(name)));
  return {
    ...known,
    ...(scenario.topology.trunks.length > 0 && TRUNKED),
    ...(hasArbiter && ARBITER),
    ...(hasDisk && DISK),
    ...(hasLine && LINE),
    ...(Object.keys(scenario.topology.fences).length > 0 && FENCES),
  };
}

function device(random: Random, { scenario }: Drawn): string {
  return pick(random, Object.keys(scenario.topology.fences));
}

function added(random: Random, { addresses }: Drawn): string {
  const address = pick(random, addresses);
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

function pair(random: Random, { nodes, hasArbiter }: Drawn): string {
  const all = [...nodes, COORDINATOR, ...(hasArbiter ? ['arbiter'] : [])];
  return shuffled(random, all).slice(0, 2).join(' ');
}

function groups(random: Random, { nodes, hasArbiter }: Drawn): string {
  const all = shuffled(random, [...nodes, ...(hasArbiter && chance(random, 0.7) ? ['arbiter'] : [])]);
  const at = 1 + Math.floor(random.unit() * (all.length - 1));
  const parts = [all.slice(0, at), all.slice(at)];
  if (parts[1]!.length > 1 && chance(random, 0.2)) parts.push(parts[1]!.splice(0, 1));
  return parts.map((part) => part.join(',')).join('|');
}
