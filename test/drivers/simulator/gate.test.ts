/** The gate of a simulated kernel and the hand that writes it (MEMBERSHIP G1 to G4), as the real ones do. */
import { beforeEach, describe, expect, test } from 'vitest';
import { addAddress } from '../../../drivers/simulator/addresses.js';
import { Bridge } from '../../../drivers/simulator/bridge.js';
import { GateHand } from '../../../drivers/simulator/gate-hand.js';
import { Host } from '../../../drivers/simulator/host.js';
import type { Nic } from '../../../drivers/simulator/nic.js';
import { World } from '../../../drivers/simulator/wire.js';
import { Watcher } from '../../../drivers/simulator/watcher.js';
import type { GateOutcome, Ms } from '../../../src/input.js';

const FLOATING = '10.77.0.100';
const FLOATING6 = 'fd77::100';
const TOKEN_MS = 20;
/** Expiry is late by a few milliseconds, a commit may be held up. */
const SLACK_MS = 100;

let world: World;
let host: Host;
let other: Host;
let nic: Nic;
let hand: GateHand;
let written: { id: number; outcome: GateOutcome; at: Ms }[];
let lost: string[];
/** Pauses to come, one for each place where the process may stand still. */
let pauses: Ms[];

function raise(name: string, n: number, bridge: Bridge): Host {
  const raised = new Host(world, name);
  const plugged = raised.plug('eth0', `02:00:00:00:00:0${n}`, bridge.port(), false);
  addAddress(raised, plugged, { family: 4, local: `10.77.0.${n}`, prefixLength: 24, scope: 0, flags: 0 });
  return raised;
}

function hold(): void {
  addAddress(host, nic, { family: 4, local: FLOATING, prefixLength: 32, scope: 0, flags: 0 });
  addAddress(host, nic, { family: 6, local: FLOATING6, prefixLength: 128, scope: 0, flags: 0x02 });
}

/** Does the host answer somebody who asks anew? */
function answers(): boolean {
  let answered = false;
  other.neighbours.flush('eth0', false);
  const packet = {
    family: 4 as const,
    source: '10.77.0.2',
    destination: FLOATING,
    what: 'echo' as const,
    trace: { answered: () => (answered = true), chance: null, counted: [] },
  };
  other.send(packet, other.nics.get('eth0'));
  world.clock.runUntil(world.clock.now + 1);
  other.send(packet, other.nics.get('eth0'));
  world.clock.runUntil(world.clock.now + 1);
  return answered;
}

beforeEach(() => {
  world = new World(3);
  const bridge = new Bridge(world, 'sw');
  host = raise('alpha', 1, bridge);
  other = raise('beta', 2, bridge);
  nic = host.nics.get('eth0')!;
  world.clock.runUntil(3000);
  written = [];
  lost = [];
  pauses = [];
  hand = new GateHand({
    host,
    random: world.random.stream('hand'),
    floating: [FLOATING, FLOATING6],
    tokenMs: TOKEN_MS,
    now: () => host.clock.now,
    written: (id, outcome) => written.push({ id, outcome, at: world.clock.now }),
    lost: (text) => lost.push(text),
    mayPause: () => {
      const ms = pauses.shift() ?? 0;
      if (ms === 0) return;
      hand.freeze();
      world.clock.after(ms, () => hand.thaw());
    },
  });
});

describe('what it lets through', () => {
  test('G1 nothing without a lease; what is not floating passes', () => {
    hold();
    expect(answers()).toBe(false);
    expect(host.gate.lets('10.77.0.1')).toBe(true);
  });

  test('G1 under a lease only what is held', () => {
    hold();
    hand.post({ kind: 'write-gate', id: 1, held: [FLOATING6], leaseEnd: 4000 });
    world.clock.runUntil(3100);
    expect(answers()).toBe(false);
    hand.post({ kind: 'write-gate', id: 2, held: [FLOATING, FLOATING6], leaseEnd: 4000 });
    world.clock.runUntil(3200);
    expect(answers()).toBe(true);
    expect(host.gate.lets(FLOATING6)).toBe(true);
  });

  test('it closes by itself at the end of the lease, not later than the margin allows, by the clock of the host', () => {
    hold();
    host.clock.drift(-100_000);
    const leaseEnd = host.clock.now + 900;
    hand.post({ kind: 'write-gate', id: 1, held: [FLOATING], leaseEnd });
    const closedBy = host.clock.worldAt(leaseEnd + 15);
    world.clock.runUntil(closedBy - 60);
    expect(host.gate.lets(FLOATING)).toBe(true);
    world.clock.runUntil(closedBy);
    expect(host.gate.lets(FLOATING)).toBe(false);
    expect(closedBy).toBeGreaterThan(4000);
  });

  test('frames that speak for a closed address do not leave: ARP with it as sender, advertisements of it', () => {
    hold();
    const heard: string[] = [];
    other.onFrame = (_, bytes) => heard.push(`${bytes[12]}`);
    const before = nic.tx;
    nic.transmitBytes(new Uint8Array(arpFrame([10, 77, 0, 100])));
    expect(nic.tx).toBe(before);
    nic.transmitBytes(new Uint8Array(arpFrame([10, 77, 0, 1])));
    expect(nic.tx).toBe(before + 1);
  });
});

describe('arm, check, act', () => {
  test('G2 to G4 a write is done and told', () => {
    hand.post({ kind: 'write-gate', id: 7, held: [FLOATING], leaseEnd: 4000 });
    world.clock.runUntil(3000 + SLACK_MS);
    expect(written.map(({ id, outcome }) => ({ id, outcome }))).toEqual([{ id: 7, outcome: { ok: true } }]);
  });

  test('G3 a lease that leaves no more than the token opens nothing', () => {
    hand.post({ kind: 'write-gate', id: 1, held: [FLOATING], leaseEnd: 3000 + TOKEN_MS });
    world.clock.runUntil(3200);
    expect(written[0]!.outcome).toEqual({ ok: false, why: 'late' });
    expect(host.gate.held.size).toBe(0);
  });

  test.each([
    ['between arm and check', [200, 0, 0]],
    ['between check and act', [0, 200, 0]],
  ])('G4 stopped %s, the kernel refuses the late write whole', (_, stops) => {
    pauses = stops;
    hand.post({ kind: 'write-gate', id: 1, held: [FLOATING], leaseEnd: 3150 });
    world.clock.runUntil(3700);
    expect(written[0]!.outcome).toEqual({ ok: false, why: 'late' });
    expect(host.gate.held.size).toBe(0);
  });

  test('stopped after the act, it stands; the word of it comes late', () => {
    pauses = [0, 0, 500];
    hand.post({ kind: 'write-gate', id: 1, held: [FLOATING], leaseEnd: 4000 });
    world.clock.runUntil(3000 + SLACK_MS);
    expect(host.gate.isOpen()).toBe(true);
    expect(written).toEqual([]);
    world.clock.runUntil(3700);
    expect(written).toHaveLength(1);
  });

  test('a frozen hand does nothing until it is thawed; then the token has expired', () => {
    hand.post({ kind: 'write-gate', id: 1, held: [FLOATING], leaseEnd: 3300 });
    hand.freeze();
    world.clock.runUntil(3250);
    expect(host.gate.isOpen()).toBe(false);
    hand.thaw();
    world.clock.runUntil(3400);
    expect(written[0]!.outcome).toEqual({ ok: false, why: 'late' });
  });

  test('closing needs no arming; of several that wait only the newest is written', () => {
    hand.post({ kind: 'write-gate', id: 1, held: [FLOATING], leaseEnd: 5000 });
    hand.post({ kind: 'write-gate', id: 2, held: [FLOATING, FLOATING6], leaseEnd: 5000 });
    hand.post({ kind: 'write-gate', id: 3, held: [], leaseEnd: null });
    world.clock.runUntil(3300);
    expect(written.map(({ id }) => id)).toEqual([1, 3]);
    expect(host.gate.isOpen()).toBe(false);
  });
});

describe('what others do to it', () => {
  test('flushed rules let everything speak, until they are put back, closed, and told', () => {
    hold();
    host.gate.flush();
    expect(host.gate.lets(FLOATING)).toBe(true);
    world.clock.runUntil(3000 + SLACK_MS);
    expect(host.gate.lets(FLOATING)).toBe(false);
    expect(lost).toHaveLength(1);
  });

  test('a daemon that is gone puts nothing back', () => {
    hand.end();
    host.gate.flush();
    world.clock.runUntil(4000);
    expect(host.gate.stands).toBe(false);
  });

  test('a new hand takes over rules that stand open', () => {
    hand.post({ kind: 'write-gate', id: 1, held: [FLOATING], leaseEnd: 4000 });
    world.clock.runUntil(3200);
    hand.end();
    const next = { host, random: world.random.stream('next'), floating: [FLOATING], tokenMs: TOKEN_MS };
    new GateHand({ ...next, now: () => 0, written: () => {}, lost: () => {}, mayPause: () => {} });
    expect(host.gate.lets(FLOATING)).toBe(true);
  });

  test('power off takes it along', () => {
    hand.post({ kind: 'write-gate', id: 1, held: [FLOATING], leaseEnd: 4000 });
    host.powerOff();
    world.clock.runUntil(3200);
    expect(host.gate.stands).toBe(false);
    expect(written).toEqual([]);
  });
});

test('the watcher sees who answers, and overlaps to the moment', () => {
  const watcher = new Watcher(
    world,
    new Map([
      ['alpha', host],
      ['beta', other],
    ]),
    [FLOATING],
  );
  hold();
  hand.post({ kind: 'write-gate', id: 1, held: [FLOATING], leaseEnd: 4000 });
  world.clock.runUntil(3500);
  expect(watcher.answering(FLOATING)).toEqual(['alpha']);
  expect(watcher.holder(FLOATING)).toBe('alpha');
  addAddress(other, other.nics.get('eth0')!, { family: 4, local: FLOATING, prefixLength: 32, scope: 0, flags: 0 });
  world.clock.runUntil(5000);
  expect(watcher.answering(FLOATING)).toEqual(['beta']);
  const [overlap] = watcher.overlaps();
  expect(overlap).toMatchObject({ address: FLOATING, nodes: ['alpha', 'beta'], fromMs: 3500 });
  expect(overlap!.toMs).toBeGreaterThan(3950);
  expect(overlap!.toMs).toBeLessThan(4010);
});

/** Header, then an ARP reply with that sender. */
function arpFrame(sender: number[]): number[] {
  const header = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x06];
  return [...header, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, ...sender, 2, 0, 0, 0, 0, 2, 10, 77, 0, 2];
}
