import { describe, expect, test } from 'vitest';
import { Wire, type Peer } from './wire.js';

function pair(wire: Wire): { alpha: Peer; beta: Peer } {
  return wire.peers as { alpha: Peer; beta: Peer };
}

function settled(): Wire {
  const wire = new Wire({ nets: { hb0: 'private', hb1: 'private', public: 'public' } });
  wire.run(5050);
  return wire;
}

function publicly(wire: Wire, from: number, to: number, node = 'alpha'): number {
  return wire.sent.filter((it) => it.nic === 'eth2' && it.node === node && it.at >= from && it.at < to).length;
}

describe('reroute', () => {
  test('one of two private paths cut: nothing is rerouted', () => {
    const wire = settled();
    wire.loses = (_from, _to, net) => net === 'hb0';
    const at = wire.now;
    wire.run(10_000);
    expect(publicly(wire, at, wire.now)).toBe(10);
    expect(pair(wire).alpha.events('rerouted')).toEqual([]);
    expect(pair(wire).alpha.path('beta', 'public')).toBe('up');
  });

  test('both cut: public at the full rate within 1.5 intervals, told after 5, back after 10', () => {
    const wire = settled();
    const { alpha, beta } = pair(wire);
    wire.loses = (_from, _to, net) => net !== 'public';
    const { heardAt } = alpha.peer('beta');
    wire.run(heardAt + 301 - wire.now);
    expect(alpha.path('beta', 'public')).toBe('up rerouted');
    const first = wire.sent.findIndex((it) => it.nic === 'eth2' && it.node === 'alpha' && it.at >= heardAt + 250);
    expect(wire.sent[first]!.at).toBeLessThanOrEqual(heardAt + 300);
    expect(alpha.events('rerouted')).toEqual([]);
    wire.run(10_000);
    expect(publicly(wire, wire.now - 5000, wire.now)).toBe(25);
    expect(alpha.events('rerouted')).toEqual(['beta private→public silent']);
    expect(alpha.journal.find(({ event }) => event === 'rerouted')!.at).toBeLessThan(heardAt + 1300);
    expect(alpha.alarms()).toContain('rerouted');
    expect(alpha.peer('beta').health).toBe('alive');
    expect(alpha.events('peer-health')).toHaveLength(1);
    const healedAt = wire.now;
    wire.loses = () => false;
    wire.run(1900);
    expect(alpha.path('beta', 'public')).toBe('up rerouted');
    wire.run(500);
    expect([alpha.path('beta', 'public'), beta.path('alpha', 'public')]).toEqual(['up', 'up']);
    expect(alpha.events('rerouted').at(-1)).toBe('beta public→private heard-again');
    wire.run(10_000);
    expect(publicly(wire, healedAt + 2500, healedAt + 7500)).toBe(5);
    expect([alpha.alarms(), beta.alarms()]).toEqual([[], []]);
    expect(alpha.path('beta', 'public')).toBe('up');
  });

  test('deaf at one end only: both reroute, and nobody is suspected', () => {
    const wire = settled();
    const { alpha, beta } = pair(wire);
    wire.loses = (from, _to, net) => from === 'beta' && net !== 'public';
    wire.run(5000);
    expect([alpha.path('beta', 'public'), beta.path('alpha', 'public')]).toEqual(['up rerouted', 'up rerouted']);
    expect(alpha.events('peer-health')).toEqual(['beta unheard→alive heard']);
    expect(beta.events('peer-health')).toEqual(['alpha unheard→alive heard']);
    expect(publicly(wire, wire.now - 2000, wire.now, 'beta')).toBe(10);
  });

  test('a short pause is rerouted silently', () => {
    const wire = settled();
    const { alpha } = pair(wire);
    const until = wire.now + 500;
    wire.loses = (_from, _to, net) => net !== 'public' && wire.now < until;
    wire.run(10_000);
    expect(publicly(wire, until - 250, until + 1000)).toBeGreaterThan(4);
    expect(alpha.events('rerouted')).toEqual([]);
    expect(alpha.alarms()).toEqual([]);
    expect(alpha.path('beta', 'public')).toBe('up');
  });

  test('a dead node is no reroute', () => {
    const wire = settled();
    const { alpha, beta } = pair(wire);
    beta.off = true;
    wire.run(10_000);
    expect(alpha.events('rerouted')).toEqual([]);
    expect(alpha.alarms()).toEqual(['node-lost']);
  });

  test('a node that comes back is rerouted without a word', () => {
    const wire = settled();
    const { alpha, beta } = pair(wire);
    beta.off = true;
    wire.run(5000);
    wire.boot('beta');
    wire.run(10_000);
    expect(alpha.events('rerouted')).toEqual([]);
    expect(alpha.path('beta', 'public')).toBe('up');
    expect([alpha.alarms(), pair(wire).beta.alarms()]).toEqual([[], []]);
  });

  test('is told and ended too where each speaks to the other every interval', () => {
    const wire = settled();
    const { alpha, beta } = pair(wire);
    const run = (forMs: number): void => {
      for (let left = forMs; left > 0; left -= 200) {
        alpha.speak('beta');
        beta.speak('alpha');
        wire.run(200);
      }
    };
    run(3000);
    wire.loses = (_from, _to, net) => net !== 'public';
    run(5000);
    expect(alpha.alarms().sort()).toEqual(['path-down', 'path-down', 'rerouted']);
    expect(alpha.peer('beta').health).toBe('alive');
    wire.loses = () => false;
    run(5000);
    expect([alpha.alarms(), beta.alarms()]).toEqual([[], []]);
    expect(alpha.path('beta', 'public')).toBe('up');
  });
});
