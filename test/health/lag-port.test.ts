import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/action.js';
import { followPorts } from '../../src/health/lag-port.js';
import type { HealthState, NicState } from '../../src/health/state.js';
import type { LagPort } from '../../src/input.js';

const port = (nic: string, state: LagPort['state']): LagPort => ({ nic, state });

function follow(...observations: (LagPort[] | undefined)[]): string[] {
  const state = { decisions: [] } as unknown as HealthState;
  const nic = { nic: 'bond0', net: 'public', ports: null } as NicState;
  const out: Action[] = [];
  for (const observed of observations) followPorts(state, nic, observed, 1000, out);
  return out.map((action) =>
    action.kind === 'journal' ? `${action.entry.cause} ${action.entry.from} → ${action.entry.to}` : action.kind,
  );
}

describe('ports of a bond', () => {
  it('are not told when they are first seen, nor for a NIC that has none', () => {
    expect(follow([port('eth0', 'active'), port('eth1', 'backup')])).toEqual([]);
    expect(follow(undefined, undefined)).toEqual([]);
  });

  it('are told each when they change, one line a port', () => {
    const [before, after] = [
      [port('eth0', 'active'), port('eth1', 'backup')],
      [port('eth0', 'down'), port('eth1', 'active')],
    ];
    expect(follow(before, after, after)).toEqual(['eth0 active → down', 'eth1 backup → active']);
  });

  it('are told when they leave the bond or come to it', () => {
    expect(follow([port('eth0', 'active')], [port('eth1', 'active')])).toEqual([
      'eth0 active → gone',
      'eth1 gone → active',
    ]);
  });

  it('of a bond that was taken out and put in again begin anew', () => {
    expect(follow([port('eth0', 'active')], undefined, [port('eth0', 'down')])).toEqual([]);
  });
});
