/** Blows that belong together: what an operator, a power cut, or a bad day in the rack does to several nodes in turn. */
import type { Random } from '../../../drivers/simulator/random.js';
import type { Ms } from '../../input.js';
import type { OperatorRequest } from '../../status.js';
import { chance, pick, shuffled, spanOf } from './dice.js';
import { LONG } from './kinds.js';
import type { Blow } from './schedule.js';
import type { Drawn } from './topology.js';

interface Campaign {
  /** Of all seeds. */
  share: number;
  draw: (random: Random, drawn: Drawn, at: Ms) => Blow[];
}

function strike(at: Ms, fault: string, healAfterMs: Ms | null = null): Blow {
  return { at, do: 'inflict', fault, healAfterMs };
}

/** The power goes everywhere at once, and comes back at once or nearly so. */
function blackout(random: Random, { nodes }: Drawn, at: Ms): Blow[] {
  const healAfterMs = spanOf(random, LONG);
  const apart = pick(random, [0, 0, 400]);
  return nodes.map((name, n) => strike(at, `power-off ${name}`, healAfterMs + n * apart));
}

/** Links of some nodes stop one by one, and come back in another order (FoundationDB's swizzle). */
function swizzle(random: Random, { nics }: Drawn, at: Ms): Blow[] {
  const verb = pick(random, ['cut', 'drop both', 'drop in', 'drop out', 'clog']);
  const chosen = shuffled(random, nics).slice(0, 2 + Math.floor(random.unit() * (nics.length - 1)));
  const apart = spanOf(random, [5, 600]);
  const stoppedFor = spanOf(random, [50, 3000]);
  const back = shuffled(random, chosen);
  const end = at + chosen.length * apart + stoppedFor;
  return chosen.map((nic, n) => {
    const stop = Math.round(at + n * apart);
    return strike(stop, `${verb} ${nic}`, Math.round(end + back.indexOf(nic) * apart) - stop);
  });
}

/** A node comes back without its disk, or with a damaged record; whether that may be is looked at when it falls. */
function loss(random: Random, drawn: Drawn, at: Ms): Blow[] {
  const name = pick(random, drawn.nodes);
  const how = pick(random, ['disk-lost', 'disk-lost', 'disk-torn']);
  return [strike(at, `${how} ${name}`), strike(at, `power-off ${name}`, spanOf(random, LONG))];
}

function rolling(random: Random, { nodes }: Drawn, at: Ms): Blow[] {
  const apart = spanOf(random, [100, 4000]);
  const how = pick(random, ['restart', 'restart', 'stop', 'power-off', 'kill']);
  return shuffled(random, nodes).map((name, n) =>
    strike(at + n * apart, `${how} ${name}`, how === 'restart' ? null : spanOf(random, [1, 1500])),
  );
}

/** All go over to another cluster file, one after the other, or some of them only. */
function newFile(random: Random, { nodes, scenario }: Drawn, at: Ms): Blow[] {
  if (Object.keys(scenario.later).length === 0) return [];
  const apart = spanOf(random, [50, 3000]);
  const some = shuffled(random, nodes).slice(0, 1 + Math.floor(random.unit() * nodes.length));
  return some.flatMap((name, n) => [
    strike(at + n * apart, `new-file ${name}`),
    strike(at + n * apart + 1, `restart ${name}`),
  ]);
}

/** What an operator did not finish here he finishes in the end. */
function rotation(random: Random, { nodes }: Drawn, at: Ms): Blow[] {
  const [first, ...others] = nodes;
  const apart = spanOf(random, [100, 1500]);
  const copied = (from: Ms): Blow[] => others.map((name, n) => strike(from + n * apart, `copy-key ${first} ${name}`));
  const key = (when: Ms, command: string): Blow => ({ at: when, do: 'command', node: first!, command });
  const middle = at + (others.length + 1) * apart + 1500;
  const all = [
    key(at, 'keygen --rotate'),
    ...copied(at + 100),
    key(middle, 'keygen --rotate --finish'),
    ...copied(middle + 100),
  ];
  return chance(random, 0.3) ? all.slice(0, 2) : all;
}

function removal(random: Random, { nodes }: Drawn, at: Ms): Blow[] {
  if (nodes.length < 2) return [];
  const [gone, other] = shuffled(random, nodes) as [string, string];
  const asks = [2500, 4000].map((later): Blow => ({
    at: at + later,
    do: 'ask',
    node: other,
    request: { ask: 'node-remove', node: gone },
  }));
  return [strike(at, `power-off ${gone}`, spanOf(random, [3000, 9000])), ...asks];
}

type Request = (random: Random, drawn: Drawn) => OperatorRequest;

/** So many times, a while apart. */
function asked(request: Request, share: number, times: readonly number[] = [1, 2, 4]): Campaign {
  return {
    share,
    draw: (random, drawn, at) =>
      Array.from({ length: pick(random, times) }, (_, n): Blow => {
        const asks = pick(random, drawn.nodes);
        return { at: at + n * spanOf(random, [50, 3000]), do: 'ask', node: asks, request: request(random, drawn) };
      }),
  };
}

function primaryOf(random: Random, { scenario }: Drawn): string {
  return pick(random, Object.keys(Object.values(scenario.topology.nodes)[0]!));
}

export const CAMPAIGNS: Readonly<Record<string, Campaign>> = {
  blackout: { share: 0.12, draw: blackout },
  swizzle: { share: 0.15, draw: swizzle },
  loss: { share: 0.12, draw: loss },
  'second loss': { share: 0.05, draw: loss },
  rolling: { share: 0.12, draw: rolling },
  'new-file': { share: 0.4, draw: newFile },
  rotation: { share: 0.08, draw: rotation },
  removal: { share: 0.05, draw: removal },
  move: asked((r, d) => ({ ask: 'package-move', package: pick(r, d.packages), to: pick(r, d.nodes) }), 0.35, [2, 5, 9]),
  takeover: asked((r, d) => ({ ask: 'takeover', node: pick(r, d.nodes) }), 0.12),
  surrender: asked(() => ({ ask: 'surrender' }), 0.12),
  halt: asked((r, d) => ({ ask: 'package-halt', package: pick(r, d.packages) }), 0.08),
  disable: asked((r, d) => ({ ask: 'package-disable', package: pick(r, d.packages) }), 0.05),
  'node-halt': asked((r, d) => ({ ask: 'node-halt', node: pick(r, d.nodes) }), 0.06),
  'cluster-halt': asked(() => ({ ask: 'cluster-halt' }), 0.03, [1]),
  switch: asked(() => ({ ask: 'link-switch', net: 'public' }), 0.1),
  lock: asked((r, d) => ({ ask: 'link-lock', nic: primaryOf(r, d), owner: 'explorer', reason: '' }), 0.05, [1]),
  'slow disk': {
    share: 0.08,
    draw: (random, drawn, at) => [
      { at, do: 'slow-disk', node: pick(random, drawn.nodes), times: pick(random, [5, 40]) },
    ],
  },
};
