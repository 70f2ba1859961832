import { describe, expect, it } from 'vitest';
import * as takeover from '../../src/takeover/local-switch.js';
import { ADDRESS_PROTOCOL } from '../../src/takeover/ledger.js';
import { routeText } from '../../src/takeover/portfolio.js';
import type { ModelKernel } from './model-kernel.js';
import { ordinaryKernel, Stand } from './stand.js';

const ALL = ['10.77.0.1', '10.77.0.5', 'fd77::1'];

describe('local switch (DESIGN 5)', () => {
  it('moves the whole portfolio to the standby when the primary loses its carrier', () => {
    const stand = new Stand().start();
    stand.carrier('eth0', false);
    expect(stand.addresses('eth0')).toEqual([]);
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(stand.events('switch-started', 'switch-done')).toEqual(['switch-started carrier', 'switch-done carrier']);
    const { nics, neighbours } = { nics: stand.kernel.nics, neighbours: stand.kernel.nics['eth1']!.neighbours };
    expect(nics['eth1']!.joined).toEqual(['239.1.2.3']);
    expect(neighbours).toMatchObject([{ address: '10.77.0.254', mac: '02:00:00:00:00:fe' }]);
    expect(stand.kernel.routes.filter((x) => x.nic === 'eth0' && x.destination !== 'fe80::/64')).toEqual([]);
  });

  it('tags what lies on a standby, renames labels, and asks for no duplicate detection', () => {
    const stand = new Stand().start();
    stand.carrier('eth0', false);
    expect(stand.kernel.nics['eth1']!.addresses.filter((x) => !x.local.startsWith('fe80'))).toMatchObject([
      { local: '10.77.0.1', label: 'eth1', protocol: ADDRESS_PROTOCOL },
      { local: '10.77.0.5', label: 'eth1:5', protocol: ADDRESS_PROTOCOL },
      { local: 'fd77::1', flags: 0x82, protocol: ADDRESS_PROTOCOL },
    ]);
  });

  it('announces every address from the new NIC at once, also before the NICs were looked at again', () => {
    const stand = new Stand().start();
    const before = stand.frames.length;
    stand.carrier('eth0', false);
    const first = stand.frames.slice(before).filter((x) => x.at === stand.now);
    expect(first.map((x) => x.nic)).toEqual(Array(5).fill('eth1'));
    stand.pass(4000);
    expect(stand.frames.length - before).toBe(25);
  });

  it('says nothing more from the old NIC once a switch has begun', () => {
    const stand = new Stand().start();
    stand.carrier('eth0', false);
    stand.idle = false;
    stand.health('eth1', 'down', 'silent');
    stand.health('eth0', 'up');
    const before = stand.frames.length;
    stand.give({ kind: 'woke' });
    stand.now += 500;
    stand.give({ kind: 'woke' });
    expect(stand.frames.length).toBe(before);
  });

  it('goes back when the primary is up again and its hold is over', () => {
    const stand = new Stand().start();
    const before = lasting(stand.kernel);
    stand.pass(5000);
    stand.carrier('eth0', false);
    stand.carrier('eth0', true, 'up', stand.now + 3000);
    stand.pass(2900);
    expect(stand.addresses('eth1')).toEqual(ALL);
    stand.pass(200);
    expect(stand.addresses('eth0')).toEqual(ALL);
    expect(stand.events('switch-done')).toEqual(['switch-done carrier', 'switch-done switch-back']);
    expect(lasting(stand.kernel)).toEqual(before);
  });

  it.each([
    ['autoSwitchBack is off', { autoSwitchBack: false }, 'up' as const],
    ['the primary is only suspect', {}, 'suspect' as const],
  ])('does not go back when %s', (_, options, health) => {
    const stand = new Stand(ordinaryKernel(), options).start();
    stand.carrier('eth0', false);
    stand.carrier('eth0', true, health);
    stand.pass(60_000);
    expect(stand.addresses('eth1')).toEqual(ALL);
  });

  it.each(['split', 'one-way', 'isolated', 'unproven'] as const)(
    'does not move for a primary that is up %s',
    (reason) => {
      const stand = new Stand().start();
      stand.pass(10_000);
      stand.health('eth0', 'up', reason);
      stand.observe();
      stand.pass(60_000);
      expect(stand.events('switch-started', 'switch-refused')).toEqual([]);
    },
  );

  it('with both dead it stays, says so once, and moves as soon as one is up', () => {
    const stand = new Stand().start();
    stand.kernel.nics['eth1']!.carrier = false;
    stand.health('eth1', 'down', 'carrier');
    stand.carrier('eth0', false);
    for (let i = 0; i < 5; i++) stand.give({ kind: 'woke' });
    expect(stand.events('switch-refused', 'alarm-raised')).toEqual(
      ['switch-refused no-fit-standby', 'alarm-raised standby-unfit'].reverse(),
    );
    stand.carrier('eth1', true);
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(Object.keys(stand.state.alarms)).toEqual([]);
  });

  it('prefers the standby with better health, then the first in the file', () => {
    const better = new Stand(ordinaryKernel(), { standby: ['eth1', 'eth2'] }).start();
    better.health('eth1', 'up', 'unproven');
    better.carrier('eth0', false);
    expect(better.addresses('eth2')).toEqual(ALL);
    const first = new Stand(ordinaryKernel(), { standby: ['eth1', 'eth2'] }).start();
    first.carrier('eth0', false);
    expect(first.addresses('eth1')).toEqual(ALL);
  });

  it.each([
    ['is a bridge port', (s: Stand) => Object.assign(s.kernel.nics['eth1']!, { master: 'br0', masterKind: 'bridge' })],
    ['has another link type', (s: Stand) => Object.assign(s.kernel.nics['eth1']!, { linkType: 772 })],
    ['is set down', (s: Stand) => Object.assign(s.kernel.nics['eth1']!, { admin: false })],
  ])('does not take a standby that %s', (_, spoil) => {
    const stand = new Stand().start();
    spoil(stand);
    stand.carrier('eth0', false);
    expect(stand.events('switch-started', 'switch-refused')).toEqual(['switch-refused no-fit-standby']);
  });

  it('tells the net that an address stays where it was when it was on the standby for a moment', () => {
    const stand = new Stand().start();
    stand.pass(10_000);
    const before = stand.frames.length;
    stand.refuses = (step) => step.do === 'add-address' && step.nic === 'eth1' && step.address.family === 6;
    stand.ask({ ask: 'link-switch', net: 'public', to: 'eth1' });
    stand.pass(10_000);
    expect(stand.addresses('eth0')).toEqual(ALL);
    expect(stand.events('announced').slice(-2)).toEqual(['announced rolled-back', 'announced rolled-back']);
    expect(new Set(stand.frames.slice(before).map((x) => x.nic))).toEqual(new Set(['eth0']));
  });

  it('takes the next standby when the kernel refuses the first, and lets that one rest', () => {
    const stand = new Stand(ordinaryKernel(), { standby: ['eth1', 'eth2'] }).start();
    stand.refuses = (step) => step.do === 'add-address' && step.nic === 'eth1' && step.address.family === 6;
    stand.carrier('eth0', false);
    expect(stand.addresses('eth1')).toEqual([]);
    expect(stand.addresses('eth2')).toEqual(ALL);
    expect(stand.events('switch-failed', 'switch-done')).toEqual(['switch-failed carrier', 'switch-done carrier']);
    expect(stand.journal.find((x) => x.event === 'switch-failed')?.evidence).toMatchObject({
      code: 'EPERM',
      text: 'Operation not permitted',
      undone: true,
    });
  });

  it('tries a refused standby again after a while, each time later', () => {
    const stand = new Stand().start();
    stand.refuses = (step) => step.do === 'add-address' && step.nic === 'eth1';
    stand.carrier('eth0', false);
    stand.pass(29_000);
    expect(stand.events('switch-failed').length).toBe(1);
    stand.pass(2000);
    expect(stand.events('switch-failed').length).toBe(2);
    stand.pass(58_000);
    expect(stand.events('switch-failed').length).toBe(2);
    stand.refuses = () => false;
    stand.pass(3000);
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(Object.keys(stand.state.alarms)).toEqual([]);
  });

  it('decides nothing while a change is under way, and tells one that is late', () => {
    const stand = new Stand().start();
    stand.idle = false;
    stand.carrier('eth0', false);
    stand.health('eth1', 'down', 'carrier');
    stand.pass(4900);
    expect(stand.waiting.length).toBe(1);
    expect(takeover.status(stand.world, stand.state, stand.now, {} as never).nets['public']).toEqual({
      carrier: 'eth0',
      switching: true,
      switches: 0,
    });
    stand.pass(200);
    expect(Object.values(stand.state.alarms).map((x) => x.what)).toEqual(['switch-failed']);
  });

  it('keeps IPv4 going over a standby without IPv6', () => {
    const stand = new Stand().start();
    stand.kernel.nics['eth1']!.settings['ipv6/conf/{nic}/disable_ipv6'] = '1';
    stand.observe();
    stand.carrier('eth0', false);
    expect(stand.addresses('eth1')).toEqual(['10.77.0.1', '10.77.0.5']);
    stand.pass(10_000);
    expect(stand.events('mended', 'switch-failed')).toEqual([]);
  });

  it('serves no net whose primary has a DHCP lifetime or is a port, and says so', () => {
    for (const spoil of [
      (s: Stand) => Object.assign(s.kernel.nics['eth0']!.addresses[0]!, { validS: 3600, flags: 0 }),
      (s: Stand) => Object.assign(s.kernel.nics['eth0']!, { master: 'br0', masterKind: 'bridge' }),
    ]) {
      const stand = new Stand();
      spoil(stand);
      stand.start();
      stand.carrier('eth0', false);
      stand.pass(5000);
      expect(stand.events('switch-started', 'switch-refused', 'mended')).toEqual(['switch-refused unsuitable']);
      expect(Object.values(stand.state.alarms).map((x) => x.what)).toEqual(['unsuitable']);
    }
  });

  it('takes the addresses off a renamed card under its old name, by which the hands find it', () => {
    const stand = new Stand().start();
    stand.kernel.removeNic('eth0');
    stand.health('eth0', 'down', 'missing');
    stand.idle = false;
    stand.observe();
    const deleted = stand.waiting[0]!.steps.flatMap((x) =>
      x.do === 'delete-address' ? [`${x.nic} ${x.address.local}`] : [],
    );
    expect(deleted).toEqual(['eth0 fd77::1', 'eth0 10.77.0.5', 'eth0 10.77.0.1']);
  });

  it('still puts the settings of a card back that was renamed and got its name again', () => {
    const stand = new Stand().start();
    const card = stand.kernel.nics['eth1']!;
    const before = card.settings['ipv4/conf/{nic}/arp_ignore'];
    delete stand.kernel.nics['eth1'];
    stand.health('eth1', 'down', 'missing');
    stand.observe();
    stand.kernel.nics['eth1'] = card;
    stand.health('eth1', 'up');
    stand.observe();
    expect(before).toBe('1');
    stand.give({ kind: 'stop-asked', how: 'stop' });
    stand.pass(1000);
    expect(stand.kernel.nics['eth1'].settings['ipv4/conf/{nic}/arp_ignore']).toBe('0');
  });

  it('moves without a portfolio when the card is gone, and back onto a new card', () => {
    const stand = new Stand().start();
    stand.kernel.removeNic('eth0');
    stand.health('eth0', 'down', 'missing');
    stand.observe();
    expect(stand.addresses('eth1')).toEqual(ALL);
    stand.pass(5000);
    stand.kernel.addNic('eth0', 9, { 'ipv4/conf/{nic}/arp_ignore': '0' });
    stand.health('eth0', 'up');
    stand.observe();
    expect(stand.addresses('eth0')).toEqual(ALL);
    expect(stand.kernel.nics['eth0']!.settings['ipv4/conf/{nic}/arp_ignore']).toBe('1');
  });

  it('shows what it knows in the status', () => {
    const stand = new Stand().start();
    stand.ask({ ask: 'link-lock', nic: 'eth1', owner: 'ann', reason: 'cabling' });
    const status = takeover.status(stand.world, stand.state, stand.now, {} as never);
    expect(status.nics).toEqual({
      eth0: { carrying: ['10.77.0.1/24', '10.77.0.5/24', 'fd77::1/64'] },
      eth1: { carrying: [], locked: { owner: 'ann', reason: 'cabling' } },
    });
  });
});

/** Addresses and routes, those of different keys in any order. */
function lasting({ nics, routes }: ModelKernel): unknown {
  const addresses = Object.fromEntries(Object.values(nics).map((nic) => [nic.nic, structuredClone(nic.addresses)]));
  return { addresses, routes: routes.map(routeText).sort() };
}
