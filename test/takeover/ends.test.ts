import { describe, expect, it } from 'vitest';
import { sortedJson } from '../../src/takeover/portfolio.js';
import type { RunSwitch } from '../../src/takeover/run-record.js';
import { ModelKernel } from './model-kernel.js';
import { startState } from '../../src/takeover/state.js';
import { Killed, ordinaryKernel, SETTINGS_AT_BOOT, Stand } from './stand.js';

const ALL = ['10.77.0.1', '10.77.0.5', 'fd77::1'];

/** Everything of the kernel but the order of routes of different keys, and what was learnt of neighbours: a cache. */
function essence(kernel: ModelKernel): unknown {
  const cold = kernel.copy();
  for (const nic of Object.values(cold.nics)) nic.neighbours = nic.neighbours.filter((x) => x.state & 0x80);
  const { nics, routes } = cold.snapshot() as { nics: object; routes: object[] };
  return { nics, routes: routes.map((x) => sortedJson(x)).sort() };
}

function routesAside(kernel: ModelKernel): string[] {
  return kernel.routes
    .filter((x) => x.destination !== 'fe80::/64')
    .map((x) => sortedJson({ ...x, nic: '*' }))
    .sort();
}

describe('first start', () => {
  it('takes over what is there and changes nothing but the settings', () => {
    const kernel = ordinaryKernel();
    const before = kernel.copy();
    const stand = new Stand(kernel).start();
    stand.pass(10_000);
    expect(stand.done.every((step) => step.do === 'set-sysctl')).toBe(true);
    expect(routesAside(kernel)).toEqual(routesAside(before));
    expect(stand.events('adopted', 'settings')).toEqual(['adopted found', 'settings needed', 'settings needed']);
    expect(kernel.nics['eth0']!.settings).toEqual({
      ...SETTINGS_AT_BOOT,
      'ipv4/conf/{nic}/arp_ignore': '1',
      'ipv4/conf/{nic}/arp_announce': '2',
      'ipv4/conf/{nic}/rp_filter': '2',
      'ipv6/conf/{nic}/keep_addr_on_down': '1',
    });
    expect(kernel.nics['eth1']!.settings).toMatchObject({
      'ipv6/conf/{nic}/accept_ra': '0',
      'ipv6/conf/{nic}/autoconf': '0',
    });
  });

  it('raises the addresses of the cluster file on a primary that lacks them', () => {
    const kernel = new ModelKernel();
    for (const [i, nic] of ['eth0', 'eth1'].entries()) kernel.addNic(nic, i + 2, {});
    const stand = new Stand(kernel).start();
    expect(stand.addresses('eth0')).toEqual(['10.77.0.1', 'fd77::1']);
    expect(stand.events('mended')).toEqual(['mended raised-at-start']);
    stand.pass(10_000);
    expect(Object.keys(stand.state.alarms)).toEqual([]);
  });

  it('raises them on the standby if the primary is dead, but waits for links to come up', () => {
    const kernel = new ModelKernel();
    for (const [i, nic] of ['eth0', 'eth1'].entries()) kernel.addNic(nic, i + 2, {});
    kernel.nics['eth0']!.carrier = false;
    const stand = new Stand(kernel);
    stand.health('eth0', 'down', 'carrier');
    stand.start();
    stand.pass(1000);
    expect(stand.done).toEqual([]);
    stand.pass(500);
    expect(stand.addresses('eth1')).toEqual(['10.77.0.1', 'fd77::1']);
  });

  it('finds the NIC that has the addresses if nobody left a record', () => {
    const kernel = ordinaryKernel();
    const first = new Stand(kernel).start();
    first.carrier('eth0', false);
    const stand = new Stand(kernel);
    stand.health('eth0', 'down', 'carrier');
    stand.start();
    expect(stand.state.nets['public']!.carrier).toBe('eth1');
    expect(stand.events('switch-started', 'mended')).toEqual([]);
  });
});

describe('restart', () => {
  it('changes nothing, and the next run adopts the address set where it lies', () => {
    const stand = new Stand().start();
    stand.carrier('eth0', false);
    const { length } = stand.done;
    stand.give({ kind: 'stop-asked', how: 'restart' });
    expect(stand.exited).toBe(0);
    // Memberships end with the process that joined.
    stand.kernel.nics['eth1']!.joined = [];
    stand.start();
    stand.pass(5000);
    expect(stand.state.nets['public']!.carrier).toBe('eth1');
    expect(stand.done.slice(length)).toEqual([]);
    stand.carrier('eth0', true);
    expect(stand.addresses('eth0')).toEqual(ALL);
  });

  it('sends nothing home before the primary was judged anew: it may be silent', () => {
    for (const ending of [() => undefined, (stand: Stand) => stand.give({ kind: 'stop-asked', how: 'stop' })]) {
      const stand = new Stand().start();
      stand.health('eth0', 'down', 'silent');
      stand.give({ kind: 'woke' });
      stand.give({ kind: 'stop-asked', how: 'restart' });
      // Every NIC with carrier begins so.
      stand.health('eth0', 'up', 'unproven');
      stand.health('eth1', 'up', 'unproven');
      stand.start();
      ending(stand);
      stand.pass(4900);
      expect(stand.addresses('eth1')).toEqual(ALL);
      stand.health('eth1', 'up');
      stand.pass(60_000);
      expect(stand.addresses('eth1')).toEqual(ALL);
    }
  });

  it.each(['stop', 'restart'] as const)('leaves the records alone if the %s is asked before the first look', (how) => {
    const stand = new Stand().start();
    stand.carrier('eth0', false);
    const left = stand.run;
    stand.state = startState(stand.world, stand.now);
    stand.exited = null;
    stand.give({
      kind: 'started',
      run: JSON.parse(JSON.stringify(left)) as { switch: unknown; ledger: unknown },
      durable: null,
      damaged: false,
      hostUpMs: 0,
    });
    stand.ask({ ask: 'link-lock', nic: 'eth1', owner: 'ann', reason: '', forMs: 1000 });
    stand.give({ kind: 'stop-asked', how });
    stand.pass(10_000);
    expect(stand.exited).toBe(how === 'stop' ? 1 : 0);
    expect(stand.run).toEqual(left);
  });

  it('keeps locks with the time that is left', () => {
    const stand = new Stand().start();
    stand.ask({ ask: 'link-lock', nic: 'eth1', owner: 'ann', reason: '', forMs: 60_000 });
    stand.pass(20_000);
    stand.give({ kind: 'stop-asked', how: 'restart' });
    stand.start();
    stand.pass(39_000);
    expect(Object.keys(stand.state.locks)).toEqual(['eth1']);
    stand.pass(2000);
    expect(stand.state.locks).toEqual({});
  });
});

describe('stop', () => {
  it('with a healthy primary leaves the host bit for bit as it was before the start', () => {
    const kernel = ordinaryKernel();
    const before = essence(kernel.copy());
    const stand = new Stand(kernel).start();
    stand.carrier('eth0', false);
    stand.pass(30_000);
    const told = stand.frames.length;
    stand.carrier('eth0', true, 'up', stand.now + 1e9);
    stand.give({ kind: 'stop-asked', how: 'stop' });
    stand.pass(1000);
    expect(stand.exited).toBe(0);
    expect(essence(kernel)).toEqual(before);
    expect(stand.frames.slice(told).filter((x) => x.nic === 'eth0').length).toBe(10);
  });

  it('leaves everything where it is, settings too, if the primary is not healthy', () => {
    const stand = new Stand().start();
    stand.carrier('eth0', false);
    const before = essence(stand.kernel);
    stand.give({ kind: 'stop-asked', how: 'stop' });
    stand.pass(1000);
    expect(stand.exited).toBe(0);
    expect(essence(stand.kernel)).toEqual(before);
  });

  it('waits for a change under way, but not for ever', () => {
    const stand = new Stand().start();
    stand.idle = false;
    stand.carrier('eth0', false);
    stand.give({ kind: 'stop-asked', how: 'stop' });
    stand.pass(5000);
    expect(stand.exited).toBe(null);
    stand.pass(5000);
    expect(stand.exited).toBe(1);
  });

  it('puts back settings too that no look has yet shown as set (S6; seed 20418)', () => {
    const kernel = ordinaryKernel();
    const before = essence(kernel.copy());
    const stand = new Stand(kernel);
    stand.idle = false;
    stand.start();
    stand.give({ kind: 'stop-asked', how: 'stop' });
    stand.work();
    stand.pass(1000);
    expect(stand.exited).toBe(0);
    expect(stand.done.some((step) => step.do === 'set-sysctl')).toBe(true);
    expect(essence(kernel)).toEqual(before);
  });

  it('puts back no setting that somebody else has changed since', () => {
    const stand = new Stand().start();
    stand.kernel.nics['eth0']!.settings['ipv4/conf/{nic}/rp_filter'] = '0';
    stand.observe();
    stand.give({ kind: 'stop-asked', how: 'stop' });
    stand.pass(1000);
    expect(stand.kernel.nics['eth0']!.settings).toEqual({ ...SETTINGS_AT_BOOT, 'ipv4/conf/{nic}/rp_filter': '0' });
  });
});

describe('crash', () => {
  /** Kills the hands after `count` steps of what `blow` causes; true: the blow was over before. */
  function kill(stand: Stand, count: number, blow: () => void): boolean {
    stand.killAfter = count;
    try {
      blow();
      return true;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      return false;
    } finally {
      stand.killAfter = Infinity;
      for (const nic of Object.values(stand.kernel.nics)) nic.joined = [];
    }
  }

  it('at any step of a switch: the next run finishes it', () => {
    const whole = new Stand().start();
    whole.carrier('eth0', false);
    for (let count = 0; count < 100; count++) {
      const stand = new Stand().start();
      const before = routesAside(stand.kernel);
      const over = kill(stand, count, () => stand.carrier('eth0', false));
      stand.start();
      stand.pass(3000);
      expect(stand.addresses('eth0'), `killed after ${count}`).toEqual([]);
      expect(stand.addresses('eth1'), `killed after ${count}`).toEqual(ALL);
      expect(routesAside(stand.kernel), `killed after ${count}`).toEqual(before);
      if (!over) expect(essence(stand.kernel), `killed after ${count}`).toEqual(essence(whole.kernel));
      if (over) return;
    }
    throw new Error('the switch never ends');
  });

  it('at any step of a switch back, with the standby dead by the next start', () => {
    for (let count = 0; count < 100; count++) {
      const stand = new Stand().start();
      const before = routesAside(stand.kernel);
      stand.carrier('eth0', false);
      const over = kill(stand, count, () => stand.carrier('eth0', true));
      stand.kernel.nics['eth1']!.carrier = false;
      stand.health('eth1', 'down', 'carrier');
      stand.start();
      stand.pass(3000);
      expect(stand.addresses('eth0'), `killed after ${count}`).toEqual(ALL);
      expect(stand.addresses('eth1'), `killed after ${count}`).toEqual([]);
      expect(routesAside(stand.kernel), `killed after ${count}`).toEqual(before);
      if (over) return;
    }
    throw new Error('the switch back never ends');
  });

  it('at any step, with the target gone by the next start: it goes back where it came from', () => {
    for (let count = 0; count < 100; count++) {
      const stand = new Stand().start();
      const before = routesAside(stand.kernel);
      const over = kill(stand, count, () => stand.carrier('eth0', false));
      if (over) return;
      stand.kernel.removeNic('eth1');
      stand.health('eth1', 'down', 'missing');
      stand.kernel.nics['eth0']!.carrier = true;
      stand.health('eth0', 'up');
      stand.start();
      stand.pass(3000);
      expect(stand.addresses('eth0'), `killed after ${count}`).toEqual(ALL);
      expect(routesAside(stand.kernel), `killed after ${count}`).toEqual(before);
    }
    throw new Error('the switch never ends');
  });

  it('twice in a row, at any two steps', () => {
    for (let first = 0; first < 20; first += 3) {
      for (let second = 0; second < 20; second += 2) {
        const stand = new Stand().start();
        const before = routesAside(stand.kernel);
        kill(stand, first, () => stand.carrier('eth0', false));
        kill(stand, second, () => stand.start());
        stand.start();
        stand.pass(3000);
        expect([stand.addresses('eth0'), stand.addresses('eth1')], `killed after ${first}, ${second}`).toEqual([
          [],
          ALL,
        ]);
        expect(routesAside(stand.kernel)).toEqual(before);
      }
    }
  });

  it('then a stop with a healthy primary still leaves nothing of baton behind', () => {
    const before = essence(ordinaryKernel());
    for (let count = 0; count < 30; count++) {
      const stand = new Stand().start();
      kill(stand, count, () => stand.carrier('eth0', false));
      stand.start();
      stand.carrier('eth0', true);
      stand.pass(6000);
      stand.give({ kind: 'stop-asked', how: 'stop' });
      stand.pass(1000);
      expect(essence(stand.kernel), `killed after ${count}`).toEqual(before);
    }
  });
});

describe('records of an earlier run', () => {
  it.each([
    ['is no object', 'nonsense'],
    ['has another version', { version: 2 }],
    [
      'has a net without portfolio',
      {
        version: 1,
        cluster: 'shop',
        node: 'alpha',
        locks: {},
        nets: { public: { carrier: 'eth1', manual: false, plan: null } },
      },
    ],
    [
      'has a bent address',
      {
        version: 1,
        cluster: 'shop',
        node: 'alpha',
        locks: {},
        nets: {
          public: {
            carrier: 'eth1',
            manual: false,
            plan: null,
            portfolio: { addresses: [{ family: 5 }], routes: [], neighbours: [], groups: [], at: 0 },
          },
        },
      },
    ],
  ])('a switch.json that %s counts as absent', (_, left) => {
    const stand = new Stand();
    stand.run = { switch: left, ledger: null };
    stand.start();
    expect(stand.events('adopted')).toEqual(['adopted record-damaged', 'adopted found']);
    expect(stand.state.nets['public']!.carrier).toBe('eth0');
  });

  it('a damaged ledger counts as absent', () => {
    const stand = new Stand();
    stand.run = { switch: null, ledger: { addresses: [{ nic: 'eth0' }] } };
    stand.start();
    expect(stand.events('adopted')).toEqual(['adopted record-damaged', 'adopted found']);
  });

  it.each([
    ['cluster', (left: RunSwitch) => ({ ...left, cluster: 'other' }), 'record-of-other-node'],
    [
      'NIC',
      (left: RunSwitch) => ({ ...left, nets: { public: { ...left.nets['public'], carrier: 'lan7' } } }),
      'record-of-other-file',
    ],
  ])('one of another %s is not believed', (_, bend, cause) => {
    const first = new Stand().start();
    first.carrier('eth0', false);
    const stand = new Stand();
    stand.run = { switch: bend(first.run.switch as RunSwitch), ledger: null };
    stand.start();
    expect(stand.events('adopted')).toContain(`adopted ${cause}`);
    expect(stand.addresses('eth0')).toEqual(ALL);
  });
});

describe('first start of a standby', () => {
  it('tells the net where the IPv4 addresses are once the standby no longer answers for them', () => {
    const stand = new Stand(ordinaryKernel()).start();
    stand.pass(100);
    const told = stand.frames.filter((frame) => frame.nic === 'eth0');
    expect(told.length).toBeGreaterThan(0);
    expect(stand.frames.some((frame) => frame.nic === 'eth1')).toBe(false);
    expect(stand.events('announced')).toEqual(['announced settings', 'announced settings']);
  });
});
