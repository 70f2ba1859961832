/** Learning, staleness and flooding of the simulated bridge, and the faults of its cables. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Bridge, trunk, type Port } from '../../../drivers/simulator/bridge.js';
import { Cable, type CableEnd } from '../../../drivers/simulator/cable.js';
import { World, type Frame } from '../../../drivers/simulator/wire.js';
import { BROADCAST } from '../../../src/frame/mac.js';

/** A plug that writes down what it hears. */
class Plug implements CableEnd {
  readonly mac: string;
  readonly heard: string[] = [];
  readonly cable: Cable;
  readonly port: Port;
  carrier = false;

  constructor(world: World, bridge: Bridge, mac: string) {
    this.mac = mac;
    this.port = bridge.port();
    this.cable = new Cable(world, mac, this, this.port);
    this.port.cable = this.cable;
    this.cable.look();
  }

  powered(): boolean {
    return true;
  }

  carrierChanged(carrier: boolean): void {
    this.carrier = carrier;
  }

  receive(frame: Frame): void {
    this.heard.push(`${frame.source}>${frame.destination}`);
  }

  say(destination: string, source = this.mac): void {
    this.cable.send(this, { destination, source, etherType: 0x0800, bytes: new Uint8Array(0) }, 0);
  }
}

let world: World;
let left: Bridge;
let right: Bridge;
let cable: Cable;
let a: Plug;
let b: Plug;
let c: Plug;

/** a and b on the left switch, c on the right one, a trunk between them. */
beforeEach(() => {
  world = new World(1);
  left = new Bridge(world, 'left');
  right = new Bridge(world, 'right');
  cable = trunk(world, left, right);
  a = new Plug(world, left, '02:00:00:00:00:0a');
  b = new Plug(world, left, '02:00:00:00:00:0b');
  c = new Plug(world, right, '02:00:00:00:00:0c');
});

describe('learning (IEEE 802.1Q, 8.7 and 8.8)', () => {
  test('a frame to an unknown MAC is flooded, but not back', () => {
    a.say(c.mac);
    expect([a.heard.length, b.heard.length, c.heard.length]).toEqual([0, 1, 1]);
  });

  test('a frame to a known MAC goes to its port alone, over the trunk too', () => {
    c.say(BROADCAST);
    b.heard.length = 0;
    a.say(c.mac);
    expect(b.heard).toEqual([]);
    expect(c.heard).toEqual([`${a.mac}>${c.mac}`]);
  });

  test('group addresses are always flooded', () => {
    a.say('33:33:00:00:00:01');
    expect([b.heard.length, c.heard.length]).toEqual([1, 1]);
  });

  test.each(['01:80:c2:00:00:00', '01:80:c2:00:00:0e'])('%s is not forwarded', (group) => {
    a.say(group);
    expect([b.heard.length, c.heard.length]).toEqual([0, 0]);
  });

  test('a MAC stays on its old port until a frame leaves the new one', () => {
    const moved = '02:00:00:00:00:77';
    a.say(BROADCAST, moved);
    b.heard.length = 0;
    c.say(moved);
    expect(a.heard).toEqual([`${c.mac}>${moved}`]);
    expect(b.heard).toEqual([]);
    b.say(BROADCAST, moved);
    c.say(moved);
    expect(a.heard.filter((frame) => frame.endsWith(moved))).toHaveLength(1);
    expect(b.heard).toEqual([`${c.mac}>${moved}`]);
  });

  test('an entry that is too old is flooded again', () => {
    b.say(BROADCAST);
    world.clock.runUntil(299_000);
    a.say(b.mac);
    expect(c.heard.filter((frame) => frame.startsWith(a.mac))).toEqual([]);
    world.clock.runUntil(301_000);
    a.say(b.mac);
    expect(c.heard.filter((frame) => frame.startsWith(a.mac))).toHaveLength(1);
  });
});

describe('faults', () => {
  test('a cut cable takes the carrier from both ends, and its entries from the bridge', () => {
    b.say(BROADCAST);
    b.cable.cut = true;
    expect([b.carrier, left.whereIs(b.mac)]).toEqual([false, undefined]);
    b.cable.cut = false;
    expect(b.carrier).toBe(true);
    expect(left.whereIs(b.mac)).toBeUndefined();
  });

  test('a switch without power takes the carrier from all its ports, that of the trunk too', () => {
    c.say(BROADCAST);
    right.powered = false;
    expect([a.carrier, c.carrier, cable.carrier]).toEqual([true, false, false]);
    expect(left.whereIs(c.mac)).toBeUndefined();
    right.powered = true;
    a.say(c.mac);
    expect(c.heard).toHaveLength(1);
  });

  test('a mute switch keeps carriers and forwards nothing', () => {
    right.mute = true;
    a.say(BROADCAST);
    expect([c.carrier, b.heard.length, c.heard.length]).toEqual([true, 1, 0]);
  });

  test.each([
    ['towards the plug', 0, 'deaf'],
    ['towards the port', 1, 'mute'],
  ] as const)('drop %s makes it %s', (_, end, result) => {
    b.cable.drop(end, true);
    a.say(BROADCAST);
    b.say(BROADCAST);
    expect(b.carrier).toBe(true);
    expect([b.heard.length, a.heard.length]).toEqual(result === 'deaf' ? [0, 1] : [1, 0]);
  });

  test('30 % loss loses about 30 %', () => {
    b.cable.lose(30);
    for (let i = 0; i < 10_000; i++) a.say(BROADCAST);
    expect(b.heard.length / 10_000).toBeCloseTo(0.7, 1);
    expect(c.heard).toHaveLength(10_000);
  });

  test('a loop of switches does not hang the world', () => {
    trunk(world, left, right);
    a.say(BROADCAST);
    expect(b.heard.length).toBeGreaterThan(0);
  });
});
