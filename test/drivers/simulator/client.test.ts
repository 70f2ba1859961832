/** Outages as clients measure them: to the millisecond, whether or not each probe was walked. */
import { beforeEach, describe, expect, test } from 'vitest';
import { addAddress, deleteAddress, setDown } from '../../../drivers/simulator/addresses.js';
import { Bridge } from '../../../drivers/simulator/bridge.js';
import { Client, CLIENT_NIC } from '../../../drivers/simulator/client.js';
import { Host } from '../../../drivers/simulator/host.js';
import type { Nic } from '../../../drivers/simulator/nic.js';
import { World } from '../../../drivers/simulator/wire.js';
import { gratuitousRequest, gratuitousReply } from '../../../src/frame/arp.js';
import { unsolicitedAdvertisement } from '../../../src/frame/ndp.js';

const FOUR = { family: 4, local: '10.77.0.1', prefixLength: 24, scope: 0, flags: 0 } as const;
const SIX = { family: 6, local: 'fd77::1', prefixLength: 64, scope: 0, flags: 2 } as const;

let world: World;
let host: Host;
let eth0: Nic;
let eth1: Nic;

function client(stuck = false): Client {
  const bridge = new Bridge(world, 'sw');
  host = new Host(world, 'alpha');
  eth0 = host.plug('eth0', '02:00:00:00:00:01', bridge.port(), false);
  eth1 = host.plug('eth1', '02:00:00:00:00:02', bridge.port(), false);
  for (const nic of ['eth0', 'eth1']) host.sysctls.write(`ipv4/conf/${nic}/arp_ignore`, '1');
  const made = new Client(world, 'client', stuck);
  made.host.plug(CLIENT_NIC, '02:00:00:00:00:fe', bridge.port(), false);
  addAddress(made.host, made.nic, { ...FOUR, local: '10.77.0.254' });
  addAddress(made.host, made.nic, { ...SIX, local: 'fd77::fe' });
  addAddress(host, eth0, FOUR);
  addAddress(host, eth0, SIX);
  world.clock.runUntil(3000);
  return made;
}

/** Moves both addresses, and tells nobody. */
function move(): void {
  for (const address of [FOUR, SIX]) {
    addAddress(host, eth1, address);
    deleteAddress(host, eth0, address);
  }
}

beforeEach(() => {
  world = new World(1);
});

describe('prober', () => {
  test('each millisecond one probe, and no gap in a quiet world', () => {
    const prober = probing(client(), '10.77.0.1');
    world.clock.runUntil(63_000);
    const { sent, answered, gaps } = prober.report();
    expect([sent, answered, gaps]).toEqual([60_001, 60_000, []]);
  });

  test.each(['10.77.0.1', 'fd77::1'])('a gap of %s is measured to the millisecond', (address) => {
    const prober = probing(client(), address);
    world.clock.runUntil(4000.5);
    eth0.cable!.drop(1, true);
    world.clock.runUntil(4123.5);
    eth0.cable!.drop(1, false);
    world.clock.runUntil(5000);
    expect(prober.report().gaps).toEqual([{ fromMs: 4000, toMs: 4124 }]);
  });

  test('gaps of up to 5 ms are none', () => {
    const prober = probing(client(), '10.77.0.1');
    for (const at of [4000, 4100]) {
      world.clock.runUntil(at + 0.5);
      eth0.cable!.drop(1, true);
      world.clock.runUntil(at + (at === 4000 ? 4.5 : 5.5));
      eth0.cable!.drop(1, false);
    }
    world.clock.runUntil(5000);
    expect(prober.report().gaps).toEqual([{ fromMs: 4100, toMs: 4106 }]);
  });

  test('an outage that lasts ends when one asks', () => {
    const prober = probing(client(), '10.77.0.1');
    world.clock.runUntil(4000.5);
    setDown(host, eth0);
    world.clock.runUntil(4700.5);
    expect(prober.report().gaps).toEqual([{ fromMs: 4000, toMs: 4700.5 }]);
  });

  test('what it finds does not depend on how often one looks', () => {
    const outcome = (looks: number): unknown => {
      world = new World(5);
      const prober = probing(client(), '10.77.0.1');
      eth0.cable!.lose(40);
      for (let at = 3000; at < 4000; at += looks) {
        world.clock.runUntil(at);
        prober.report();
      }
      world.clock.runUntil(4000);
      return prober.report();
    };
    expect(outcome(1)).toEqual(outcome(1000));
  });

  test('random loss loses about that share, in both directions', () => {
    const prober = probing(client(), '10.77.0.1');
    world.clock.runUntil(4000.5);
    const before = prober.report();
    eth0.cable!.lose(30);
    world.clock.runUntil(14_000);
    const { sent, answered } = prober.report();
    expect((answered - before.answered) / (sent - before.sent)).toBeCloseTo(0.49, 1);
  });

  test('its packets count at both ends', () => {
    const prober = probing(client(), '10.77.0.1');
    world.clock.runUntil(3100);
    prober.asker.settle();
    const before = eth0.rx;
    world.clock.runUntil(4100);
    prober.asker.settle();
    expect(eth0.rx - before).toBe(1000);
  });
});

describe('neighbour cache of a client', () => {
  const announce = [gratuitousRequest, gratuitousReply] as const;

  test.each([0, 1])('a move that is announced in form %i is seen at once, and not before', (form) => {
    const prober = probing(client(), '10.77.0.1');
    world.clock.runUntil(5000.5);
    move();
    world.clock.runUntil(5050.5);
    eth1.transmitBytes(announce[form]!(eth1.mac, '10.77.0.1'));
    world.clock.runUntil(6000);
    // The weak host takes packets for the address on its old NIC as well, and answers from the new one.
    expect(prober.report().gaps).toEqual([]);
    expect(host.neighbours.of('eth1', '10.77.0.254')).toBeDefined();
  });

  test.each([
    ['10.77.0.1', (mac: string) => gratuitousRequest(mac, '10.77.0.1')],
    ['fd77::1', (mac: string) => unsolicitedAdvertisement(mac, 'fd77::1', false)],
  ] as const)('%s behind a dead NIC comes back with the announcement', (address, announcement) => {
    const prober = probing(client(), address);
    world.clock.runUntil(5000.5);
    eth0.cable!.cut = true;
    move();
    world.clock.runUntil(5050.5);
    eth1.transmitBytes(announcement(eth1.mac));
    world.clock.runUntil(6000);
    const [gap, ...others] = prober.report().gaps;
    expect(others).toEqual([]);
    expect(gap).toMatchObject({ fromMs: 5000 });
    expect(gap!.toMs).toBeGreaterThanOrEqual(5051);
    expect(gap!.toMs).toBeLessThan(5054);
  });

  test('a client that nobody tells asks again by itself, after its entry has aged', () => {
    const prober = probing(client(), '10.77.0.1');
    world.clock.runUntil(5000.5);
    eth0.cable!.cut = true;
    move();
    world.clock.runUntil(80_000);
    const [gap, ...others] = prober.report().gaps;
    expect(others).toEqual([]);
    // Reachable 15 to 45 s, 5 s of doubt, three unicast questions of a second.
    expect(gap!.toMs - gap!.fromMs).toBeGreaterThan(8000);
    expect(gap!.toMs - gap!.fromMs).toBeLessThan(55_000);
  });

  test('a stuck client never does, but learns when it is told', () => {
    const prober = probing(client(true), '10.77.0.1');
    world.clock.runUntil(5000.5);
    eth0.cable!.cut = true;
    move();
    world.clock.runUntil(600_000);
    expect(prober.report().gaps).toEqual([{ fromMs: 5000, toMs: 600_000 }]);
    eth1.transmitBytes(gratuitousRequest(eth1.mac, '10.77.0.1'));
    world.clock.runUntil(601_000);
    expect(prober.report().gaps[0]!.toMs).toBeLessThan(600_010);
  });
});

describe('TCP connection', () => {
  test('a line that is lost is sent again after 200 ms, then 400', () => {
    const made = client();
    made.connect('10.77.0.1');
    const connection = made.connections[0]!;
    world.clock.runUntil(4005);
    eth0.cable!.drop(1, true);
    world.clock.runUntil(4300);
    eth0.cable!.drop(1, false);
    world.clock.runUntil(5600);
    // Lost at 4010 and at 4210, through at 4610; the last answer before came at 4000.
    expect(connection.report()).toMatchObject({ alive: true, pauseMaxMs: 610 });
  });

  test('what it waits for before its first echo is no pause', () => {
    const made = client();
    eth0.cable!.cut = true;
    made.connect('10.77.0.1');
    const connection = made.connections[0]!;
    world.clock.runUntil(3700);
    eth0.cable!.cut = false;
    world.clock.runUntil(6000);
    expect(connection.report()).toMatchObject({ alive: true, pauseMaxMs: 10 });
  });

  test('without an answer for a second it is not alive', () => {
    const made = client();
    made.connect('10.77.0.1');
    world.clock.runUntil(4000);
    eth0.cable!.cut = true;
    world.clock.runUntil(5100);
    expect(made.connections[0]!.report().alive).toBe(false);
  });
});

test('announcements are seen with their form', () => {
  const made = client();
  eth1.transmitBytes(gratuitousRequest(eth1.mac, '10.77.0.1'));
  eth1.transmitBytes(gratuitousReply(eth1.mac, '10.77.0.1'));
  eth1.transmitBytes(unsolicitedAdvertisement(eth1.mac, 'fd77::1', false));
  world.clock.runUntil(3100);
  expect(made.announcements.map(({ form, address, mac }) => [form, address, mac])).toEqual([
    ['arp-request', '10.77.0.1', eth1.mac],
    ['arp-reply', '10.77.0.1', eth1.mac],
    ['neighbour-advertisement', 'fd77::1', eth1.mac],
  ]);
});

function probing(made: Client, address: string): Client['probes'][number] {
  made.probe(address);
  return made.probes.at(-1)!;
}
