/**
 * The holder is a whole machine that stands still with its kernel, and with it the clock by which its gate closes: the one
 * exception of S1 that time makes (MEMBERSHIP 9). Two nodes of this kernel take over; then the machine goes on.
 *
 *     alpha (guest) ══ sw, hb ══ beta, gamma (namespaces of this kernel), watcher
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { DaemonProcess } from '../../drivers/namespaces/daemon-process.js';
import { ip } from '../../drivers/namespaces/shell.js';
import { monotonicMs } from '../../drivers/namespaces/prober.js';
import { duration } from '../../src/drill/scenario.js';
import { leaseMs } from '../../src/membership/span.js';
import { demand, type Case, type Stand } from './case.js';
import { GuestDaemon } from './guest-daemon.js';
import type { Machine } from './machine.js';
import { cardMac, Segment } from './segment.js';
import { PATIENT } from './timing.js';

const KEY = 'ba'.repeat(32);
const ADDRESS = '10.77.0.100';
const NODES = ['alpha', 'beta', 'gamma'];
const HOLDER_WITHIN_MS = 120_000;
const FROZEN_MS = 25_000;

const CLUSTER = {
  timing: PATIENT,
  nets: { public: { heartbeat: 'public' }, private1: { heartbeat: 'private' } },
  nodes: Object.fromEntries(
    NODES.map((name, i) => [
      name,
      {
        public: { primary: 'eth0', address: [`10.77.0.${i + 1}/24`] },
        private1: { primary: 'eth1', address: [`10.78.0.${i + 1}/24`] },
      },
    ]),
  ),
  packages: { web: { nodes: NODES, resources: [{ address: ADDRESS, net: 'public' }] } },
};

/** Of a thawed holder: its lease, and how late the gate may be (MEMBERSHIP 5). */
const { nodeTimeout, margin } = PATIENT;
const MARGIN_MS = duration.parse(margin);
const BOUND_MS = leaseMs({ nodeTimeoutMs: duration.parse(nodeTimeout), marginMs: MARGIN_MS }) + MARGIN_MS;
/** Two questions of the watcher, and the way of a monitor's command to an emulated clock. */
const MEASURED_WITHIN_MS = 100;

class Cluster {
  readonly beta: DaemonProcess;
  readonly gamma: DaemonProcess;
  readonly segment: Segment;

  private constructor(segment: Segment, beta: DaemonProcess, gamma: DaemonProcess) {
    this.segment = segment;
    this.beta = beta;
    this.gamma = gamma;
  }

  static async place(stand: Stand, segment: Segment): Promise<Cluster> {
    const key = join(stand.folder, 'key');
    await writeFile(key, `${KEY}\n`, { mode: 0o600 });
    const config = join(stand.folder, 'cluster.yaml');
    await writeFile(config, stringify({ cluster: 'drill', key, ...CLUSTER }));
    const place = async (node: string, i: number): Promise<DaemonProcess> => {
      const namespace = await segment.addNode(node, ['sw', 'hb']);
      await ip(namespace, [`address add 10.77.0.${i}/24 dev eth0`, `address add 10.78.0.${i}/24 dev eth1`]);
      const folder = join(stand.folder, node);
      await mkdir(folder, { mode: 0o700 });
      return new DaemonProcess({ node, namespace, folder, config });
    };
    return new Cluster(segment, await place('beta', 2), await place('gamma', 3));
  }

  async untilHeldBy(who: string, holds: (mac: string) => boolean): Promise<void> {
    const until = monotonicMs() + HOLDER_WITHIN_MS;
    while (!holds(this.segment.holderOf(ADDRESS) ?? '')) {
      if (monotonicMs() > until)
        throw new Error(`${who} does not answer for ${ADDRESS}; beta says:\n${this.beta.log().slice(-3000)}`);
      await sleep(50);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.beta, this.gamma].map((daemon) => daemon.end('SIGKILL')));
  }
}

const isGuest = (mac: string): boolean => mac === cardMac(0);

/** Freezes the machine until the others serve, thaws it, and tells how long it answered beside them. */
async function freeze(stand: Stand, machine: Machine, cluster: Cluster, what: string, before?: string): Promise<void> {
  const { segment } = cluster;
  await cluster.untilHeldBy('alpha', isGuest);
  await sleep(3000);
  if (before !== undefined) await machine.must(before);
  const frozenAt = monotonicMs();
  await machine.do('stop');
  await cluster.untilHeldBy('beta or gamma', (mac) => !isGuest(mac));
  const takenAt = segment.answers.findLast((one) => isGuest(one.mac))?.at ?? frozenAt;
  const firstOther = segment.answers.find((one) => one.at > takenAt && !isGuest(one.mac))!.at;
  await sleep(Math.max(0, frozenAt + FROZEN_MS - monotonicMs()));
  const thawedAt = monotonicMs();
  await machine.do('cont');
  await sleep(BOUND_MS + 3000);
  const late = segment.answers.filter((one) => isGuest(one.mac) && one.at > thawedAt);
  const lastMs = late.length === 0 ? 0 : late.at(-1)!.at - thawedAt;
  stand.tell(
    `${what}: taken over ${(firstOther - frozenAt).toFixed(0)} ms after the freeze; after the thaw alpha answered ${late.length} questions, the last after ${lastMs.toFixed(0)} ms (bound ${BOUND_MS.toFixed(0)} ms)`,
  );
  demand(lastMs <= BOUND_MS + MEASURED_WITHIN_MS, `alpha answered for ${lastMs.toFixed(0)} ms after the thaw`);
  demand(!isGuest(segment.holderOf(ADDRESS)!), 'alpha still answers');
}

async function run(stand: Stand): Promise<void> {
  const segment = await Segment.build('freeze', ['sw', 'hb']);
  let cluster: Cluster | null = null;
  try {
    const machine = await stand.boot('alpha', { namespace: segment.namespace, cards: Segment.cards(2) });
    await machine.must('ip link set eth0 up; ip link set eth1 up');
    await machine.must('ip address add 10.77.0.1/24 dev eth0; ip address add 10.78.0.1/24 dev eth1');
    cluster = await Cluster.place(stand, segment);
    await segment.watch('sw', '10.77.0.254/24', [ADDRESS]);
    const daemon = await GuestDaemon.start(machine, 'alpha', CLUSTER, KEY);
    await cluster.beta.start();
    await cluster.gamma.start();
    await daemon.until((line) => line.event === 'package' && line.to === 'running', 'serving', HOLDER_WITHIN_MS);
    await freeze(stand, machine, cluster, 'its batond stopped just before', 'kill -STOP $(cat /tmp/batond.pid)');
    await machine.must('kill -CONT $(cat /tmp/batond.pid)');
    const moved = await untilMoved(cluster.beta);
    stand.tell(`moved back: ${moved}`);
    await freeze(stand, machine, cluster, 'its batond at work');
  } finally {
    await cluster?.stop();
    await segment.destroy();
  }
}

/** The thawed node must be back in the cluster before a package can go there. */
async function untilMoved(beta: DaemonProcess): Promise<string> {
  const until = monotonicMs() + HOLDER_WITHIN_MS;
  for (;;) {
    const { code, stdout, stderr } = await beta.operate(['package', 'move', 'web', '--to', 'alpha']);
    if (code === 0) return stdout.trim();
    if (monotonicMs() > until) throw new Error(`web cannot be moved to alpha: ${stderr}`);
    await sleep(1000);
  }
}

export const FREEZE_CASE: Case = { name: 'freeze', title: 'the holder is frozen with its kernel, and thawed', run };
