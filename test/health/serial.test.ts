import { describe, expect, it } from 'vitest';
import { PART } from '../../src/frame/part.js';
import { Wire } from './wire.js';

const SETTLED_MS = 3000;

function lined(options: ConstructorParameters<typeof Wire>[0] = {}): Wire {
  const wire = new Wire({ serial: 115_200, ...options });
  wire.run(SETTLED_MS);
  return wire;
}

describe('the serial line as a path (DESIGN 6)', () => {
  it('is up when both ends hear each other, beside private and public ones', () => {
    const wire = lined();
    const alpha = wire.peers['alpha']!;
    expect(alpha.status().paths.map(({ net, kind, state }) => [net, kind, state])).toEqual([
      ['private', 'private', 'up'],
      ['public', 'public', 'up'],
      ['serial', 'serial', 'up'],
    ]);
    expect(wire.peers['beta']!.path('alpha', 'serial')).toBe('up');
  });

  it('is for two nodes that both have one', () => {
    const wire = lined({ nodes: ['alpha', 'beta', 'gamma'] });
    expect(wire.peers['alpha']!.status().paths.some(({ kind }) => kind === 'serial')).toBe(false);
    expect(lined({ serial: undefined as never }).lineSent).toEqual([]);
  });

  it('keeps a peer alive that no net reaches', () => {
    const wire = lined();
    wire.loses = () => true;
    wire.run(10_000);
    for (const [name, other] of [
      ['alpha', 'beta'],
      ['beta', 'alpha'],
    ] as const) {
      expect(wire.peers[name]!.peer(other).health).toBe('alive');
      expect(wire.peers[name]!.events('peer-health')).toHaveLength(1);
      expect(wire.peers[name]!.path(other, 'serial')).toBe('up');
    }
    wire.lineCut = true;
    wire.run(2000);
    expect(wire.peers['alpha']!.peer('beta').health).toBe('lost');
  });

  it('is no private path: the public one carries in full where the private one is silent, although the line is heard', () => {
    const wire = lined();
    wire.loses = (_from, _to, net) => net === 'private';
    wire.run(2000);
    expect(wire.peers['alpha']!.path('beta', 'public')).toBe('up rerouted');
    expect(wire.peers['alpha']!.alarms()).toContain('rerouted');
  });

  it('goes down with an alarm that says why, and comes back', () => {
    const wire = lined();
    const alpha = wire.peers['alpha']!;
    alpha.take({ kind: 'serial-changed', state: 'down', text: 'EIO: i/o error' });
    wire.run(3000);
    expect(alpha.path('beta', 'serial')).toBe('down');
    expect(alpha.events('path').at(-1)).toBe('beta serial up→down no-line');
    const alarm = alpha.status().alarms.find(({ what }) => what === 'path-down')!;
    expect(alarm.text).toBe('the serial line /dev/ttyS0 (115200 baud) to beta is down: EIO: i/o error');
    expect(wire.peers['beta']!.path('alpha', 'serial')).toBe('down');
    alpha.take({ kind: 'serial-changed', state: 'up', text: '' });
    wire.run(2000);
    expect(alpha.path('beta', 'serial')).toBe('up');
    expect(alpha.alarms()).toEqual([]);
  });

  it('knows its own beats when the line is looped', () => {
    const wire = new Wire({ serial: 115_200 });
    wire.lineLoops = true;
    wire.run(5000);
    const alpha = wire.peers['alpha']!;
    expect(alpha.path('beta', 'serial')).toBe('down');
    expect(alpha.state.dropped['serial-looped']).toBeGreaterThan(10);
    expect(alpha.status().alarms.find(({ what }) => what === 'path-down')?.text).toMatch(/brings back .* it is looped/);
  });

  it('takes no beat twice, and none of another key', () => {
    const wire = lined();
    const { bytes } = wire.lineSent.findLast(({ node, at }) => node === 'alpha' && at < wire.now - 100)!;
    const beta = wire.peers['beta']!;
    const before = beta.heard.length;
    beta.take({ kind: 'serial-received', bytes });
    beta.take({ kind: 'serial-received', bytes });
    expect(beta.heard.length).toBe(before);
    expect(beta.state.dropped['heartbeat-replayed']).toBeGreaterThan(0);
    const damaged = bytes.slice();
    damaged[15]! += 1;
    damaged[40]! ^= 1;
    beta.take({ kind: 'serial-received', bytes: damaged });
    expect(beta.state.dropped['heartbeat-seal']).toBe(1);
  });

  it.each([115_200, 38_400, 19_200])('is busy for half of the time at most, at %d baud', (serial) => {
    const wire = lined({ serial });
    wire.loses = () => true;
    const big = { kind: PART.append, bytes: new Uint8Array(800) };
    for (let beat = 0; beat < 100; beat++) {
      wire.peers['alpha']!.speak('beta', [big]);
      wire.peers['alpha']!.speak('beta', [{ kind: PART.grant, bytes: new Uint8Array(54) }]);
      wire.run(200);
    }
    const busy = wire.lineSent.filter(({ node, at }) => node === 'alpha' && at > 1000 + SETTLED_MS);
    const busyMs = busy.reduce((sum, { lineMs }) => sum + lineMs, 0);
    expect(busyMs).toBeLessThan(0.53 * 20_000);
    expect(busyMs).toBeGreaterThan(0.1 * 20_000);
    expect(wire.peers['alpha']!.peer('beta').health).toBe('alive');
  });

  it('brings every piece of a long document in time, and lets the talk go on', () => {
    const wire = lined();
    wire.loses = () => true;
    for (let beat = 0; beat < 60; beat++) {
      for (let index = 0; index < 4; index++)
        wire.peers['alpha']!.speak('beta', [{ kind: PART.piece, bytes: new Uint8Array(850).fill(index) }]);
      wire.peers['alpha']!.speak('beta', [{ kind: PART.append, bytes: new Uint8Array(30) }]);
      wire.run(200);
    }
    const parts = wire.peers['beta']!.heard.flatMap(({ parts }) => parts);
    const pieces = new Set(parts.filter(({ kind }) => kind === PART.piece).map(({ bytes }) => bytes[0]));
    expect([...pieces].sort()).toEqual([0, 1, 2, 3]);
    expect(parts.filter(({ kind }) => kind === PART.append).length).toBeGreaterThan(20);
    expect(wire.peers['beta']!.peer('alpha').health).toBe('alive');
  });
});
