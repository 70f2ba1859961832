/** `mac: follow`: the test of a MAC takes time, and the standby that is tested may fail meanwhile. */
import { describe, expect, it } from 'vitest';
import { arpReply } from '../../src/frame/arp.js';
import { ordinaryKernel, Stand } from './stand.js';

const ALL = ['10.77.0.1', '10.77.0.5', 'fd77::1'];
const TARGET = '10.77.0.254';
const [HOME, ETH1, ETH2] = ['02:00:00:00:00:02', '02:00:00:00:00:03', '02:00:00:00:00:04'];
/** A test without an answer is over. */
const TESTED_MS = 500;

function standWith(standby = ['eth1']): Stand {
  return new Stand(ordinaryKernel(), { mac: 'follow', targets: [TARGET], standby }).start();
}

function macs({ kernel }: Stand): string[] {
  return ['eth0', 'eth1', 'eth2'].map((nic) => kernel.nics[nic]!.mac);
}

function answer(stand: Stand, nic: string): void {
  const bytes = arpReply('02:00:00:00:00:fe', TARGET, HOME, '0.0.0.0');
  stand.give({ kind: 'frame-received', nic, bytes });
}

describe('mac: follow (DESIGN 5)', () => {
  it('the MAC goes along once a target has answered it', () => {
    const stand = standWith();
    stand.carrier('eth0', false);
    expect(stand.addresses('eth1')).toEqual([]);
    answer(stand, 'eth1');
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(macs(stand)[1]).toBe(HOME);
  });

  it('nobody answers: a plain switch, with an alarm', () => {
    const stand = standWith();
    stand.carrier('eth0', false);
    stand.pass(TESTED_MS);
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(macs(stand)[1]).toBe(ETH1);
    expect(stand.events('alarm-raised')).toEqual(['alarm-raised mac-refused']);
  });
});

describe('L6: the standby fails while the MAC is tested (seed 20744)', () => {
  it('nothing goes there; all cards get their MACs back, and the primary that returns keeps its addresses', () => {
    const stand = standWith();
    stand.carrier('eth0', false);
    stand.pass(100);
    stand.carrier('eth1', false);
    stand.carrier('eth0', true, 'suspect');
    stand.pass(5000);
    expect(stand.events('switch-started', 'mac-tested')).toEqual([]);
    expect(stand.events('switch-refused')).toContain('switch-refused standby-lost');
    expect(stand.journal.filter((x) => x.event === 'mac-taken').map(({ nic }) => nic)).toEqual(['eth1', 'eth0']);
    expect(macs(stand)).toEqual([HOME, ETH1, ETH2]);
    expect(stand.addresses('eth0')).toEqual(ALL);
  });

  it('another standby is tried at once', () => {
    const stand = standWith(['eth1', 'eth2']);
    stand.carrier('eth0', false);
    stand.pass(100);
    stand.carrier('eth1', false);
    answer(stand, 'eth2');
    expect(stand.addresses('eth2')).toEqual(ALL);
    expect(macs(stand).slice(1)).toEqual([ETH1, HOME]);
  });

  it('it is tested anew when it is back', () => {
    const stand = standWith();
    stand.carrier('eth0', false);
    stand.pass(100);
    stand.carrier('eth1', false);
    stand.pass(1000);
    expect(stand.events('alarm-raised')).toEqual(['alarm-raised standby-unfit']);
    stand.carrier('eth1', true);
    expect(stand.addresses('eth1')).toEqual([]);
    answer(stand, 'eth1');
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(macs(stand)[1]).toBe(HOME);
  });

  it('an operator who waits for the switch is told', () => {
    const stand = standWith();
    expect(stand.ask({ ask: 'link-switch', net: 'public' })).toBeUndefined();
    stand.carrier('eth1', false);
    expect(Object.values(stand.answers)).toEqual([{ ok: false, text: 'public stays on eth0: eth1 is down carrier' }]);
    expect(macs(stand)).toEqual([HOME, ETH1, ETH2]);
  });

  it('one that is only not heard under the MAC gets its own, and the addresses', () => {
    const stand = standWith();
    stand.carrier('eth0', false);
    stand.health('eth1', 'down', 'mute');
    stand.pass(TESTED_MS);
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(macs(stand)[1]).toBe(ETH1);
  });
});

describe('a card that is set down for a new MAC', () => {
  const setDown = (standby: string[]): Stand => {
    const stand = standWith(standby);
    stand.refuses = (step) => {
      if (step.do === 'set-mac' && step.nic === 'eth1') {
        stand.kernel.nics['eth1']!.carrier = false;
        stand.health('eth1', 'down', 'carrier');
      }
      return false;
    };
    return stand;
  };

  it('is waited for, and tested once it has its carrier again', () => {
    const stand = setDown(['eth1', 'eth2']);
    stand.carrier('eth0', false);
    stand.pass(3000);
    expect(stand.events('switch-refused', 'mac-tested', 'switch-started')).toEqual([]);
    stand.carrier('eth1', true);
    answer(stand, 'eth1');
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(macs(stand)[1]).toBe(HOME);
  });

  it('is waited for no longer than such a card takes', () => {
    const stand = setDown(['eth1', 'eth2']);
    stand.carrier('eth0', false);
    stand.pass(15_000);
    expect(stand.addresses('eth2')).toEqual(ALL);
  });
});
