import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/action.js';
import { FloatingStand, packageOf, V4, V6 } from './floating-stand.js';

const BOTH = [V4, V6];

function running(options = {}): FloatingStand {
  const stand = new FloatingStand(options).start();
  stand.grant({ web: 5 });
  stand.pass(5000);
  return stand;
}

function byHand(local: string, verb: 'add-address' | 'delete-address' = 'add-address', nic = 'eth0'): Step {
  const address = {
    family: local.includes(':') ? (6 as const) : (4 as const),
    local,
    prefixLength: 24,
    scope: 0,
    flags: 0,
  };
  return { do: verb, nic, address: { ...address, prefixLength: local.includes(':') ? 64 : 24 } };
}

describe('local switch', () => {
  it('floating addresses follow in the same step, right behind, and are announced at once', () => {
    const stand = running();
    stand.orders.length = 0;
    stand.frames.length = 0;
    stand.handsIdle = false;
    stand.kernel.nics['eth0']!.carrier = false;
    stand.health('eth0', 'down', 'carrier');
    stand.observe();
    expect(stand.hands).toHaveLength(2);
    expect(stand.hands[1]!.steps.map((step) => `${step.do} ${'nic' in step ? step.nic : ''}`)).toEqual([
      'add-address eth1',
      'add-address eth1',
      'delete-address eth0',
      'delete-address eth0',
    ]);
    expect(stand.orders.filter((x) => x.startsWith('gate'))).toEqual([]);
    stand.handsIdle = true;
    stand.work();
    expect(stand.addresses('eth0')).toEqual([]);
    expect(stand.addresses('eth1')).toEqual(BOTH);
    expect(new Set(stand.frames.map(({ nic }) => nic))).toEqual(new Set(['eth1']));
    expect(stand.frames).toHaveLength(3);
    expect(stand.job()).toMatchObject({ state: 'running', held: true });
    expect(stand.events('mended')).toEqual([]);
  });

  it('a failed switch brings them back to where the net stays', () => {
    const stand = running();
    stand.refuses = (step) => step.do === 'add-address' && step.address.local === '10.77.0.1';
    stand.kernel.nics['eth0']!.carrier = false;
    stand.health('eth0', 'down', 'carrier');
    stand.observe();
    expect(stand.addresses('eth0')).toEqual(BOTH);
    expect(stand.addresses('eth1')).toEqual([]);
  });

  it('they are no part of the portfolio, nor does their lifetime look like a DHCP lease', () => {
    const stand = running();
    stand.observe();
    const net = stand.state.nets['public']!;
    expect(net.portfolio.addresses.map(({ local }) => local).sort()).toEqual(['10.77.0.1', '10.77.0.5', 'fd77::1']);
    expect(net.unsuitable).toBeNull();
  });
});

describe('tampering', () => {
  it('an address that somebody removes is put back within the step, announced and counted', () => {
    const stand = running();
    stand.frames.length = 0;
    for (let i = 0; i < 3; i++) {
      stand.kernel.apply({
        ...byHand(V4, 'delete-address'),
        do: 'delete-address',
        nic: 'eth0',
        address: found(stand, V4),
      });
      stand.observe();
      expect(stand.addresses()).toEqual(BOTH);
    }
    expect(stand.frames.length).toBeGreaterThan(0);
    expect(stand.events('mended')).toEqual(Array(3).fill('mended removed-by-other'));
    expect(Object.values(stand.state.alarms).map(({ what }) => what)).toEqual(['rival-manager']);
    stand.pass(70_000);
    expect(stand.state.alarms).toEqual({});
  });

  it('one left behind by hand is dark and removed, with an alarm after three times', () => {
    const stand = new FloatingStand().start();
    for (let i = 0; i < 3; i++) {
      stand.kernel.apply(byHand(V4));
      stand.handsIdle = false;
      stand.observe();
      expect(stand.job().held).toBe(true);
      expect(stand.speaks(V4)).toBe(false);
      stand.handsIdle = true;
      stand.work();
      stand.pass(2000);
      expect(stand.addresses()).toEqual([]);
      expect(stand.job().held).toBe(false);
    }
    expect(stand.events('mended')).toEqual(Array(3).fill('mended put-by-other'));
    expect(Object.values(stand.state.alarms).map(({ what }) => what)).toEqual(['rival-manager']);
    stand.pass(70_000);
    expect(stand.state.alarms).toEqual({});
  });

  it('a second one with another prefix length, or on another NIC, goes', () => {
    const stand = running();
    stand.kernel.apply(byHand(V4));
    stand.kernel.apply(byHand(V6, 'add-address', 'eth1'));
    stand.observe();
    expect(stand.addresses('eth0')).toEqual(BOTH);
    expect(stand.addresses('eth1')).toEqual([]);
    expect(found(stand, V4).prefixLength).toBe(32);
  });

  it('a new card has none of them, and that is nobody’s doing', () => {
    const stand = running();
    const nic = stand.kernel.nics['eth0']!;
    stand.kernel.removeNic('eth0');
    stand.health('eth0', 'down', 'missing');
    stand.observe();
    expect(stand.addresses('eth1')).toEqual(BOTH);
    stand.kernel.nics['eth0'] = { ...nic, ifindex: 9, addresses: [] };
    stand.health('eth0', 'up');
    stand.observe();
    stand.pass(20_000);
    expect(stand.addresses('eth0')).toEqual(BOTH);
    expect(stand.events('mended').filter((x) => x.includes('other'))).toEqual([]);
  });
});

describe('refused by the kernel', () => {
  it('one address: the others are added, it is tried again, and the package is not running', () => {
    const stand = new FloatingStand().start();
    stand.refuses = (step) => step.do === 'add-address' && step.address.local === V4;
    stand.grant({ web: 5 });
    stand.pass(1000);
    expect(stand.addresses()).toEqual([V6]);
    expect(stand.job()).toMatchObject({ state: 'starting', held: true });
    expect(Object.values(stand.state.alarms).map(({ text }) => text)).toEqual([
      `add ${V4} on eth0: EPERM Operation not permitted`,
    ]);
    stand.refuses = () => false;
    stand.pass(20_000);
    expect(stand.job().state).toBe('running');
    expect(stand.state.alarms).toEqual({});
  });

  it('N5: a refused delete keeps it held, and is tried again', () => {
    const stand = running();
    stand.refuses = (step) => step.do === 'delete-address' && step.address.local === V4;
    stand.halt();
    stand.pass(1000);
    expect(stand.job()).toMatchObject({ state: 'halting', held: true });
    stand.refuses = () => false;
    stand.pass(20_000);
    expect(stand.job()).toMatchObject({ state: 'halted', held: false });
    expect(stand.events('mended')).toEqual([]);
  });
});

describe('refresh', () => {
  it('each address once in announceEvery, spread evenly', () => {
    const addresses = Array.from({ length: 10 }, (_, i) => `10.77.0.${100 + i}`);
    const stand = running({ packages: [packageOf('web', ...addresses)] });
    stand.frames.length = 0;
    stand.pass(60_000);
    for (const address of addresses) expect(stand.frames.filter((x) => x.address === address)).toHaveLength(4);
    const perSecond = Array.from(
      { length: 60 },
      (_, i) => stand.frames.filter(({ at }) => Math.floor((at - stand.now + 60_000) / 1000) === i).length,
    );
    expect(Math.max(...perSecond)).toBeLessThanOrEqual(2);
  });
});

function found(
  stand: FloatingStand,
  local: string,
): { family: 4 | 6; local: string; prefixLength: number; scope: number; flags: number } {
  return stand.kernel.nics['eth0']!.addresses.find((x) => x.local === local)!;
}
