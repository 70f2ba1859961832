import { describe, expect, it } from 'vitest';
import { FloatingStand, LEASE, packageOf, V4, V6 } from './floating-stand.js';

const BOTH = [V4, V6];

function running(options = {}): FloatingStand {
  const stand = new FloatingStand(options).start();
  stand.grant({ web: 5 });
  return stand;
}

describe('takeover', () => {
  it('before the first look nothing is known not to be held', () => {
    const stand = new FloatingStand();
    stand.handsIdle = false;
    const { jobs } = stand.world;
    stand.start();
    expect(jobs['web']).toMatchObject({ state: 'halted', held: false });
  });

  it('N4: gate and addresses are ordered together, and announced when both are done', () => {
    const stand = new FloatingStand().start();
    stand.handsIdle = false;
    stand.gateIdle = false;
    stand.orders.length = 0;
    stand.grant({ web: 5 });
    expect(stand.orders.sort()).toEqual([`add-address eth0 ${V4}`, `add-address eth0 ${V6}`, `gate ${V4} ${V6}`]);
    expect(stand.hands).toHaveLength(1);
    expect(stand.job()).toMatchObject({ state: 'starting', held: true, epoch: { term: 1, revision: 5 } });
    stand.change();
    expect(stand.job().state).toBe('starting');
    expect(stand.frames).toEqual([]);
    stand.writeGate();
    expect(stand.job().state).toBe('running');
    expect(stand.frames).toHaveLength(3);
    expect(stand.events('announced').filter((x) => x.endsWith('takeover'))).toHaveLength(2);
  });

  it('N4: an open gate alone announces nothing', () => {
    const stand = new FloatingStand().start();
    stand.handsIdle = false;
    stand.grant({ web: 5 });
    expect(stand.gate.held).toEqual(BOTH);
    expect(stand.job().state).toBe('starting');
    expect(stand.frames).toEqual([]);
  });

  it('adds them without duplicate-address detection, prefix route and use as source, with a lifetime and our tag', () => {
    const stand = running();
    const found = stand.kernel.nics['eth0']!.addresses.filter(({ local }) => BOTH.includes(local));
    expect(found).toHaveLength(2);
    for (const address of found) {
      expect(address).toMatchObject({ validS: 30, preferredS: 0, protocol: 0xb7, scope: 0 });
      expect(address.flags & 0x202).toBe(0x202);
    }
    expect(found.map(({ prefixLength }) => prefixLength).sort()).toEqual([128, 32]);
  });

  it('`source: true` is not deprecated', () => {
    const web = packageOf('web', V4);
    for (const resource of web.resources) if (resource.kind === 'address') resource.source = true;
    const stand = running({ packages: [web] });
    expect(stand.kernel.nics['eth0']!.addresses.find(({ local }) => local === V4)).toMatchObject({ preferredS: 30 });
  });

  it('500 addresses: one change, one gate write, one round of announcements in one step', () => {
    const many = Array.from({ length: 500 }, (_, i) => `10.77.${1 + (i >> 8)}.${i & 255}`);
    const stand = new FloatingStand({ packages: [packageOf('web', ...many)] }).start();
    stand.handsIdle = false;
    stand.grant({ web: 5 });
    expect(stand.hands.map(({ steps }) => steps.length)).toEqual([500]);
    stand.handsIdle = true;
    stand.work();
    expect(stand.frames).toHaveLength(1000);
    expect(new Set(stand.frames.map(({ at }) => at)).size).toBe(1);
  });

  it('nothing is served without a lease, whatever the document says', () => {
    const stand = new FloatingStand().start();
    stand.place({ web: 5 });
    stand.mandate.may = { web: { term: 1, revision: 5 } };
    stand.wake();
    stand.pass(2000);
    expect(stand.addresses()).toEqual([]);
    expect(stand.gate.leaseEnd).toBeNull();
  });
});

describe('lease', () => {
  it('each longer lease is written into the gate', () => {
    const stand = running();
    stand.pass(5000);
    expect(stand.gate.leaseEnd).toBe(stand.mandate.leaseEnd);
    expect(stand.job().state).toBe('running');
  });

  it('one renewal is under way at a time, and the newest follows', () => {
    const stand = running();
    stand.gateIdle = false;
    for (let i = 0; i < 5; i++) {
      stand.now += 10;
      stand.renew();
    }
    expect(stand.gateOrders).toHaveLength(1);
    stand.writeGate();
    expect(stand.gateOrders.map(({ leaseEnd }) => leaseEnd)).toEqual([stand.now + LEASE]);
  });

  it('a refused renewal is tried again at once, then later each time', () => {
    const stand = running();
    let refusals = 0;
    stand.gateAnswer = () => {
      refusals++;
      return { ok: false, why: 'late' };
    };
    stand.now += 10;
    stand.renew();
    expect(refusals).toBe(2);
    stand.gateAnswer = () => ({ ok: true });
    stand.pass(50, false);
    expect(stand.gate.leaseEnd).toBe(stand.mandate.leaseEnd);
    expect(stand.events('gate').filter((x) => x === 'gate late')).toHaveLength(2);
  });

  it('a gate that is refused again and again is an alarm, cleared when it is written', () => {
    const stand = running();
    stand.gateAnswer = () => ({ ok: false, why: 'failed', text: 'no such table' });
    stand.renew(LEASE + 1);
    stand.pass(200, false);
    expect(Object.values(stand.state.alarms).map(({ what }) => what)).toEqual(['gate-refused']);
    stand.gateAnswer = () => ({ ok: true });
    stand.pass(1000);
    expect(stand.state.alarms).toEqual({});
  });

  it('N6: over: gate closed, addresses off, not one announcement; suspended', () => {
    const stand = running();
    stand.pass(100);
    stand.frames.length = 0;
    stand.orders.length = 0;
    stand.lose();
    expect(stand.orders).toEqual(['gate closed', `delete-address eth0 ${V4}`, `delete-address eth0 ${V6}`]);
    expect(stand.addresses()).toEqual([]);
    expect(stand.job()).toMatchObject({ state: 'suspended', held: false, epoch: { revision: 5 } });
    stand.pass(60_000);
    expect(stand.frames).toEqual([]);
  });

  it('N6: exactly at its end, though nobody said that it is over', () => {
    const stand = running();
    const end = stand.mandate.leaseEnd!;
    expect(stand.state.floating.lookAt).toBe(end);
    stand.now = end;
    stand.orders.length = 0;
    stand.wake();
    expect(stand.orders[0]).toBe('gate closed');
    expect(stand.addresses()).toEqual([]);
  });

  it('N6: a new lease for the same epoch brings address and gate back', () => {
    const stand = running();
    stand.lose();
    stand.now += 300;
    stand.frames.length = 0;
    stand.grant({ web: 5 });
    expect(stand.job().state).toBe('running');
    expect(stand.speaks(V4)).toBe(true);
    expect(stand.frames.length).toBeGreaterThan(0);
    expect(stand.events('package')).toContain('package lease-back');
  });

  it('N5: suspended and then placed elsewhere: halted', () => {
    const stand = running();
    stand.lose();
    stand.place({});
    stand.wake();
    expect(stand.job()).toMatchObject({ state: 'halted', held: false });
  });
});

describe('surrender', () => {
  it('S11: what is allowed again meanwhile is halted first, and then started', () => {
    const stand = running();
    stand.handsIdle = false;
    stand.gateIdle = false;
    stand.halt();
    stand.grant({ web: 5 });
    expect(stand.job()).toMatchObject({ state: 'halting', held: true });
    stand.change();
    stand.writeGate();
    expect(stand.job().state).toBe('halted');
    stand.handsIdle = true;
    stand.gateIdle = true;
    expect(stand.state.floating.lookAt).toBe(stand.now);
    stand.wake();
    expect(stand.job().state).toBe('running');
    expect(stand.speaks(V4)).toBe(true);
  });

  it('N5: gate first, then the addresses, then and only then not held', () => {
    const stand = running();
    stand.handsIdle = false;
    stand.gateIdle = false;
    stand.orders.length = 0;
    stand.halt();
    expect(stand.orders).toEqual(['gate closed', `delete-address eth0 ${V4}`, `delete-address eth0 ${V6}`]);
    expect(stand.job()).toMatchObject({ state: 'halting', held: true });
    stand.change();
    expect(stand.addresses()).toEqual([]);
    expect(stand.job()).toMatchObject({ state: 'halting', held: true });
    stand.writeGate();
    expect(stand.job()).toMatchObject({ state: 'halted', held: false });
  });

  it('N5: a closed gate alone is not enough', () => {
    const stand = running();
    stand.handsIdle = false;
    stand.halt();
    expect(stand.gate.leaseEnd).toBeNull();
    expect(stand.job().held).toBe(true);
  });

  it('N5: a deletion that the kernel acknowledged needs no look; one that it refused does', () => {
    const told = (refused: string | null): string[] => {
      const stand = running();
      stand.handsIdle = false;
      stand.refuses = (step) => step.do === 'delete-address' && step.address.local === refused;
      stand.halt();
      const seen: string[] = [];
      stand.check = () => {
        const shown = stand.world.host['eth0']!.addresses.some(({ local }) => local === V6);
        seen.push(`${shown ? 'shown' : 'gone'}, ${stand.job().held ? 'held' : 'not held'}`);
      };
      stand.change();
      return seen;
    };
    expect(told(null)).toEqual(['shown, not held', 'gone, not held']);
    expect(told(V6)).toEqual(['shown, held', 'shown, held']);
  });

  it('N5: who puts it back after that is found by the look', () => {
    const stand = running();
    stand.halt();
    expect(stand.job().held).toBe(false);
    const address = { family: 4, local: V4, prefixLength: 32, scope: 0, flags: 0x202 } as const;
    stand.handsIdle = false;
    stand.kernel.apply({ do: 'add-address', nic: 'eth0', address });
    stand.observe();
    expect(stand.job()).toMatchObject({ state: 'halted', held: true });
    expect(stand.orders.at(-1)).toBe(`delete-address eth0 ${V4}`);
    stand.change();
    expect(stand.job().held).toBe(false);
  });

  it('N5: an addition under way counts as held', () => {
    const stand = new FloatingStand().start();
    stand.handsIdle = false;
    stand.grant({ web: 5 });
    stand.halt();
    expect(stand.addresses()).toEqual([]);
    expect(stand.job()).toMatchObject({ state: 'halting', held: true });
    stand.change();
    expect(stand.job().held).toBe(true);
    stand.change();
    expect(stand.job()).toMatchObject({ state: 'halted', held: false });
    expect(stand.addresses()).toEqual([]);
  });

  it('does not wait for a renewal under way, and leaves the other package alone', () => {
    const packages = [packageOf('web', V4), packageOf('mail', '10.77.0.101')];
    const stand = new FloatingStand({ packages }).start();
    stand.grant({ web: 5, mail: 6 });
    stand.gateIdle = false;
    stand.renew(LEASE + 10);
    stand.place({ mail: 6 });
    stand.mandate.may = { mail: { term: 1, revision: 6 } };
    stand.wake();
    expect(stand.gateOrders).toHaveLength(2);
    expect(stand.job('web').held).toBe(true);
    stand.writeGate();
    expect(stand.gate.held).toEqual(['10.77.0.101']);
    expect(stand.job('web')).toMatchObject({ state: 'halted', held: false });
    expect(stand.job('mail')).toMatchObject({ state: 'running', held: true });
    expect(stand.addresses()).toEqual(['10.77.0.101']);
  });

  it('S9, G7: every frame carries the moment from which it must not be sent', () => {
    const stand = running();
    expect(stand.frames.length).toBeGreaterThan(0);
    for (const { until } of stand.frames) expect(until).toBe(stand.mandate.leaseEnd);
  });

  it('S9: the bursts end with it', () => {
    const stand = running();
    stand.halt();
    stand.frames.length = 0;
    stand.pass(10_000);
    expect(stand.frames).toEqual([]);
  });
});

describe('G1', () => {
  it('the gate never holds what N3 does not allow', () => {
    const packages = [packageOf('web', V4), packageOf('mail', '10.77.0.101')];
    const stand = new FloatingStand({ packages }).start();
    stand.check = () => {
      const allowed = Object.keys(stand.mandate.may);
      for (const { held, leaseEnd } of stand.gateOrders.slice(-1)) {
        if (leaseEnd === null) continue;
        expect(held).toEqual([
          ...(allowed.includes('web') ? [V4] : []),
          ...(allowed.includes('mail') ? ['10.77.0.101'] : []),
        ]);
      }
    };
    stand.grant({ web: 5 });
    stand.grant({ web: 5, mail: 6 });
    stand.grant({ mail: 6 });
    stand.halt();
    expect(stand.gate.leaseEnd).toBeNull();
  });

  it('flushed rules are written anew at once, with an alarm for a while', () => {
    const stand = running();
    stand.gate = { held: [], leaseEnd: null };
    stand.give({ kind: 'gate-lost', text: 'table inet baton is gone' });
    expect(stand.speaks(V4)).toBe(true);
    expect(Object.values(stand.state.alarms).map(({ what }) => what)).toEqual(['gate-flushed']);
    stand.pass(61_000);
    expect(stand.state.alarms).toEqual({});
    expect(stand.job().state).toBe('running');
  });

  it('flushed while a write was under way: written once more', () => {
    const stand = running();
    stand.gateIdle = false;
    stand.renew(LEASE + 10);
    stand.give({ kind: 'gate-lost', text: 'gone' });
    stand.writeGate();
    expect(stand.gateOrders).toHaveLength(1);
  });
});
