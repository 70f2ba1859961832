/** A card whose carrier the kernel tells of once a second at most, as it does for every physical one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { demand, type Case, type Stand } from './case.js';
import { GuestDaemon } from './guest-daemon.js';
import type { Machine } from './machine.js';
import { Segment } from './segment.js';
import { PATIENT } from './timing.js';

const EVENTS = '/tmp/events.log';
/** From the monitor's command on: carrierPoll is 20 ms, the rest is an emulated processor on a busy machine. */
const KNOWN_WITHIN_MS = 1000;
/** Between two clocks that are compared over a serial line. */
const CLOCKS_MS = 100;
const LAST_EVENT_MS = 4000;

/** The last loss comes so soon after the return before it that the kernel holds its event back. */
const STORY = [
  { up: false, waitMs: 2000 },
  { up: true, waitMs: 2000 },
  { up: false, waitMs: 400 },
  { up: true, waitMs: 300 },
  { up: false, waitMs: LAST_EVENT_MS },
];

/** What must be added to a moment of this host to have the guest's, from the quickest of some questions. */
async function offsetMs(machine: Machine): Promise<number> {
  let best = { tookMs: Infinity, offset: 0 };
  for (let i = 0; i < 8; i++) {
    const asked = Date.now();
    const guest = Number(await machine.must('echo $EPOCHREALTIME')) * 1000;
    const tookMs = Date.now() - asked;
    if (tookMs < best.tookMs) best = { tookMs, offset: guest - asked - tookMs / 2 };
  }
  return best.offset;
}

/** Moments at which `ip monitor` was told that the carrier is gone. */
async function eventsOf(machine: Machine): Promise<number[]> {
  const lines = (await machine.must(`cat ${EVENTS}`)).split('\n');
  return lines.flatMap((line) => {
    const at = /^\[(\S+)\]/.exec(line)?.[1];
    return at === undefined || !line.includes('NO-CARRIER') ? [] : [Date.parse(`${at.slice(0, 23)}Z`)];
  });
}

async function run(stand: Stand): Promise<void> {
  const segment = await Segment.build('carrier', ['sw', 'sw']);
  try {
    const machine = await stand.boot('alpha', { namespace: segment.namespace, cards: Segment.cards(2) });
    await machine.must('ip link set eth0 up; ip link set eth1 up');
    const daemon = await GuestDaemon.start(machine, 'alpha', {
      timing: { ...PATIENT, carrierPoll: '20ms' },
      nets: { public: { upDelay: '1s', autoSwitchBack: false } },
      nodes: { alpha: { public: { primary: 'eth0', standby: ['eth1'], address: ['10.77.0.1/24'] } } },
    });
    // By its path: busybox has an ip of its own.
    await machine.must(`(setsid /bin/ip -ts -o monitor link dev eth0 > ${EVENTS} 2>&1 &)`);
    const offset = await offsetMs(machine);
    const mark = await daemon.mark();
    const losses: number[] = [];
    for (const { up, waitMs } of STORY) {
      if (!up) losses.push(Date.now() + offset);
      await machine.do('set_link', { name: 'card0', up });
      await sleep(waitMs);
    }
    const told = (await daemon.log(mark)).filter((line) => line.event === 'nic-health' && line.nic === 'eth0');
    const known = told.filter(({ to }) => to === 'down carrier').map(({ time }) => Date.parse(time));
    report(stand, losses, known, await eventsOf(machine));
  } finally {
    await segment.destroy();
  }
}

function report(stand: Stand, losses: readonly number[], known: readonly number[], events: readonly number[]): void {
  demand(known.length === losses.length, `${losses.length} losses, batond knew of ${known.length}`);
  for (const [i, at] of losses.entries()) {
    const event = events.find((moment) => moment >= at - CLOCKS_MS);
    const kernel = event === undefined ? 'none came' : `came after ${(event - at).toFixed(0)} ms`;
    stand.tell(`carrier lost: batond knew after ${(known[i]! - at).toFixed(0)} ms; the kernel's event: ${kernel}`);
  }
  for (const [i, at] of losses.entries())
    demand(known[i]! - at <= KNOWN_WITHIN_MS, `batond knew only after ${(known[i]! - at).toFixed(0)} ms`);
}

export const CARRIER_CASE: Case = {
  name: 'carrier',
  title: 'carrier of a card whose events the kernel holds back',
  run,
};
