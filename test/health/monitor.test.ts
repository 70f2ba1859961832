import { describe, expect, it } from 'vitest';
import * as health from '../../src/health/monitor.js';
import { DEFAULT, Fabric, FAST, type FabricOptions } from './fabric.js';

const PAIR = { alpha: { eth0: 'A', eth1: 'B' }, beta: { eth0: 'A', eth1: 'B' } };

/** A net that has settled, in light polling. */
function settled(options: Partial<FabricOptions> = {}): Fabric {
  const fabric = new Fabric({ nodes: PAIR, ...options });
  fabric.run(10 * (options.timing ?? DEFAULT).pollMs);
  return fabric;
}

const alpha = (fabric: Fabric) => fabric.hosts['alpha']!;
const pollingOf = (fabric: Fabric, node = 'alpha') => fabric.hosts[node]!.state.nets['public']!.polling;

describe('polling', () => {
  it('is light once everything is settled: a poll and an answer a node and interval', () => {
    const fabric = settled();
    expect(pollingOf(fabric)).toBe('light');
    const before = fabric.sent;
    fabric.run(10 * DEFAULT.pollMs);
    expect(fabric.sent - before).toBe(10 * 2 * 2);
    expect(Object.values(fabric.verdicts())).toEqual(['up', 'up', 'up', 'up']);
  });

  it('is done by the first healthy standby in file order, else by the primary', () => {
    const nodes = { alpha: { eth0: 'A', eth1: 'A', eth2: 'A' }, beta: { eth0: 'A' } };
    const fabric = settled({ nodes });
    const poller = () => alpha(fabric).state.nets['public']!.poller;
    expect(poller()).toBe('eth1');
    fabric.cut('alpha/eth1');
    expect(poller()).toBe('eth2');
    fabric.cut('alpha/eth2');
    expect(poller()).toBe('eth0');
    expect(fabric.hosts['beta']!.state.nets['public']!.poller).toBe('eth0');
  });

  it('stays light when a poller loses its carrier: the next one polls before anybody misses it', () => {
    const fabric = settled();
    fabric.cut('alpha/eth1');
    fabric.run(5 * DEFAULT.pollMs);
    for (const host of Object.values(fabric.hosts)) expect(host.events('polling').length).toBe(1);
  });

  it('becomes full on every node after one missed poll, and light again', () => {
    const fabric = settled();
    fabric.card('alpha/eth0').dropIn = true;
    fabric.until(5000, () => pollingOf(fabric) === 'full');
    fabric.run(1);
    expect(pollingOf(fabric, 'beta')).toBe('full');
    expect(fabric.hosts['beta']!.events('polling').at(-1)).toMatchObject({ cause: 'asked' });
    fabric.run(10 * DEFAULT.pollMs);
    expect(pollingOf(fabric)).toBe('light');
    expect(pollingOf(fabric, 'beta')).toBe('light');
  });

  it('is full for a window when the operator asks', () => {
    const fabric = settled();
    alpha(fabric).state.dropped = {};
    const out: Parameters<typeof health.take>[4] = [];
    const request = { ask: 'poll-now', net: 'public' } as const;
    health.take(alpha(fabric).world, alpha(fabric).state, fabric.now, { kind: 'operator-asked', id: 7, request }, out);
    expect(out).toContainEqual(expect.objectContaining({ kind: 'answer-operator', id: 7 }));
    fabric.run(DEFAULT.pollMs);
    expect(alpha(fabric).state.nets['public']!.polling).toBe('full');
    const seen = health.status(alpha(fabric).world, alpha(fabric).state, fabric.now);
    expect(seen.nets[0]!.hearing.length).toBe(12);
  });

  it('state survives JSON at any moment and goes on the same', () => {
    const fabric = settled();
    fabric.card('alpha/eth0').dropIn = true;
    fabric.run(300);
    const host = alpha(fabric);
    expect(JSON.parse(JSON.stringify(host.state))).toEqual(host.state);
    host.state = JSON.parse(JSON.stringify(host.state)) as health.HealthState;
    fabric.run(300);
    expect(host.verdict('eth0')).toBe('down deaf');
  });
});

describe('how fast a failure is condemned', () => {
  it.each([
    ['default', DEFAULT, 450],
    ['fast', FAST, 45],
  ])('%s: in, out and both within its bound', (_, timing, boundMs) => {
    for (const [dropIn, dropOut] of [
      [true, false],
      [false, true],
      [true, true],
    ] as const)
      for (const nic of ['eth0', 'eth1'])
        for (let phase = 0; phase < 8; phase++) {
          const fabric = settled({ timing });
          fabric.run((phase * timing.pollMs) / 8);
          Object.assign(fabric.card(`alpha/${nic}`), { dropIn, dropOut });
          const tookMs = fabric.until(10 * timing.pollMs, () => alpha(fabric).verdict(nic).startsWith('down'));
          expect(tookMs).toBeLessThanOrEqual(boundMs);
        }
  });

  it('carrier, admin and missing: at once and without full polling', () => {
    const fabric = settled();
    fabric.cut('alpha/eth0');
    expect(alpha(fabric).verdict('eth0')).toBe('down carrier');
    alpha(fabric).take({ kind: 'carrier-changed', nic: 'eth1', state: 'admin' });
    expect(alpha(fabric).verdict('eth1')).toBe('down admin');
    delete alpha(fabric).host['eth0'];
    alpha(fabric).take({ kind: 'host-observed', nics: [], missing: ['eth0'] });
    expect(alpha(fabric).verdict('eth0')).toBe('down missing');
    expect(pollingOf(fabric)).toBe('light');
  });

  it('an observation that still shows carrier does not undo what the lock-free poll saw', () => {
    const fabric = settled();
    alpha(fabric).take({ kind: 'carrier-changed', nic: 'eth0', state: 'down' });
    alpha(fabric).observe(fabric.card('alpha/eth0'));
    expect(alpha(fabric).verdict('eth0')).toBe('down carrier');
  });

  it('nor does one that still shows none, or shows it set down, undo that the poll saw it back', () => {
    const fabric = settled();
    const card = fabric.card('alpha/eth0');
    for (const stale of [{ carrier: false }, { admin: false }]) {
      const observed = { ...fabric.observation(card), ...stale };
      alpha(fabric).take({ kind: 'host-observed', nics: [(alpha(fabric).host['eth0'] = observed)], missing: [] });
      expect(alpha(fabric).verdict('eth0')).toMatch(/^down/);
      fabric.mend('alpha/eth0');
      expect(alpha(fabric).verdict('eth0')).toBe('suspect waiting');
      const other = { ...observed, addresses: [] };
      alpha(fabric).take({ kind: 'host-observed', nics: [(alpha(fabric).host['eth0'] = other)], missing: [] });
      expect(alpha(fabric).verdict('eth0')).toBe('suspect waiting');
      // What it says for the first time is news.
      alpha(fabric).observe(card);
    }
    card.carrier = false;
    alpha(fabric).observe(card);
    expect(alpha(fabric).verdict('eth0')).toBe('down carrier');
  });
});

describe('a healthy net is never condemned (S10)', () => {
  const never = (fabric: Fabric, polls: number): void => {
    const entries = () => Object.values(fabric.hosts).flatMap((host) => host.events('nic-health'));
    const before = entries().length;
    fabric.run(polls * fabric.cluster.timing.pollMs);
    expect(
      entries()
        .slice(before)
        .filter(({ to }) => to?.startsWith('down')),
    ).toEqual([]);
  };

  it.each([
    ['30 % loss on every cable', (it: Fabric) => (it.loss = 0.3)],
    ['30 % loss on one cable', (it: Fabric) => (it.card('alpha/eth0').loss = 0.3)],
    [
      '20 % loss, duplication, reordering by 100 ms of jitter',
      (it: Fabric) => Object.assign(it, { loss: 0.2, duplicate: 0.1, jitterMs: 100 }),
    ],
  ])('%s: from the first moment, and for minutes', (_, spoil) => {
    for (let seed = 1; seed <= 12; seed++) {
      const fabric = settled({ seed, timing: seed % 2 === 0 ? FAST : DEFAULT });
      spoil(fabric);
      never(fabric, seed === 1 ? 900 : 30);
    }
  });

  it('with 30 % loss and a target as well', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const fabric = settled({ seed, targets: ['10.77.0.254'] });
      fabric.loss = 0.3;
      never(fabric, 100);
    }
  });

  it('but a NIC that dies on a lossy net is found, only later', () => {
    const fabric = settled();
    fabric.loss = 0.1;
    fabric.run(100 * DEFAULT.pollMs);
    Object.assign(fabric.card('alpha/eth0'), { dropIn: true, dropOut: true });
    const tookMs = fabric.until(20_000, () => alpha(fabric).verdict('eth0') === 'down silent');
    expect(tookMs).toBeLessThan(3000);
  });

  it('by its own stall: silence meanwhile is evidence against nobody', () => {
    const fabric = settled();
    const host = alpha(fabric);
    host.stopped = true;
    fabric.run(2000);
    host.stopped = false;
    host.take({ kind: 'stalled', forMs: 2000 });
    host.take({ kind: 'woke' });
    fabric.run(2000);
    expect(host.events('nic-health').filter(({ at }) => at > 3000)).toEqual([]);
  });
});

describe('repair of a mute NIC', () => {
  it('is learned from those that hear it again, though all polling was light and it never stopped hearing', () => {
    const nodes = { alpha: { eth0: 'A' }, beta: { eth0: 'A' }, gamma: { eth0: 'A' } };
    const fabric = settled({ nodes });
    fabric.card('alpha/eth0').dropOut = true;
    fabric.run(30 * DEFAULT.pollMs);
    expect(alpha(fabric).verdict('eth0')).toBe('down mute');
    fabric.until(30_000, () => ['alpha', 'beta', 'gamma'].every((node) => pollingOf(fabric, node) === 'light'));
    fabric.run(20 * DEFAULT.pollMs);
    fabric.card('alpha/eth0').dropOut = false;
    fabric.run(10_000);
    expect(Object.values(fabric.verdicts())).toEqual(['up', 'up', 'up']);
  });
});

describe('failureDetection', () => {
  it.each([
    [false, true, 'up mute'],
    [true, false, 'up deaf'],
    [true, true, 'down silent'],
  ])('inout: dropping in %s, out %s gives %s', (dropIn, dropOut, verdict) => {
    const fabric = settled({ net: { failureDetection: 'inout' } });
    fabric.readCounters();
    Object.assign(fabric.card('alpha/eth0'), { dropIn, dropOut });
    fabric.run(1500);
    expect(alpha(fabric).verdict('eth0')).toBe(verdict);
  });

  it('inout: a NIC whose received count moves is not condemned, link-local groups aside', () => {
    for (const [rxLinkLocal, verdict] of [
      [0, 'up silent'],
      [1, 'down silent'],
    ] as const) {
      const fabric = settled({ net: { failureDetection: 'inout' } });
      Object.assign(fabric.card('alpha/eth0'), { dropIn: true, dropOut: true });
      for (let i = 1; i < 60; i++) {
        const counters = [{ nic: 'eth0', rxPackets: 1000 + i, txPackets: 0, rxLinkLocal: rxLinkLocal * i }];
        alpha(fabric).take({ kind: 'counters-read', counters });
        fabric.run(25);
      }
      expect(alpha(fabric).verdict('eth0')).toBe(verdict);
    }
  });
});

describe('repair', () => {
  it('is up only after frames were received for upDelay', () => {
    const fabric = settled();
    fabric.cut('alpha/eth0');
    fabric.run(1000);
    const card = fabric.card('alpha/eth0');
    Object.assign(card, { dropIn: true, dropOut: true });
    fabric.mend('alpha/eth0');
    // A spanning tree that does not forward yet.
    fabric.run(30_000);
    expect(alpha(fabric).verdict('eth0')).toBe('suspect waiting');
    Object.assign(card, { dropIn: false, dropOut: false });
    const tookMs = fabric.until(20_000, () => alpha(fabric).verdict('eth0') === 'up');
    expect(tookMs).toBeGreaterThanOrEqual(5000);
    expect(tookMs).toBeLessThan(6000);
  });

  it.each(['waiting', 'up'])('begins anew where the carrier was lost and came back between two looks: %s', (was) => {
    const fabric = settled();
    if (was === 'waiting') {
      fabric.cut('alpha/eth0');
      fabric.run(1000);
      fabric.mend('alpha/eth0');
      fabric.run(4000);
    }
    alpha(fabric).take({ kind: 'carrier-changed', nic: 'eth0', state: 'blinked' });
    expect(alpha(fabric).verdict('eth0')).toBe('suspect waiting');
    const tookMs = fabric.until(20_000, () => alpha(fabric).verdict('eth0') === 'up');
    expect(tookMs).toBeGreaterThanOrEqual(5000);
    expect(tookMs).toBeLessThan(6000);
  });

  it('is seen without any change of carrier', () => {
    const fabric = settled();
    for (const fault of [{ dropOut: true }, { dropIn: true }, { dropIn: true, dropOut: true }]) {
      Object.assign(fabric.card('alpha/eth0'), fault);
      fabric.run(3000);
      expect(alpha(fabric).verdict('eth0')).toMatch(/^down/);
      Object.assign(fabric.card('alpha/eth0'), { dropIn: false, dropOut: false });
      fabric.run(8000);
      expect(alpha(fabric).verdict('eth0')).toBe('up');
    }
  });

  it('of a trunk ends the split, which both sides watched meanwhile', () => {
    const fabric = settled();
    fabric.trunk = false;
    fabric.run(3000);
    expect(Object.values(fabric.verdicts())).toEqual(Array(4).fill('up split'));
    Object.assign(fabric.card('alpha/eth0'), { dropIn: true, dropOut: true });
    fabric.run(2000);
    expect(alpha(fabric).verdict('eth0')).toBe('down silent');
    fabric.trunk = true;
    Object.assign(fabric.card('alpha/eth0'), { dropIn: false, dropOut: false });
    fabric.run(8000);
    expect(Object.values(fabric.verdicts())).toEqual(Array(4).fill('up'));
    expect(pollingOf(fabric)).toBe('light');
  });

  it('with nobody else on the net takes no longer than upDelay', () => {
    const fabric = settled({ nodes: { alpha: { eth0: 'A' } } });
    expect(alpha(fabric).verdict('eth0')).toBe('up unproven');
    fabric.cut('alpha/eth0');
    fabric.mend('alpha/eth0');
    fabric.run(5500);
    expect(alpha(fabric).verdict('eth0')).toBe('up unproven');
  });
});

describe('flaps', () => {
  it('beyond flapMax hold a NIC back, each time for twice as long, with an alarm that ends', () => {
    const fabric = settled({ net: { flapMax: 3, flapWindowMs: 60_000, upDelayMs: 100 } });
    const host = alpha(fabric);
    const flap = (): number => {
      fabric.cut('alpha/eth0');
      fabric.run(500);
      fabric.mend('alpha/eth0');
      fabric.run(1500);
      expect(host.verdict('eth0')).toBe('up');
      return health.verdict(host.state, 'eth0').holdUntil - fabric.now;
    };
    expect([flap(), flap(), flap()].every((holdMs) => holdMs < 0)).toBe(true);
    expect(flap()).toBeGreaterThan(50_000);
    const { flapHoldMs } = host.state.nics['eth0']!;
    flap();
    expect(host.state.nics['eth0']!.flapHoldMs).toBe(2 * flapHoldMs);
    expect(Object.values(host.state.alarms)).toMatchObject([{ what: 'flapping' }]);
    fabric.run(130_000);
    expect(Object.values(host.state.alarms)).toEqual([]);
    expect(host.events('alarm-cleared').length).toBe(1);
  });
});

describe('cabling', () => {
  it('names both ends once, and ends when the nets are apart again', () => {
    const nodes = { alpha: { eth0: 'A', hb0: 'private:A' }, beta: { eth0: 'A', hb0: 'private:C' } };
    const fabric = new Fabric({ nodes });
    fabric.trunk = false;
    fabric.run(3000);
    const host = alpha(fabric);
    const seen = host.events('cabling').filter(({ nic }) => nic === 'hb0');
    expect(seen.map(({ evidence }) => evidence)).toContainEqual({
      here: 'alpha/hb0',
      net: 'private',
      there: 'beta/eth0',
      thereNet: 'public',
    });
    expect(new Set(seen.map(({ evidence }) => evidence!['there'])).size).toBe(seen.length);
    expect(Object.keys(host.state.nics['hb0']!.hears)).toEqual([]);
    fabric.card('alpha/hb0').switch = 'C';
    fabric.run(10_000);
    expect(Object.values(host.state.alarms).filter(({ what }) => what === 'cabling')).toEqual([]);
  });
});

describe('readiness of a standby', () => {
  it('that carries the net has its learnt addresses by right', () => {
    const fabric = settled();
    const host = alpha(fabric);
    const [eth0, eth1] = [host.host['eth0']!, host.host['eth1']!];
    const learnt = { family: 6 as const, local: 'fd77::1', prefixLength: 64, scope: 0, flags: 0 };
    eth1.addresses = [...eth1.addresses, ...eth0.addresses.filter(({ family }) => family === 4), learnt];
    eth0.addresses = [];
    host.take({ kind: 'host-observed', nics: [eth0, eth1], missing: [] });
    const shown = health.status(host.world, host.state, fabric.now).nics.find(({ name }) => name === 'eth1');
    expect(shown!.ready).toEqual({ ok: true, why: [] });
  });

  it.each([
    ['MTU 9000, not 1500', { mtu: 9000 }],
    ['link type 772, not 1', { linkType: 772 }],
    ['in br0', { master: 'br0' }],
    [
      'carries 192.0.2.1',
      { addresses: [{ family: 4 as const, local: '192.0.2.1', prefixLength: 24, scope: 0, flags: 0 }] },
    ],
  ])('%s', (why, change) => {
    const fabric = settled();
    const host = alpha(fabric);
    Object.assign(host.host['eth1']!, change);
    host.take({ kind: 'host-observed', nics: [host.host['eth1']!], missing: [] });
    const shown = health.status(host.world, host.state, fabric.now).nics.find(({ name }) => name === 'eth1');
    expect(shown!.ready).toEqual({ ok: false, why: [why] });
    expect(host.events('readiness')).toMatchObject([{ from: 'ready', to: why }]);
    host.observe(fabric.card('alpha/eth1'));
    expect(Object.values(host.state.alarms)).toEqual([]);
  });

  it('asks for IPv6 only where the net has it', () => {
    const fabric = settled({ withoutLinkLocal: true });
    const host = alpha(fabric);
    const why = () => host.state.nics['eth1']!.readiness;
    expect(why()).toEqual([]);
    const global = { family: 6 as const, local: 'fd77::1', prefixLength: 64, scope: 0, flags: 0 };
    host.host['eth0']!.addresses.push(global);
    host.take({ kind: 'host-observed', nics: [host.host['eth0']!], missing: [] });
    expect(why()).toEqual(['no link-local address']);
    host.host['eth1']!.settings = { 'ipv6/conf/eth1/disable_ipv6': '1' };
    host.take({ kind: 'host-observed', nics: [host.host['eth1']!], missing: [] });
    expect(why()).toEqual(['disable_ipv6 is set']);
  });

  it('is over while it is down, and back with it', () => {
    const fabric = settled();
    fabric.cut('alpha/eth1');
    expect(alpha(fabric).state.nics['eth1']!.readiness).toEqual(['down carrier']);
    fabric.mend('alpha/eth1');
    fabric.run(7000);
    expect(alpha(fabric).state.nics['eth1']!.readiness).toEqual([]);
  });

  it('does not mind the own addresses once they were switched to it', () => {
    const fabric = settled();
    const host = alpha(fabric);
    host.host['eth1']!.addresses.push(...host.host['eth0']!.addresses.filter(({ family }) => family === 4));
    host.take({ kind: 'host-observed', nics: [host.host['eth1']!], missing: [] });
    expect(host.state.nics['eth1']!.readiness).toEqual([]);
  });
});
