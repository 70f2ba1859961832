/** How an explored story ends: operators put in order what only they can. */
import { describe, expect, it } from 'vitest';
import { BY_HAND_AT_MS, keyCopies, puttingBack } from '../../../src/drill/explorer/ending.js';
import { drawSchedule, type Blow, type Schedule } from '../../../src/drill/explorer/schedule.js';
import { drawTopology, type Drawn } from '../../../src/drill/explorer/topology.js';

interface Net {
  mac?: string;
  autoSwitchBack?: boolean;
}

/** Whose net public lets the MAC follow, or does not, and goes home by itself, or by hand. */
function drawnWith(follows: boolean, goesHome = true): Drawn {
  for (let seed = 0; ; seed++) {
    const drawn = drawTopology(seed);
    const { nets } = drawn.scenario.cluster as { nets: Record<string, Net> };
    const { mac, autoSwitchBack = true } = nets['public'] ?? {};
    if (drawn.nodes.length > 1 && (mac === 'follow') === follows && autoSwitchBack === goesHome) return drawn;
  }
}

function scheduleOf(drawn: Drawn, blows: Blow[]): Schedule {
  return { ...drawSchedule(1, drawn), blows };
}

describe('L3: a MAC that could not follow where an operator put a net has an alarm until the net is put back', () => {
  const switched: Blow = { at: 3000, do: 'ask', node: 'alpha', request: { ask: 'link-switch', net: 'public' } };

  it('each node that is left puts it back (seed 21012)', () => {
    const drawn = drawnWith(true);
    const commands = puttingBack(scheduleOf(drawn, [switched]), drawn, ['beta']);
    expect(commands.length).toBeGreaterThan(0);
    for (const { node, command } of commands)
      expect(`${node}: ${command}`).toBe('beta: link switch --net public --to eth0');
  });

  it('each node puts back a net that goes home by hand alone (seed 111057)', () => {
    const drawn = drawnWith(true, false);
    const commands = puttingBack(scheduleOf(drawn, []), drawn, drawn.nodes);
    expect(new Set(commands.map(({ node }) => node))).toEqual(new Set(drawn.nodes));
  });

  it('nobody where nobody moved it, or where no MAC moves along', () => {
    const drawn = drawnWith(true);
    expect(puttingBack(scheduleOf(drawn, []), drawn, drawn.nodes)).toEqual([]);
    const plain = drawnWith(false);
    expect(puttingBack(scheduleOf(plain, [switched]), plain, plain.nodes)).toEqual([]);
  });
});

it('L3: the old key is taken out only after the new one was copied to nodes that were off for long (seed 202999)', () => {
  const drawn = drawnWith(false);
  const rotated: Blow = { at: 3000, do: 'command', node: drawn.nodes[0]!, command: 'keygen --rotate' };
  const ending = keyCopies(scheduleOf(drawn, [rotated]), drawn);
  const finish = ending.find(({ command }) => command?.includes('--finish'))!.after;
  for (const name of drawn.nodes.slice(1)) {
    const copied = ending
      .filter(({ fault }) => fault === `copy-key ${drawn.nodes[0]!} ${name}`)
      .map(({ after }) => after);
    expect(copied.some((at) => at > BY_HAND_AT_MS && at < finish)).toBe(true);
    expect(copied.some((at) => at > finish)).toBe(true);
  }
  expect(keyCopies(scheduleOf(drawn, []), drawn)).toEqual([]);
});
