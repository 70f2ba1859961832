import { describe, expect, it } from 'vitest';
import { cableAt, planWiring, portsOf } from '../../../drivers/namespaces/wiring.js';
import { scenarioSchema, type Scenario } from '../../../src/drill/scenario.js';

function topology(changes: Record<string, unknown> = {}): Scenario['topology'] {
  return scenarioSchema.shape.topology.parse({
    switches: ['left', 'right'],
    trunks: ['left-right'],
    nodes: { alpha: { eth0: 'left', eth1: 'right' }, beta: { eth0: 'left' } },
    clients: { client: { switch: 'left', addresses: ['10.77.0.254/24'] } },
    ...changes,
  });
}

describe('the plan of a network', () => {
  it('gives every end of every cable a port of its own and every NIC a MAC of its own', () => {
    const wiring = planWiring(topology());
    const ends = [...wiring.cables.map((c) => c.port), ...wiring.trunks.flatMap((t) => t.ends)];
    expect(new Set(ends.map((port) => `${port.switch}.${port.name}`)).size).toBe(6);
    expect(new Set(wiring.cables.map((c) => c.mac)).size).toBe(4);
    expect(portsOf(wiring, 'left')).toHaveLength(4);
    expect(portsOf(wiring, 'right')).toHaveLength(2);
  });

  it.each(['plain', 'physical'] as const)(
    '%s cards: no number is given twice in a namespace, and both ends are equal only where they must be',
    (cards) => {
      const wiring = planWiring(topology({ cards }));
      for (const cable of wiring.cables) expect(cable.ifindex === cable.port.ifindex).toBe(cards === 'physical');
      for (const { ends } of wiring.trunks) expect(ends[0].ifindex).not.toBe(ends[1].ifindex);
      for (const name of wiring.switches) {
        const numbers = portsOf(wiring, name).map((port) => port.ifindex);
        expect(new Set(numbers).size).toBe(numbers.length);
      }
    },
  );

  it.each([
    [{ trunks: ['left-middle'] }, /trunk left-middle: there is no switch "middle"/],
    [{ nodes: { alpha: { eth0: 'attic' } } }, /alpha.eth0: there is no switch "attic"/],
    [{ nodes: { left: { eth0: 'left' } } }, /"left" names two things/],
  ])('refuses %j', (changes, message) => expect(() => planWiring(topology(changes))).toThrow(message));

  it('names a NIC or switch that is not there', () => {
    const wiring = planWiring(topology());
    expect(cableAt(wiring, { node: 'beta', nic: 'eth0' }).port.switch).toBe('left');
    expect(() => cableAt(wiring, { node: 'beta', nic: 'eth1' })).toThrow('no NIC beta.eth1');
    expect(() => portsOf(wiring, 'attic')).toThrow('no switch "attic"');
  });
});
