/** A card whose carrier the kernel tells of once a second at most, as it does for every physical one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { demand, type Case, type Stand } from './case.js';
import { GuestDaemon } from './guest-daemon.js';
import { Segment } from './segment.js';
import { PATIENT } from './timing.js';

const WATCH_MS = 12_000;
/** Of an emulated processor on a busy machine; carrierPoll is 20 ms. */
const KNOWN_WITHIN_MS = 400;

/** Log, card and event are told by three programs. */
const CLOCKS_MS = 30;

interface Seen {
  what: 'watching' | 'card' | 'event';
  detail: string;
  at: number;
}

/** The last loss comes so soon after the return before it that the kernel holds its event back. */
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
    await machine.must(`(setsid node test/carrier.js eth0 ${WATCH_MS} > /tmp/carrier.log 2> /dev/null &)`);
    while (!(await machine.run('cat /tmp/carrier.log')).text.includes('watching')) await sleep(200);
    const mark = await daemon.mark();
    const set = (up: boolean): Promise<unknown> => machine.do('set_link', { name: 'card0', up });
    for (const [up, waitMs] of [
      [false, 1500],
      [true, 1500],
      [false, 200],
      [true, 150],
      [false, 0],
    ] as const) {
      await set(up);
      await sleep(waitMs);
    }
    await sleep(WATCH_MS - 4000);
    const seen = (await machine.must('cat /tmp/carrier.log'))
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Seen);
    const told = (await daemon.log(mark)).filter((line) => line.event === 'nic-health' && line.nic === 'eth0');
    report(
      stand,
      seen,
      told.map(({ to, time }) => ({ to: to!, at: Date.parse(time) })),
    );
  } finally {
    await segment.destroy();
  }
}

function report(stand: Stand, seen: readonly Seen[], told: readonly { to: string; at: number }[]): void {
  const losses = seen.filter(({ what, detail }) => what === 'card' && detail === 'down');
  demand(losses.length >= 2, `the card lost its carrier ${losses.length} times: ${JSON.stringify(seen)}`);
  const known = told.filter(({ to }) => to === 'down carrier');
  const events = seen.filter(({ what, detail }) => what === 'event' && detail === 'down');
  for (const { at } of losses) {
    const knew = known.find((one) => one.at >= at - CLOCKS_MS);
    if (knew) known.splice(0, known.indexOf(knew) + 1);
    const event = events.find((one) => one.at >= at - CLOCKS_MS);
    const lateMs = knew === undefined ? Infinity : Math.max(0, knew.at - at);
    const kernel = event
      ? `the kernel's event came after ${Math.max(0, event.at - at)} ms`
      : "no event of the kernel's";
    stand.tell(`carrier lost: batond knew after ${lateMs} ms; ${kernel}`);
    demand(lateMs <= KNOWN_WITHIN_MS, `batond told: ${JSON.stringify(told)}, the card ${JSON.stringify(seen)}`);
  }
}

export const CARRIER_CASE: Case = {
  name: 'carrier',
  title: 'carrier of a card whose events the kernel holds back',
  run,
};
