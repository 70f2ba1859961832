/** Draws which NIC of which node hangs on which switch, and which net it belongs to. */
import type { Random } from '../../../drivers/simulator/random.js';
import { chance, pick, weighted } from './dice.js';

export const ROUTER = { four: '10.77.0.254', six: 'fd77::fe' };
export const SECOND_TARGET = { four: '10.77.0.253', six: 'fd77::fd' };
export const ETCD = { four: '10.77.0.9', six: 'fd77::9' };

const PUBLIC = ['left', 'right', 'top'];
const PRIVATE = ['blue', 'green', 'red'];

/** A net as all nodes have it. */
export interface Wired {
  net: string;
  primary: string;
  standby: string[];
  kind: 'public' | 'private';
}

export interface Wiring {
  switches: string[];
  trunks: string[];
  /** node → NIC → switch. */
  nics: Record<string, Record<string, string>>;
  nets: Wired[];
}

export function drawWiring(random: Random, nodes: readonly string[]): Wiring {
  const cards = weighted(random.stream('cards'), [
    [62, 1],
    [30, 2],
    [8, 3],
  ]);
  const dice = random.stream('switches');
  const many = weighted<number>(dice, cards === 1 ? [[80, 1], [15, 2], [5, 3]] : [[20, 1], [60, 2], [20, 3]]); // prettier-ignore
  const open = PUBLIC.slice(0, many);
  const trunks = [...(many > 1 ? ['left-right'] : []), ...(many > 2 ? [pick(dice, ['left-top', 'right-top'])] : [])];
  // With one card each, switches matter only where nodes hang on different ones.
  const isCrossed = cards === 1 || chance(dice, 0.25);
  const privates = drawPrivates(random.stream('private'));
  const hasLan = cards > 1 && chance(random.stream('lan'), 0.08);
  const nics: Wiring['nics'] = {};
  for (const [n, name] of nodes.entries()) {
    const mine: Record<string, string> = {};
    for (let i = 0; i < cards; i++) mine[`eth${i}`] = open[(i + (isCrossed ? n : 0)) % many]!;
    if (hasLan) mine['lan0'] = open[0]!;
    for (const { primary, standby, at } of privates) for (const nic of [primary, ...standby]) mine[nic] = at;
    nics[name] = mine;
  }
  const standby = Array.from({ length: cards - 1 }, (_, i) => `eth${i + 1}`);
  const nets: Wired[] = [
    { net: 'public', primary: 'eth0', standby, kind: 'public' },
    // The last standby serves both: they are one bridged net.
    ...(hasLan ? [{ net: 'lan', primary: 'lan0', standby: standby.slice(-1), kind: 'public' } as const] : []),
    ...privates.map(({ net, primary, standby: spare }) => ({ net, primary, standby: spare, kind: 'private' }) as const),
  ];
  return { switches: [...open, ...privates.map(({ at }) => at)], trunks, nics, nets };
}

function drawPrivates(random: Random) {
  const count = weighted(random, [
    [30, 0],
    [40, 1],
    [22, 2],
    [8, 3],
  ]);
  return PRIVATE.slice(0, count).map((at, i) => ({
    at,
    net: `private${i}`,
    primary: `hb${i}`,
    standby: chance(random, 0.08) ? [`hs${i}`] : [],
  }));
}
