import { describe, expect, test } from 'vitest';
import { PART } from '../../src/frame/part.js';
import * as health from '../../src/health/monitor.js';
import { clusterOf, Wire, type Peer } from './wire.js';

const TWO_PRIVATE = { hb0: 'private', hb1: 'private', public: 'public' } as const;

function pair(wire: Wire): { alpha: Peer; beta: Peer } {
  return wire.peers as { alpha: Peer; beta: Peer };
}

function settled(options: ConstructorParameters<typeof Wire>[0] = {}): Wire {
  const wire = new Wire(options);
  wire.run(3050);
  return wire;
}

describe('beats between two nodes', () => {
  test.each([4, 6] as const)('both are alive, and all paths up both ways, soon after the start (IPv%i)', (family) => {
    const wire = new Wire({ family });
    wire.run(601);
    const { alpha, beta } = pair(wire);
    for (const [own, other] of [
      [alpha, beta],
      [beta, alpha],
    ] as const) {
      expect(own.peer(other.name).health).toBe('alive');
      expect(own.peer(other.name).incarnation).toBe(other.incarnation);
      expect([own.path(other.name, 'private'), own.path(other.name, 'public')]).toEqual(['up', 'up']);
      expect(own.journal.map(({ event }) => event).filter((it) => it === 'peer-health' || it === 'path')).toHaveLength(
        3,
      );
      expect(own.alarms()).toEqual([]);
    }
  });

  test('standing words and spoken parts arrive once each, whatever paths they took', () => {
    const wire = settled({ nets: TWO_PRIVATE });
    const { alpha, beta } = pair(wire);
    health.setWords(alpha.state, [{ kind: PART.standing, bytes: Uint8Array.of(0, 255, 3) }]);
    beta.heard.length = 0;
    alpha.speak('beta', [{ kind: PART.append, bytes: Uint8Array.of(9) }]);
    wire.run(1);
    const words = beta.heard.map(({ node, parts }) => [node, ...parts.map(({ kind, bytes }) => [kind, ...bytes])]);
    expect(words).toEqual([['alpha', [PART.standing, 0, 255, 3], [PART.append, 9]]]);
    expect(beta.heard[0]!.incarnation).toBe(alpha.incarnation);
    expect(beta.state.dropped['heartbeat-duplicate']).toBeGreaterThan(0);
  });

  test('parts that do not fit into one beat go in more, in their order', () => {
    const wire = settled();
    const { alpha, beta } = pair(wire);
    beta.heard.length = 0;
    const big = (fill: number): { kind: number; bytes: Uint8Array } => ({
      kind: PART.piece,
      bytes: new Uint8Array(900).fill(fill),
    });
    alpha.speak('beta', [big(1), big(2), big(3)]);
    wire.run(1);
    expect(beta.heard.flatMap(({ parts }) => parts.map(({ bytes }) => [bytes.length, bytes[0]]))).toEqual([
      [900, 1],
      [900, 2],
      [900, 3],
    ]);
    expect(Math.max(...wire.sent.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(1200);
  });

  test('a spoken beat stands for the periodic one', () => {
    const wire = settled();
    const { alpha } = pair(wire);
    const before = wire.sent.length;
    for (let i = 0; i < 10; i++) {
      alpha.speak('beta');
      wire.run(200);
    }
    const privately = wire.sent.slice(before).filter(({ node, nic }) => node === 'alpha' && nic === 'eth0');
    expect(privately).toHaveLength(10);
  });

  test('private paths carry every beat, public ones every fifth', () => {
    const wire = settled({ nets: TWO_PRIVATE });
    const before = wire.sent.length;
    wire.run(10_000);
    const count = (nic: string): number =>
      wire.sent.slice(before).filter((it) => it.node === 'alpha' && it.nic === nic).length;
    expect([count('eth0'), count('eth1'), count('eth2')]).toEqual([50, 50, 10]);
  });

  test('a cluster with public nets only beats there at the full rate', () => {
    const wire = settled({ nets: { public: 'public', other: undefined } });
    const before = wire.sent.length;
    wire.run(10_000);
    expect(wire.sent.slice(before).filter(({ node }) => node === 'alpha')).toHaveLength(50);
    expect(pair(wire).alpha.status().paths).toEqual([
      { peer: 'beta', net: 'public', kind: 'public', state: 'up', rerouted: false },
    ]);
  });

  test('a node alone, or nets without heartbeat, say nothing and never wake', () => {
    const wire = new Wire({ nets: { public: undefined } });
    wire.run(2000);
    expect(wire.sent).toEqual([]);
    const { alpha } = pair(wire);
    expect(alpha.status().peers).toEqual([{ node: 'beta', health: 'unheard', since: 1000 }]);
    expect(alpha.state.beatDueAt).toBe(1e15);
  });

  test('netUp tells the NICs of the peer as it last said, null before', () => {
    const wire = new Wire({ nets: TWO_PRIVATE });
    const { alpha, beta } = pair(wire);
    const says = (net: string): boolean | null => health.netUp(alpha.world, alpha.state, 'beta', net);
    expect(says('public')).toBe(null);
    wire.run(3050);
    expect([says('public'), says('hb0'), says('hb9')]).toEqual([true, true, null]);
    beta.take({ kind: 'carrier-changed', nic: 'eth2', state: 'down' });
    wire.run(250);
    expect([says('public'), says('hb0')]).toEqual([false, true]);
    expect(health.netUp(beta.world, beta.state, 'beta', 'public')).toBe(false);
    const said = alpha.status().peers.find(({ node }) => node === 'beta')!.nics!;
    expect(Object.values(said).filter((one) => one === 'down carrier')).toHaveLength(1);
    expect(said['eth2']).toBe('down carrier');
  });

  test('forty nodes of hundreds of NICs: the NIC report takes turns', () => {
    const nets = Object.fromEntries([
      ['hb', 'private'],
      ...Array.from({ length: 250 }, (_, i) => [`net${i}`, undefined]),
    ]) as Record<string, 'private' | undefined>;
    const wire = new Wire({ nets });
    wire.run(2000);
    const { alpha } = pair(wire);
    expect(alpha.state.peers['beta']!.nics).toHaveLength(251);
    expect(health.netUp(alpha.world, alpha.state, 'beta', 'net249')).toBe(true);
  });
});

describe('silence', () => {
  test('suspect after half of nodeTimeout and asked over all paths at four times the rate, lost after the whole', () => {
    const wire = settled();
    const { alpha, beta } = pair(wire);
    beta.off = true;
    const { heardAt } = alpha.peer('beta');
    const before = wire.sent.length;
    wire.run(heardAt + 501 - wire.now);
    expect(alpha.peer('beta')).toMatchObject({ health: 'suspect', since: heardAt + 500 });
    wire.run(500);
    expect(alpha.peer('beta')).toMatchObject({ health: 'lost', since: heardAt + 1000 });
    const asked = wire.sent.slice(before).filter(({ at }) => at >= heardAt + 500 && at < heardAt + 1000);
    expect(asked.filter(({ nic }) => nic === 'eth0')).toHaveLength(10);
    expect(asked.filter(({ nic }) => nic === 'eth1')).toHaveLength(10);
    expect(alpha.events('peer-health').slice(1)).toEqual(['beta alive→suspect silent', 'beta suspect→lost silent']);
    expect(alpha.alarms()).toEqual(['node-lost']);
    wire.run(2000);
    expect(wire.sent.filter(({ at }) => at > wire.now - 1000).length).toBeLessThanOrEqual(10);
  });

  test('whoever is asked answers at once over the same path', () => {
    const wire = settled();
    const { alpha } = pair(wire);
    wire.loses = (from) => from === 'beta';
    wire.run(800);
    expect(alpha.peer('beta').health).toBe('suspect');
    const suspectAt = alpha.peer('beta').since;
    const over = (nic: string): number =>
      wire.sent.filter((it) => it.node === 'beta' && it.nic === nic && it.at >= suspectAt).length;
    expect([over('eth0') > 3, over('eth1') > 3]).toEqual([true, true]);
  });

  test('one answer over any path makes it alive again at once', () => {
    const wire = settled();
    const { alpha } = pair(wire);
    let deaf = true;
    wire.loses = (from, _to, net) => from === 'beta' && (net === 'private' || deaf);
    wire.run(800);
    expect(alpha.peer('beta').health).toBe('suspect');
    deaf = false;
    wire.run(60);
    expect(alpha.peer('beta').health).toBe('alive');
  });

  test('a lost node that is heard again is alive, and its alarm is over', () => {
    const wire = settled();
    const { alpha } = pair(wire);
    wire.loses = () => true;
    wire.run(3000);
    expect(alpha.peer('beta').health).toBe('lost');
    wire.loses = () => false;
    wire.run(5000);
    expect(alpha.peer('beta').health).toBe('alive');
    expect(alpha.alarms()).toEqual([]);
  });

  test('the own stall counts against nobody', () => {
    const wire = settled();
    const { alpha } = pair(wire);
    wire.run(100);
    alpha.asleep = true;
    wire.run(3000);
    // All that waited was lost.
    alpha.waiting.length = 0;
    alpha.wake(3000);
    wire.run(5000);
    expect(alpha.events('peer-health')).toEqual(['beta unheard→alive heard']);
    expect(alpha.events('path')).toHaveLength(2);
    expect(alpha.events('rerouted')).toEqual([]);
  });

  test('who leaves says so and is not waited for', () => {
    const wire = settled();
    const { alpha, beta } = pair(wire);
    const out: Parameters<typeof health.leave>[3] = [];
    health.leave(beta.world, beta.state, wire.now, out);
    beta.perform(out);
    beta.off = true;
    wire.run(1);
    expect(alpha.peer('beta').health).toBe('left');
    wire.run(5000);
    expect(alpha.peer('beta').health).toBe('left');
    expect(alpha.alarms()).toEqual([]);
    wire.boot('beta');
    wire.run(1000);
    expect(alpha.events('peer-health')).toEqual([
      'beta unheard→alive heard',
      'beta alive→left said-so',
      'beta left→alive heard',
    ]);
  });

  test('20 % loss, duplicates, jitter and reordering for a minute: nobody is lost', () => {
    const wire = settled({ nodes: ['alpha', 'beta', 'gamma'], nets: TWO_PRIVATE });
    wire.loses = () => wire.random() < 0.2;
    wire.duplicate = 0.2;
    wire.jitterMs = 100;
    wire.run(60_000);
    for (const node of Object.values(wire.peers)) {
      expect(node.events('peer-health').filter((text) => text.includes('lost'))).toEqual([]);
      const seen = node.heard.map((beat) => `${beat.node} ${beat.sequence}`);
      expect(new Set(seen).size).toBe(seen.length);
    }
  });
});

describe('paths', () => {
  test('a path that works one way only is down at both ends', () => {
    const wire = settled({ nets: TWO_PRIVATE });
    const { alpha, beta } = pair(wire);
    wire.loses = (from, _to, net) => from === 'alpha' && net === 'hb0';
    wire.run(2500);
    expect([alpha.path('beta', 'hb0'), beta.path('alpha', 'hb0')]).toEqual(['down', 'down']);
    expect([alpha.path('beta', 'hb1'), beta.path('alpha', 'hb1')]).toEqual(['up', 'up']);
    expect(alpha.events('path').at(-1)).toBe('beta hb0 up→down not-heard-there');
    expect(beta.events('path').at(-1)).toBe('alpha hb0 up→down silent');
    expect([alpha.alarms(), beta.alarms()]).toEqual([['path-down'], ['path-down']]);
    wire.loses = () => false;
    wire.run(1000);
    expect([alpha.path('beta', 'hb0'), beta.path('alpha', 'hb0')]).toEqual(['up', 'up']);
    expect([alpha.alarms(), beta.alarms()]).toEqual([[], []]);
  });

  test('a NIC set down takes its path down at once, and nothing of it is sent elsewhere', () => {
    const wire = settled({ nets: TWO_PRIVATE });
    const { alpha } = pair(wire);
    alpha.take({ kind: 'carrier-changed', nic: 'eth0', state: 'admin' });
    expect(alpha.path('beta', 'hb0')).toBe('down');
    const before = wire.sent.length;
    wire.run(3000);
    const addresses = wire.sent.slice(before).filter(({ node }) => node === 'alpha');
    expect(addresses.filter(({ from, to }) => from.startsWith('10.0.') || to.startsWith('10.0.'))).toEqual([]);
  });

  test('a path follows the own address to another NIC of the net', () => {
    const cluster = clusterOf();
    for (const node of cluster.nodes) node.nets[0]!.standby = ['eth9'];
    const wire = new Wire();
    const alpha = wire.boot('alpha', cluster);
    const beta = wire.boot('beta', cluster);
    wire.run(1000);
    alpha.host['eth9'] = { ...alpha.host['eth0']!, nic: 'eth9', ifindex: 9 };
    alpha.host['eth0'] = { ...alpha.host['eth0']!, addresses: [] };
    alpha.observe();
    const before = wire.sent.length;
    wire.loses = () => true;
    wire.run(250);
    const nics = wire.sent.slice(before).filter(({ node, from }) => node === 'alpha' && from === '10.0.0.1');
    expect(new Set(nics.map(({ nic }) => nic))).toEqual(new Set(['eth9']));
    expect(beta.path('alpha', 'private')).toBe('up');
  });
});
