import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/action.js';
import { Stand } from './stand.js';

const ALL = ['10.77.0.1', '10.77.0.5', 'fd77::1'];

/** Another program does that, and the kernel tells of it. */
function rival(stand: Stand, ...steps: Step[]): void {
  for (const step of steps) stand.kernel.apply(step);
  stand.observe();
}

function address(stand: Stand, local: string, nic = 'eth0'): Step & { do: 'delete-address' } {
  const found = stand.kernel.nics[nic]!.addresses.find((x) => x.local === local)!;
  return { do: 'delete-address', nic, address: found };
}

function routes(stand: Stand): string[] {
  return stand.kernel.routes.map((x) => `${x.destination} ${x.gateway ?? ''} ${x.nic}`).sort();
}

describe('mending', () => {
  it('puts an address of the cluster file back at once, with the routes that went along', () => {
    const stand = new Stand().start();
    const before = routes(stand);
    rival(stand, address(stand, '10.77.0.1'));
    expect(stand.addresses('eth0')).toContain('10.77.0.1');
    expect(routes(stand)).toEqual(expect.arrayContaining(before.filter((x) => !x.startsWith('10.9'))));
    expect(stand.events('mended', 'announced').slice(2)).toEqual([
      'mended removed-by-other',
      'announced removed-by-other',
    ]);
  });

  it('lets the administrator remove a foreign address that was never moved', () => {
    const stand = new Stand().start();
    rival(stand, address(stand, '10.77.0.5'));
    stand.pass(5000);
    expect(stand.addresses('eth0')).toEqual(['10.77.0.1', 'fd77::1']);
    expect(stand.events('mended')).toEqual([]);
    stand.carrier('eth0', false);
    expect(stand.addresses('eth1')).toEqual(['10.77.0.1', 'fd77::1']);
  });

  it('defends a foreign address once it is moved', () => {
    const stand = new Stand().start();
    stand.carrier('eth0', false);
    rival(stand, address(stand, '10.77.0.5', 'eth1'));
    expect(stand.addresses('eth1')).toEqual(ALL);
  });

  it('takes off what a network manager puts back on the old NIC when its cable is back', () => {
    const stand = new Stand().start();
    const taken = [address(stand, '10.77.0.1'), address(stand, 'fd77::1')];
    const gateway = stand.kernel.routes.find((x) => x.destination === '0.0.0.0/0')!;
    stand.carrier('eth0', false);
    const moved = routes(stand);
    stand.kernel.nics['eth0']!.carrier = true;
    stand.health('eth0', 'suspect', 'waiting');
    rival(stand, ...taken.map((x): Step => ({ ...x, do: 'add-address' })), { do: 'replace-route', route: gateway });
    expect(stand.addresses('eth0')).toEqual([]);
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(routes(stand)).toEqual(moved);
    expect(stand.events('mended')).toEqual(['mended put-back-by-other']);
  });

  it('plans from the last good state when a manager strips the NIC before the loss is known', () => {
    const stand = new Stand().start();
    const before = routes(stand).map((x) => x.replace('eth0', 'eth1'));
    stand.kernel.nics['eth0']!.carrier = false;
    rival(stand, address(stand, '10.77.0.5'), address(stand, '10.77.0.1'), address(stand, 'fd77::1'));
    stand.health('eth0', 'down', 'carrier');
    stand.pass(3);
    stand.give({ kind: 'woke' });
    expect(stand.addresses('eth1')).toEqual(ALL);
    expect(routes(stand)).toEqual(expect.arrayContaining(before.filter((x) => !x.startsWith('fe80'))));
  });

  it('against a rival: three times at once, then an alarm and ever longer pauses', () => {
    const stand = new Stand().start();
    const at: number[] = [];
    for (let i = 0; i < 200; i++) {
      if (stand.addresses('eth0').includes('10.77.0.1')) {
        rival(stand, address(stand, '10.77.0.1'));
        if (stand.addresses('eth0').includes('10.77.0.1')) at.push(stand.now - 10_000);
      }
      const { length } = stand.events('mended');
      stand.pass(100);
      if (stand.events('mended').length > length) at.push(stand.now - 10_000);
    }
    expect(at.slice(0, 3)).toEqual([0, 100, 200].map((x) => expect.closeTo(x, -2) as number));
    expect(at.length).toBeLessThan(9);
    expect(Object.values(stand.state.alarms).map((x) => x.what)).toEqual(['rival-manager']);
  });

  it('forgets the rival after a quiet time', () => {
    const stand = new Stand().start();
    for (let i = 0; i < 3; i++) rival(stand, address(stand, '10.77.0.1'));
    expect(Object.values(stand.state.alarms).map((x) => x.what)).toEqual(['rival-manager']);
    stand.pass(120_000);
    expect(stand.state.alarms).toEqual({});
    rival(stand, address(stand, '10.77.0.1'));
    expect(stand.addresses('eth0')).toContain('10.77.0.1');
  });

  it('does not put addresses on a NIC without carrier', () => {
    const stand = new Stand().start();
    stand.kernel.nics['eth1']!.carrier = false;
    stand.health('eth1', 'down', 'carrier');
    stand.carrier('eth0', false);
    rival(stand, address(stand, '10.77.0.1'));
    stand.pass(10_000);
    expect(stand.addresses('eth0')).not.toContain('10.77.0.1');
    stand.carrier('eth0', true);
    expect(stand.addresses('eth0')).toContain('10.77.0.1');
  });
});

describe('learning', () => {
  it('adopts what is new at once', () => {
    const stand = new Stand().start();
    rival(stand, {
      do: 'add-address',
      nic: 'eth0',
      address: { family: 4, local: '10.77.0.9', prefixLength: 24, scope: 0, flags: 0 },
    });
    stand.carrier('eth0', false);
    expect(stand.addresses('eth1')).toContain('10.77.0.9');
  });

  it('adopts a removed route after the settle time, not before', () => {
    const early = new Stand().start();
    const route = early.kernel.routes.find((x) => x.destination === '10.9.0.0/16')!;
    rival(early, { do: 'delete-route', route });
    early.pass(900);
    early.carrier('eth0', false);
    expect(routes(early)).toContain('10.9.0.0/16 10.77.0.9 eth1');
    const late = new Stand().start();
    rival(late, { do: 'delete-route', route });
    late.pass(1100);
    late.carrier('eth0', false);
    expect(routes(late).join()).not.toContain('10.9.0.0/16');
  });

  it('does not count the settle time through a suspicion', () => {
    const stand = new Stand().start();
    const route = stand.kernel.routes.find((x) => x.destination === '10.9.0.0/16')!;
    rival(stand, { do: 'delete-route', route });
    stand.pass(500);
    stand.health('eth0', 'suspect', 'missed');
    stand.give({ kind: 'woke' });
    stand.pass(5000);
    stand.health('eth0', 'down', 'silent');
    stand.give({ kind: 'woke' });
    expect(routes(stand)).toContain('10.9.0.0/16 10.77.0.9 eth1');
  });

  it('names what does not move: routes of routing daemons, nexthop objects, devices on top', () => {
    const stand = new Stand();
    const common = { family: 4 as const, table: 254, scope: 253, type: 1, tos: 0, nic: 'eth0', flags: 0 };
    stand.kernel.apply({ do: 'append-route', route: { ...common, destination: '10.20.0.0/16', protocol: 12 } });
    stand.kernel.apply({
      do: 'append-route',
      route: { ...common, destination: '10.21.0.0/16', protocol: 4, nextHopId: 7 },
    });
    stand.kernel.nics['eth0']!.children.push('eth0.100');
    stand.start();
    expect(stand.journal.find((x) => x.event === 'not-moved')?.evidence).toEqual({
      what: [
        'device eth0.100 on top of it',
        'route 10.20.0.0/16 (routing daemon (bird))',
        'route 10.21.0.0/16 (nexthop object)',
      ],
    });
    stand.carrier('eth0', false);
    expect(stand.done.filter((x) => 'route' in x && /^10\.2[01]/.test(x.route.destination))).toEqual([]);
  });

  it('names a few of many routes that do not move, and not again when only their number changes', () => {
    const stand = new Stand();
    const learn = (i: number): void =>
      stand.kernel.apply({
        do: 'append-route',
        route: {
          ...{ family: 4, table: 254, scope: 253, type: 1, tos: 0, nic: 'eth0', flags: 0 },
          ...{ destination: `10.20.${i}.0/24`, protocol: 12 },
        },
      });
    for (let i = 0; i < 100; i++) learn(i);
    stand.start();
    learn(100);
    stand.observe();
    const told = stand.journal.filter((x) => x.event === 'not-moved').map((x) => x.evidence?.['what']);
    const named = [0, 1, 2, 3, 4].map((i) => `10.20.${i}.0/24`).join(', ');
    expect(told).toEqual([[`route ${named} and 95 more (routing daemon (bird))`]]);
  });

  it('moves lifetimes minus the time that has passed, and nothing that ran out', () => {
    const stand = new Stand();
    const dynamic = {
      family: 6 as const,
      local: 'fd77::dd',
      prefixLength: 64,
      scope: 0,
      flags: 0x02,
      validS: 100,
      preferredS: 50,
    };
    stand.kernel.apply({ do: 'add-address', nic: 'eth0', address: dynamic });
    stand.kernel.apply({
      do: 'add-address',
      nic: 'eth0',
      address: { ...dynamic, local: 'fd77::de', validS: 20, preferredS: 10 },
    });
    stand.start();
    stand.pass(30_000);
    stand.idle = false;
    stand.health('eth0', 'down', 'silent');
    stand.give({ kind: 'woke' });
    const added = stand.waiting[0]!.steps.filter((x) => x.do === 'add-address' && x.nic === 'eth1');
    expect(
      added.map((x) => x.do === 'add-address' && [x.address.local, x.address.validS, x.address.preferredS]),
    ).toEqual(expect.arrayContaining([['fd77::dd', 70, 20]]));
    expect(JSON.stringify(added)).not.toContain('fd77::de');
  });
});
