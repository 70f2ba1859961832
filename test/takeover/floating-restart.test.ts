import { describe, expect, it } from 'vitest';
import { FloatingStand, LEASE, packageOf, V4, V6 } from './floating-stand.js';

const BOTH = [V4, V6];

function running(options = {}): FloatingStand {
  const stand = new FloatingStand(options).start();
  stand.grant({ web: 5 });
  stand.pass(1000);
  return stand;
}

describe('restart', () => {
  it('N7: with SIGHUP addresses and open gate run on', () => {
    const stand = running();
    stand.orders.length = 0;
    stand.give({ kind: 'stop-asked', how: 'restart' });
    expect(stand.exited).toBe(0);
    expect(stand.orders).toEqual([]);
    expect(stand.speaks(V4)).toBe(true);
  });

  it('N7: what the kernel shows is held from the first moment and left alone, gate too', () => {
    const stand = running();
    stand.orders.length = 0;
    stand.start();
    expect(stand.job()).toMatchObject({ state: 'halted', held: true, epoch: null });
    stand.pass(300);
    expect(stand.orders).toEqual([]);
    expect(stand.speaks(V4)).toBe(true);
  });

  it('N7: under a new grant it is adopted without a delete or an add', () => {
    const stand = running();
    stand.orders.length = 0;
    stand.start();
    stand.now += 200;
    stand.grant({ web: 5 });
    expect(stand.orders).toEqual([`gate ${BOTH.join(' ')}`]);
    expect(stand.job()).toMatchObject({ state: 'running', held: true });
    expect(stand.events('package')).toEqual(expect.arrayContaining(['package adopted']));
    stand.pass(40_000);
    expect(stand.orders.filter((x) => x.startsWith('delete'))).toEqual([]);
    expect(stand.events('mended')).toEqual([]);
    expect(stand.speaks(V4)).toBe(true);
  });

  it('S13, N7: a lease that does not allow yet what is placed here takes nothing off', () => {
    const stand = running();
    stand.start();
    stand.orders.length = 0;
    stand.place({ web: 5 });
    stand.mandate.leaseEnd = stand.now + LEASE;
    stand.mandate.may = {};
    stand.wake();
    stand.pass(100);
    expect(stand.orders).toEqual([]);
    stand.grant({ web: 5 });
    expect(stand.orders).toEqual([`gate ${BOTH.join(' ')}`]);
    expect(stand.events('package')).toEqual(expect.arrayContaining(['package adopted']));
  });

  it('N7: what the grant does not allow is removed before the gate is written', () => {
    const packages = [packageOf('web', V4), packageOf('mail', '10.77.0.101')];
    const stand = new FloatingStand({ packages }).start();
    stand.grant({ web: 5, mail: 6 });
    stand.start();
    stand.orders.length = 0;
    stand.handsIdle = false;
    stand.grant({ mail: 6 });
    expect(stand.orders).toEqual([`delete-address eth0 ${V4}`]);
    expect(stand.job('web').held).toBe(true);
    stand.handsIdle = true;
    stand.work();
    expect(stand.orders.slice(1)).toEqual(['gate 10.77.0.101']);
    expect(stand.job('web')).toMatchObject({ state: 'halted', held: false });
    expect(stand.job('mail').state).toBe('running');
    expect(stand.events('mended')).toEqual([]);
  });

  it('N7: without a grant within the time of a lease they go', () => {
    const stand = running();
    stand.start();
    stand.pass(LEASE);
    expect(stand.addresses()).toEqual(BOTH);
    stand.pass(100);
    expect(stand.addresses()).toEqual([]);
    expect(stand.job().held).toBe(false);
    expect(stand.gate.leaseEnd).toBeNull();
  });

  it('S13: under its own MAC, where an earlier run left it on the NIC itself: it stays there, and nothing is tried', () => {
    const before = running();
    const web = packageOf('web', V4, V6);
    for (const resource of web.resources) Object.assign(resource, { mac: '02:00:5e:00:01:10' });
    const stand = new FloatingStand({ packages: [web] }, before.kernel);
    Object.assign(stand, { now: before.now, gate: before.gate, peers: ['beta'] });
    stand.refuses = ({ do: verb }) => verb === 'add-macvlan';
    stand.start();
    stand.grant({ web: 5 });
    stand.pass(LEASE);
    expect(stand.orders.filter((x) => x.startsWith('delete-address'))).toEqual([]);
    expect(stand.addresses()).toEqual(BOTH);
    expect(stand.job()).toMatchObject({ state: 'running', held: true });
  });

  it('N7: a daemon killed between posting and doing: what is under way is found by the look', () => {
    const stand = new FloatingStand().start();
    stand.handsIdle = false;
    stand.grant({ web: 5 });
    stand.handsIdle = true;
    stand.start();
    expect(stand.job()).toMatchObject({ state: 'halted', held: false });
    stand.grant({ web: 5 });
    expect(stand.job().state).toBe('running');
  });

  it('switch.json and ledger.json do not contain them', () => {
    const stand = running();
    const record = JSON.stringify([stand.state.ledger, stand.state.nets]);
    for (const address of BOTH) expect(record).not.toContain(`"${address}"`);
  });
});

describe('stop', () => {
  it('waits until the packages have departed', () => {
    const stand = running();
    stand.give({ kind: 'stop-asked', how: 'stop' });
    stand.pass(500);
    expect(stand.exited).toBeNull();
    expect(stand.speaks(V4)).toBe(true);
    stand.place({});
    stand.mandate.may = {};
    stand.wake();
    expect(stand.job().held).toBe(false);
    stand.mandate.departed = true;
    stand.pass(500);
    expect(stand.exited).toBe(0);
  });

  it('what nobody receives goes all the same: gate closed, addresses off', () => {
    const stand = running();
    stand.mandate.departed = true;
    stand.give({ kind: 'stop-asked', how: 'stop' });
    stand.pass(500);
    expect(stand.exited).toBe(0);
    expect(stand.addresses()).toEqual([]);
    expect(stand.gate.leaseEnd).toBeNull();
  });

  it('does not wait for ever for a receiver', () => {
    const stand = running();
    stand.give({ kind: 'stop-asked', how: 'stop' });
    stand.pass(7000);
    expect(stand.exited).toBe(0);
    expect(stand.addresses()).toEqual([]);
  });
});

describe('fence', () => {
  it('none: no gate is written, and the lease counts all the same', () => {
    const stand = running({ fence: 'none' });
    expect(stand.job().state).toBe('running');
    stand.lose();
    expect(stand.job()).toMatchObject({ state: 'suspended', held: false });
    expect(stand.orders.filter((x) => x.startsWith('gate'))).toEqual([]);
  });

  it('G8: lifetime: whole seconds within the lease, prolonged with it', () => {
    const stand = new FloatingStand({ fence: 'lifetime' }).start();
    stand.grant({ web: 5 }, 3900);
    const validS = (): (number | undefined)[] =>
      stand.kernel.nics['eth0']!.addresses.filter((x) => BOTH.includes(x.local)).map((x) => x.validS);
    expect(validS()).toEqual([3, 3]);
    expect(stand.job().state).toBe('running');
    stand.orders.length = 0;
    stand.now += 600;
    stand.renew(3900);
    expect(stand.orders.sort()).toEqual([`add-address eth0 ${V4}`, `add-address eth0 ${V6}`]);
    stand.orders.length = 0;
    stand.now += 100;
    stand.renew(3900);
    expect(stand.orders).toEqual([]);
    expect(stand.events('announced').filter((x) => x.endsWith('switch'))).toEqual([]);
  });

  it('a renewal that the hands are late with is posted once', () => {
    const stand = running();
    stand.handsIdle = false;
    stand.pass(15_000);
    expect(stand.hands).toHaveLength(1);
    stand.handsIdle = true;
    stand.work();
    expect(stand.job()).toMatchObject({ state: 'running', held: true });
  });

  it('the lifetime is prolonged in time', () => {
    const stand = running();
    stand.orders.length = 0;
    stand.pass(10_000);
    const renewals = stand.orders.filter((x) => x.startsWith('add'));
    expect(renewals).toEqual([`add-address eth0 ${V4}`, `add-address eth0 ${V6}`]);
    stand.pass(60_000);
    expect(stand.events('mended')).toEqual([]);
    expect(stand.job().state).toBe('running');
  });
});
