import { describe, expect, it } from 'vitest';
import { decodeArp } from '../../src/frame/arp.js';
import { decodeEthernet, ETHERTYPE_ARP } from '../../src/frame/ethernet.js';
import * as health from '../../src/health/monitor.js';
import { Fabric, type FabricOptions } from './fabric.js';

const PAIR = { alpha: { eth0: 'A', eth1: 'B' }, beta: { eth0: 'A', eth1: 'B' } };

function settled(options: Partial<FabricOptions> = {}): Fabric {
  const fabric = new Fabric({ nodes: PAIR, targets: ['10.77.0.254'], ...options });
  fabric.run(3000);
  return fabric;
}

const shown = (fabric: Fabric, nic: string) => {
  const { world, state } = fabric.hosts['alpha']!;
  return health.status(world, state, fabric.now).nics.find(({ name }) => name === nic)!.targets;
};

describe('targets', () => {
  it('are asked by echo from a NIC with an address, by ARP from 0.0.0.0 without', () => {
    const fabric = settled();
    const asked: string[] = [];
    const perform = fabric.perform.bind(fabric);
    fabric.perform = (host, action) => {
      if (action.kind === 'send-echo') asked.push(`${action.nic} echo`);
      if (action.kind === 'send-frame') {
        const frame = decodeEthernet(action.bytes);
        if (typeof frame !== 'string' && frame.etherType === ETHERTYPE_ARP) {
          const arp = decodeArp(frame.payload);
          asked.push(`${action.nic} arp from ${typeof arp === 'string' ? arp : arp.spa}`);
        }
      }
      perform(host, action);
    };
    fabric.run(1000);
    expect(new Set(asked)).toEqual(new Set(['eth0 echo', 'eth1 arp from 0.0.0.0']));
    expect(shown(fabric, 'eth0')['10.77.0.254']).toMatchObject({ answers: true });
    expect(shown(fabric, 'eth1')['10.77.0.254']).toMatchObject({ answers: true });
  });

  it.each([
    ['from a link-local address', false],
    ['from ::', true],
  ])('of IPv6 are solicited %s where there is no address', (_, withoutLinkLocal) => {
    const fabric = settled({ targets: ['fd77::fe'], withoutLinkLocal });
    expect(shown(fabric, 'eth1')['fd77::fe']).toMatchObject({ answers: true });
  });

  it('an answer to somebody else, or none that was asked for, proves nothing', () => {
    const fabric = settled();
    const host = fabric.hosts['alpha']!;
    host.take({ kind: 'echo-answered', nic: 'eth0', target: '10.77.0.253' });
    expect(host.state.dropped['target-unasked']).toBe(1);
  });

  it('condemn the side of a cut trunk from which none answers', () => {
    const fabric = settled({ side: 'B' });
    fabric.trunk = false;
    const tookMs = fabric.until(5000, () => fabric.verdicts()['alpha/eth0'] === 'down unreachable');
    expect(tookMs).toBeLessThan(700);
    expect(fabric.verdicts()['alpha/eth1']).toBe('up');
  });

  it('are not taken to answer a dead NIC while its addresses move', () => {
    const fabric = settled();
    const { world } = fabric.hosts['alpha']!;
    Object.assign(fabric.card('alpha/eth0'), { dropIn: true, dropOut: true });
    fabric.until(5000, () => fabric.verdicts()['alpha/eth0'] === 'down silent');
    Object.assign(world.moving, { eth0: 1, eth1: 1 });
    for (let looked = 0; looked < 400; looked++) {
      fabric.run(1);
      expect(fabric.verdicts()['alpha/eth0']).toBe('down silent');
    }
    expect(fabric.verdicts()['alpha/eth1']).toBe('up');
  });

  it('condemn nobody when no NIC gets an answer', () => {
    const fabric = settled();
    fabric.targetAlive = false;
    fabric.run(5000);
    expect(Object.values(fabric.verdicts())).toEqual(['up', 'up', 'up', 'up']);
    expect(fabric.hosts['alpha']!.state.nets['public']!.polling).toBe('light');
  });

  it('condemn one NIC a node by the testimony of a peer', () => {
    const fabric = settled({ nodes: { alpha: { eth0: 'A' }, beta: { eth0: 'B' } }, side: 'B' });
    expect(fabric.verdicts()['alpha/eth0']).toBe('up');
    fabric.run(1000);
    const reach = fabric.hosts['alpha']!;
    const perform = fabric.perform.bind(fabric);
    fabric.perform = (host, action) => {
      if (host !== reach || action.kind !== 'send-echo') perform(host, action);
    };
    fabric.run(3000);
    expect(fabric.verdicts()['alpha/eth0']).toBe('down unreachable');
    expect(fabric.verdicts()['beta/eth0']).toBe('up');
  });

  it.each([
    [2900, 'up'],
    [6000, 'down unreachable'],
  ])('S10: asked for the first time, a question that waits %i ms for its neighbour: %s', (waitsMs, verdict) => {
    const fabric = new Fabric({ nodes: { alpha: { eth0: 'A' }, beta: { eth0: 'A' } }, targets: ['10.77.0.254'] });
    const reach = fabric.hosts['alpha']!;
    const perform = fabric.perform.bind(fabric);
    const from = fabric.now;
    fabric.perform = (host, action) => {
      const waits = host === reach && action.kind === 'send-echo' && fabric.now - from < waitsMs;
      if (!waits) perform(host, action);
    };
    const seen = new Set<string>();
    while (fabric.now - from < 5000) {
      fabric.run(10);
      seen.add(fabric.verdicts()['alpha/eth0']!.replace(/^up .*/, 'up'));
    }
    expect(seen.has('down unreachable')).toBe(verdict !== 'up');
    expect(fabric.verdicts()['alpha/eth0']).toBe(verdict);
  });

  it('note probe-blocked where a switch drops probes, and condemn nobody for it', () => {
    const fabric = new Fabric({ nodes: PAIR, targets: ['10.77.0.254'] });
    fabric.probesBlocked = true;
    fabric.run(5000);
    expect(shown(fabric, 'eth1')['10.77.0.254']).toEqual({ answers: false, note: 'probe-blocked' });
    expect(fabric.verdicts()['alpha/eth1']).toBe('up');
  });
});
