/** The inputs that the simulated driver brings, and what it makes of actions: as the Linux driver does. */
import { beforeEach, describe, expect, test } from 'vitest';
import { addAddress } from '../../../drivers/simulator/addresses.js';
import { Bridge } from '../../../drivers/simulator/bridge.js';
import { SimulatorDriver } from '../../../drivers/simulator/driver.js';
import type { RunDirectory } from '../../../drivers/simulator/hands.js';
import { Disk } from '../../../drivers/simulator/disk.js';
import { Host } from '../../../drivers/simulator/host.js';
import type { Nic } from '../../../drivers/simulator/nic.js';
import { World } from '../../../drivers/simulator/wire.js';
import type { Step } from '../../../src/action.js';
import { profiles } from '../../../src/config/timing.js';
import { gratuitousRequest } from '../../../src/frame/arp.js';
import type { Address, Input, Ms } from '../../../src/input.js';

const ADDRESS: Address = { family: 4, local: '10.77.0.1', prefixLength: 24, scope: 0, flags: 0 };
const OFFSET_MS = 5000;

let world: World;
let bridge: Bridge;
let host: Host;
let eth0: Nic;
let driver: SimulatorDriver;
let runDirectory: RunDirectory;
let disk: Disk;
let seen: { at: Ms; input: Input }[];
let killedAt: number;

function raise(physical: boolean): void {
  world = new World(1);
  bridge = new Bridge(world, 'sw');
  host = new Host(world, 'alpha');
  eth0 = host.plug('eth0', '02:00:00:00:00:01', bridge.port(), physical);
  host.plug('eth1', '02:00:00:00:00:02', bridge.port(), physical);
  world.clock.runUntil(3000);
  runDirectory = {};
  disk = new Disk(world, world.random.stream('disk'));
  killedAt = Infinity;
  open();
}

function open(also: (input: Input) => void = () => {}): void {
  seen = [];
  driver = new SimulatorDriver({
    host,
    nics: ['eth0', 'eth1'],
    timing: profiles.default,
    random: world.random.stream('driver'),
    runDirectory,
    macvlans: [],
    disk,
    wiring: { listens: new Set(['10.77.0.1']), port: 7789, floating: ['10.77.0.100'] },
    offsetMs: OFFSET_MS,
    settle: () => {},
    mayChange: () => {
      if (--killedAt > 0) return true;
      driver.end();
      return false;
    },
    made: () => {},
  });
  driver.start((input) => {
    seen.push({ at: world.clock.now, input });
    also(input);
  });
}

function kinds(): string[] {
  return seen.map(({ input }) => (input.kind === 'carrier-changed' ? `${input.nic} ${input.state}` : input.kind));
}

function since(at: Ms): { at: Ms; input: Input }[] {
  return seen.filter((one) => one.at > at);
}

beforeEach(() => raise(false));

test('it begins with started, the whole host, and each carrier', () => {
  expect(kinds()).toEqual(['started', 'host-observed', 'eth0 up', 'eth1 up']);
  expect(seen[0]!.input).toEqual({ kind: 'started', run: null, durable: null, damaged: false, hostUpMs: 3000 });
  expect(driver.now()).toBe(3000 + OFFSET_MS);
});

test('counters are read each poll', () => {
  world.clock.runUntil(4000);
  const counted = seen.filter(({ input }) => input.kind === 'counters-read');
  expect(counted.map(({ at }) => at)).toEqual([3200, 3400, 3600, 3800, 4000]);
});

describe('a cut cable', () => {
  test('is seen on the carrierPoll grid, and observed within milliseconds', () => {
    world.clock.runUntil(3107);
    eth0.cable!.cut = true;
    world.clock.runUntil(3150);
    const after = since(3107);
    const changed = after.find(({ input }) => input.kind === 'carrier-changed');
    expect(changed).toEqual({ at: 3120, input: { kind: 'carrier-changed', nic: 'eth0', state: 'down' } });
    const observed = after.find(({ input }) => input.kind === 'host-observed');
    expect(observed!.at).toBeLessThan(3110);
    expect(observed!.input).toMatchObject({ nics: [{ nic: 'eth0', carrier: false }] });
  });

  test('of a physical card: the second event within a second is held back, the counters know at once', () => {
    raise(true);
    world.clock.runUntil(5007);
    eth0.cable!.cut = true;
    world.clock.runUntil(5100);
    eth0.cable!.cut = false;
    world.clock.runUntil(5207);
    eth0.cable!.cut = true;
    world.clock.runUntil(7000);
    const carriers = since(5000).flatMap(({ at, input }) =>
      input.kind === 'carrier-changed' ? [[at, input.state]] : [],
    );
    expect(carriers).toEqual([
      [5020, 'down'],
      [5120, 'up'],
      [5220, 'down'],
    ]);
    const observed = since(5000).flatMap(({ at, input }) =>
      input.kind === 'host-observed' ? [[Math.round(at), input.nics[0]!.carrier]] : [],
    );
    expect(observed[0]).toEqual([expect.closeTo(5008, -1), false]);
    expect(observed.filter(([, carrier]) => carrier)).toEqual([]);
  });
});

test('a NIC that is set down, deleted, and put back', () => {
  host.unplug('eth1');
  world.clock.runUntil(3050);
  expect(since(3000).map(({ input }) => input)).toEqual(
    expect.arrayContaining([
      { kind: 'carrier-changed', nic: 'eth1', state: 'missing' },
      { kind: 'host-observed', nics: [], missing: ['eth1'] },
    ]),
  );
  host.plug('eth1', '02:00:00:00:00:02', bridge.port(), false);
  world.clock.runUntil(3100);
  expect(kinds().at(-1)).toBe('eth1 up');
});

describe('hands', () => {
  const steps: Step[] = [
    { do: 'add-address', nic: 'eth1', address: ADDRESS },
    { do: 'join-group', nic: 'eth1', group: '239.1.1.1' },
    { do: 'set-sysctl', nic: 'eth1', name: 'ipv4/conf/eth1/arp_ignore', value: '1' },
  ];

  test('make the steps one after the other, then say so, then show the NICs', () => {
    driver.perform([{ kind: 'change-host', id: 7, steps, record: { ledger: { mine: 1 } } }]);
    world.clock.runUntil(3005);
    const after = since(3000).map(({ input }) => input);
    const at = after.findIndex((input) => input.kind === 'host-changed');
    expect(after[at]).toEqual({ kind: 'host-changed', id: 7, undone: false });
    expect(after[at + 1]).toMatchObject({
      kind: 'host-observed',
      nics: [
        {
          nic: 'eth1',
          addresses: [{ local: 'fe80::ff:fe00:2' }, { local: '10.77.0.1' }],
          groups: ['239.1.1.1'],
          settings: { 'ipv4/conf/{nic}/arp_ignore': '1' },
        },
      ],
    });
    expect(runDirectory).toEqual({ ledger: '{"mine":1}' });
  });

  test('what is done already counts as done', () => {
    driver.perform([{ kind: 'change-host', id: 1, steps: [...steps, ...steps] }]);
    driver.perform([{ kind: 'change-host', id: 2, steps: [{ do: 'delete-address', nic: 'eth0', address: ADDRESS }] }]);
    world.clock.runUntil(3010);
    expect(seen.filter(({ input }) => input.kind === 'host-changed' && input.failed)).toEqual([]);
  });

  test('a failed step takes back those before it, last first', () => {
    const gateway: Step = {
      do: 'replace-route',
      route: {
        family: 4,
        destination: '10.9.0.0/16',
        table: 254,
        protocol: 3,
        scope: 0,
        type: 1,
        tos: 0,
        nic: 'eth1',
        gateway: '10.99.0.1',
        flags: 0,
      },
    };
    const undo: Step[] = [
      { do: 'delete-address', nic: 'eth1', address: ADDRESS },
      { do: 'leave-group', nic: 'eth1', group: '239.1.1.1' },
      { do: 'delete-route', route: gateway.route },
    ];
    driver.perform([{ kind: 'change-host', id: 3, steps: [steps[0]!, steps[1]!, gateway], undo }]);
    world.clock.runUntil(3010);
    const changed = seen.find(({ input }) => input.kind === 'host-changed')!.input;
    expect(changed).toEqual({
      kind: 'host-changed',
      id: 3,
      failed: { step: 2, code: 'ENETUNREACH', text: 'Nexthop has invalid gateway' },
      undone: true,
    });
    expect(host.owns('10.77.0.1')).toBe(false);
  });

  test('killed as they are about to make their second change: one is made, nobody hears of it, the groups are left', () => {
    killedAt = 2;
    driver.perform([{ kind: 'change-host', id: 3, steps, record: { switch: { to: 'eth1' } } }]);
    world.clock.runUntil(3500);
    expect(host.owns('10.77.0.1')).toBe(true);
    expect(host.sysctl('ipv4/conf', 'eth1', 'arp_ignore')).toBe('0');
    expect(kinds()).not.toContain('host-changed');
    open();
    expect(seen[0]!.input).toMatchObject({ kind: 'started', run: { switch: { to: 'eth1' }, ledger: null } });
  });

  test('groups end with the process', () => {
    driver.perform([{ kind: 'change-host', id: 1, steps }]);
    world.clock.runUntil(3010);
    expect(host.nics.get('eth1')!.joined('239.1.1.1')).toBe(true);
    driver.end();
    expect(host.nics.get('eth1')!.joined('239.1.1.1')).toBe(false);
  });
});

describe('time', () => {
  test('it wakes at the deadline or a little later, once, and never before', () => {
    driver.wakeAt(3050 + OFFSET_MS);
    driver.wakeAt(3050 + OFFSET_MS);
    world.clock.runUntil(3150);
    const woke = seen.filter(({ input }) => input.kind === 'woke');
    expect(woke).toHaveLength(1);
    expect(woke[0]!.at).toBeGreaterThanOrEqual(3050);
    expect(woke[0]!.at).toBeLessThan(3051);
  });

  test('a new deadline takes the place of the old one', () => {
    driver.wakeAt(3050 + OFFSET_MS);
    driver.wakeAt(3100 + OFFSET_MS);
    driver.wakeAt(Infinity);
    world.clock.runUntil(3150);
    expect(kinds()).not.toContain('woke');
  });

  test('after a freeze: the stall first, then timers, then what the sockets hold, then the deadline', () => {
    driver.wakeAt(3050 + OFFSET_MS);
    world.clock.runUntil(3010);
    driver.freeze();
    host.nics.get('eth1')!.transmitBytes(gratuitousRequest('02:00:00:00:00:02', '10.77.0.9'));
    world.clock.runUntil(3300);
    eth0.cable!.cut = true;
    world.clock.runUntil(4010);
    expect(since(3010)).toEqual([]);
    driver.thaw();
    expect(kinds().slice(-6)).toEqual([
      'stalled',
      'eth0 down',
      'counters-read',
      'frame-received',
      'host-observed',
      'woke',
    ]);
    expect(since(3010)[0]!.input).toEqual({ kind: 'stalled', forMs: 1000 });
  });

  test('frozen while it looks at the carriers: what it had not handed on yet it does not say after newer words (seed 204434)', () => {
    eth0.cable!.cut = true;
    const cable = host.nics.get('eth1')!.cable!;
    cable.cut = true;
    driver.end();
    open((input) => {
      if (input.kind === 'carrier-changed' && seen.length < 4) driver.freeze();
    });
    world.clock.runUntil(3010);
    cable.cut = false;
    world.clock.runUntil(3200);
    driver.thaw();
    world.clock.runUntil(3300);
    expect(kinds().filter((kind) => kind.startsWith('eth1'))).toEqual(['eth1 up']);
  });

  test('frozen hands do nothing', () => {
    driver.freeze();
    driver.perform([{ kind: 'change-host', id: 1, steps: [{ do: 'add-address', nic: 'eth1', address: ADDRESS }] }]);
    world.clock.runUntil(3500);
    expect(host.owns('10.77.0.1')).toBe(false);
    driver.thaw();
    world.clock.runUntil(3510);
    expect(host.owns('10.77.0.1')).toBe(true);
  });
});

test('an echo to a target on the link comes back, if the NIC has an address', () => {
  const target = new Host(world, 'target');
  const nic = target.plug('eth0', '02:00:00:00:00:fe', bridge.port(), false);
  addAddress(target, nic, { ...ADDRESS, local: '10.77.0.254' });
  driver.perform([{ kind: 'send-echo', nic: 'eth0', target: '10.77.0.254' }]);
  world.clock.runUntil(3050);
  expect(kinds()).not.toContain('echo-answered');
  addAddress(host, eth0, ADDRESS);
  driver.perform([{ kind: 'send-echo', nic: 'eth0', target: '10.77.0.254' }]);
  world.clock.runUntil(3100);
  expect(seen.find(({ input }) => input.kind === 'echo-answered')!.input).toEqual({
    kind: 'echo-answered',
    nic: 'eth0',
    target: '10.77.0.254',
  });
});
