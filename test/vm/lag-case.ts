/** A bond, a team, and a VLAN on a bond as one NIC: its ports are cards that the monitor unplugs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../drivers/namespaces/prober.js';
import { demand, type Case, type Stand } from './case.js';
import { GuestDaemon } from './guest-daemon.js';
import type { Machine } from './machine.js';
import { cardMac, Segment } from './segment.js';
import { PATIENT } from './timing.js';

const ADDRESS = '10.77.0.1';
const ADDRESS6 = 'fd77::1';
/** The last card is the standby; the others are the ports. */
const STANDBY = 2;
const SWITCH_WITHIN_MS = 120_000;
const HOME_WITHIN_MS = 180_000;
/** Long enough for every judgement that could be made of a lost port. */
const LOOK_ON_MS = 15_000;
/** Of an emulated machine whose host is busy. */
const OUTAGE_MAX_MS = 30_000;

interface Lag {
  nic: string;
  /** Shell lines for the guest that make it of eth0 and eth1, set up. */
  made: string[];
}

const BOND: Lag = {
  nic: 'bond0',
  made: [
    'ip link add bond0 type bond mode active-backup miimon 100',
    'ip link set eth0 down; ip link set eth0 master bond0; ip link set eth1 down; ip link set eth1 master bond0',
    'ip link set bond0 up',
  ],
};
const TEAM_CONFIG = JSON.stringify({
  device: 'team0',
  runner: { name: 'activebackup' },
  link_watch: { name: 'ethtool' },
  ports: { eth0: {}, eth1: {} },
});
const TEAM: Lag = {
  nic: 'team0',
  made: [
    'ip link set eth0 down; ip link set eth1 down',
    `teamd -d -t team0 -c '${TEAM_CONFIG}'`,
    'ip link set team0 up',
  ],
};

const clusterOf = (primary: string, standby: string): object => ({
  timing: PATIENT,
  nets: { public: { upDelay: '1s', targets: ['10.77.0.254'] } },
  nodes: { alpha: { public: { primary, standby: [standby], address: [`${ADDRESS}/24`, `${ADDRESS6}/64`] } } },
});

const setLink = (machine: Machine, card: number, up: boolean): Promise<unknown> =>
  machine.do('set_link', { name: `card${card}`, up });

async function losePorts(stand: Stand, lag: Lag): Promise<void> {
  const segment = await Segment.build(lag.nic, ['sw', 'sw', 'sw']);
  try {
    const machine = await stand.boot('alpha', { namespace: segment.namespace, cards: Segment.cards(3) });
    for (const line of [...lag.made, `ip link set eth${STANDBY} up`]) await machine.must(line);
    await segment.watch('sw', '10.77.0.254/24', [ADDRESS]);
    const daemon = await GuestDaemon.start(machine, 'alpha', clusterOf(lag.nic, `eth${STANDBY}`));
    await daemon.until((line) => line.msg === 'nic-health' && line.nic === lag.nic && line.to === 'up', 'up', 120_000);
    await portLost(stand, machine, daemon, segment, lag);
    await lagLost(stand, machine, daemon, segment, lag);
    await portBack(stand, machine, daemon, segment, lag);
  } finally {
    await segment.destroy();
  }
}

async function portLost(
  stand: Stand,
  machine: Machine,
  daemon: GuestDaemon,
  segment: Segment,
  { nic }: Lag,
): Promise<void> {
  const mark = await daemon.mark();
  const from = monotonicMs();
  await setLink(machine, 0, false);
  await daemon.until((line) => line.event === 'port' && line.to === 'down', 'told of the port', SWITCH_WITHIN_MS, mark);
  await sleep(LOOK_ON_MS);
  const lines = await daemon.log(mark);
  demand(!lines.some((line) => line.event === 'switch-started'), `a lost port made a switch: ${JSON.stringify(lines)}`);
  const gapMs = segment.gapMs(ADDRESS, from);
  demand(gapMs < OUTAGE_MAX_MS, `${ADDRESS} was dark for ${gapMs.toFixed(0)} ms when one port of ${nic} went`);
  const shown = await machine.must('node bin/baton.js links --run-dir /tmp/run --config /tmp/cluster.yaml', 120_000);
  const line =
    shown
      .split('\n')
      .find((text) => /^\s+ports/.test(text))
      ?.trim() ?? 'no line of ports';
  demand(/eth0 down/.test(line), `baton links shows "${line}"`);
  stand.tell(`a port lost: nothing moved, ${ADDRESS} dark for ${gapMs.toFixed(0)} ms; links: "${line}"`);
}

async function lagLost(
  stand: Stand,
  machine: Machine,
  daemon: GuestDaemon,
  segment: Segment,
  { nic }: Lag,
): Promise<void> {
  const mark = await daemon.mark();
  const from = monotonicMs();
  await setLink(machine, 1, false);
  const done = await daemon.until((line) => line.event === 'switch-done', 'switched', SWITCH_WITHIN_MS, mark);
  demand(done.from === nic && done.to === `eth${STANDBY}`, `switched ${done.from} → ${done.to}`);
  await sleep(1000);
  const gapMs = segment.gapMs(ADDRESS, from);
  demand(gapMs < OUTAGE_MAX_MS, `${ADDRESS} was dark for ${gapMs.toFixed(0)} ms when ${nic} went`);
  demand(segment.holderOf(ADDRESS) === cardMac(STANDBY), `${ADDRESS} is at ${segment.holderOf(ADDRESS)}`);
  const carried = await machine.must(`ip -o address show dev eth${STANDBY}`);
  demand(carried.includes(ADDRESS) && carried.includes(ADDRESS6), `eth${STANDBY} carries ${carried}`);
  stand.tell(`both ports lost: ${nic} → eth${STANDBY}, cause ${done.cause}, dark for ${gapMs.toFixed(0)} ms`);
}

async function portBack(
  stand: Stand,
  machine: Machine,
  daemon: GuestDaemon,
  segment: Segment,
  { nic }: Lag,
): Promise<void> {
  const mark = await daemon.mark();
  const from = monotonicMs();
  await setLink(machine, 0, true);
  const home = (line: { event?: string; to?: string }): boolean => line.event === 'switch-done' && line.to === nic;
  await daemon.until(home, 'switched back', HOME_WITHIN_MS, mark);
  await sleep(1000);
  stand.tell(`a port back: home again, dark for ${segment.gapMs(ADDRESS, from).toFixed(0)} ms`);
}

/** Its peer is in the guest as well: this host knows no VLANs. */
async function vlanOnBond(stand: Stand): Promise<void> {
  const segment = await Segment.build('vlan', ['sw', 'sw', 'sw', 'sw']);
  try {
    const machine = await stand.boot('alpha', { namespace: segment.namespace, cards: Segment.cards(4) });
    for (const line of [
      ...BOND.made,
      'ip link set eth2 up; ip link add link bond0 name bond0.7 type vlan id 7; ip link add link eth2 name eth2.7 type vlan id 7',
      'ip link set bond0.7 up; ip link set eth2.7 up',
      'ip netns add client; ip link set eth3 netns client; ip -n client link set eth3 up',
      'ip -n client link add link eth3 name eth3.7 type vlan id 7; ip -n client link set eth3.7 up',
      'ip -n client address add 10.77.0.254/24 dev eth3.7',
    ])
      await machine.must(line);
    const daemon = await GuestDaemon.start(machine, 'alpha', clusterOf('bond0.7', 'eth2.7'));
    const answers = 'ip netns exec client ping -c 20 -i 0.1 -W 1 10.77.0.1 | tail -3';
    let mark = await daemon.mark();
    await setLink(machine, 0, false);
    await daemon.until(
      (line) => line.event === 'port' && line.to === 'down',
      'told of the port',
      SWITCH_WITHIN_MS,
      mark,
    );
    await sleep(LOOK_ON_MS);
    const lines = await daemon.log(mark);
    demand(!lines.some((line) => line.event === 'switch-started'), 'a lost port made a switch');
    stand.tell(`a port of the bond below lost: nothing moved; ${(await machine.must(answers)).split('\n')[1]}`);
    mark = await daemon.mark();
    await setLink(machine, 1, false);
    const done = await daemon.until((line) => line.event === 'switch-done', 'switched', SWITCH_WITHIN_MS, mark);
    demand(done.from === 'bond0.7' && done.to === 'eth2.7', `switched ${done.from} → ${done.to}`);
    const heard = (await machine.must(answers)).split('\n')[1]!;
    demand(!/100% packet loss/.test(heard), heard);
    stand.tell(`the bond lost: bond0.7 → eth2.7, cause ${done.cause}; ${heard}`);
  } finally {
    await segment.destroy();
  }
}

export const LAG_CASES: readonly Case[] = [
  { name: 'bond', title: 'a bond loses one port, then the other', run: (stand) => losePorts(stand, BOND) },
  { name: 'team', title: 'a team loses one port, then the other', run: (stand) => losePorts(stand, TEAM) },
  { name: 'vlan-on-bond', title: 'a VLAN on a bond is the primary', run: vlanOnBond },
];
