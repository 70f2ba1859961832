/**
 * Takeovers between three nodes on the kernel lab, by baton and by keepalived, in the same network and under the same blows:
 * how long a client is without answer, how long two nodes answered at once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../drivers/lab.js';
import { NamespacesLab } from '../../drivers/namespaces/lab.js';
import { ip } from '../../drivers/namespaces/shell.js';
import type { Scenario } from '../../src/drill/scenario.js';
import { advertisementS, Keepalived, masterDownMs } from './keepalived.js';
import { takeoverNetwork, floatingAddresses, type TakeoverTiming } from './network.js';
import { standing, takeDown } from './outage.js';

export type Blow = 'power-off' | 'planned-move' | 'orderly-stop' | 'killed' | 'frozen';
export const BLOWS: readonly Blow[] = ['power-off', 'planned-move', 'orderly-stop', 'killed', 'frozen'];

const HOME = 'alpha';
const NODES = ['alpha', 'beta', 'gamma'];
const LINKS = ['eth0', 'hb0'].map((nic) => ({ fault: 'cut', at: { node: HOME, nic } }) as const);
const WELL_WITHIN_MS = 40_000;
/** A frozen daemon sleeps this many detection times; two holders are looked for that long after it woke. */
const FROZEN_TIMES = 4;
const LOOK_EACH_MS = 20;
/** How long the holder must be the same, and the client answered, for all to be well. */
const STEADY_MS = 1500;

/** What is compared: one program with its nodes. */
export interface Contender {
  readonly lab: NamespacesLab;
  strike(blow: Blow, frozenMs: number): Promise<void>;
  /** All nodes run, and the addresses are at home. */
  mend(blow: Blow): Promise<void>;
  down(): Promise<void>;
}

export interface TakeoverFigures {
  blow: Blow;
  program: 'baton' | 'keepalived';
  timing: string;
  /** After which a silent holder is given up, milliseconds. */
  detectionMs: number;
  addresses: number;
  /** Longest time that an address was without answer, of each run. */
  outagesMs: number[];
  /** With many addresses: from the first that answers again to the last. */
  spreadMs: number[];
  /** Two nodes answered for one address, of each run. */
  twoHoldersMs: number[];
  runs: number;
  failures: string[];
}

export function contenderOf(
  program: 'baton' | 'keepalived',
  timing: TakeoverTiming,
  count: number,
): Promise<Contender> {
  return program === 'baton' ? batonOf(timing, count) : keepalivedOf(timing, count);
}

async function raise(scenario: Scenario): Promise<NamespacesLab> {
  const lab = new NamespacesLab();
  standing.add(lab);
  await lab.build(scenario);
  return lab;
}

export async function batonOf(timing: TakeoverTiming, addresses: number, mac?: string): Promise<Contender> {
  const lab = await raise(takeoverNetwork(timing, addresses, mac));
  await Promise.all(NODES.map((node) => lab.startDaemon(node)));
  lab.begin();
  const operate = async (words: string[]): Promise<void> => {
    const { code, stderr } = await lab.operate(HOME, words);
    if (code !== 0) throw new Error(`baton ${words.join(' ')}: ${stderr.trim()}`);
  };
  return {
    lab,
    async strike(blow, frozenMs) {
      if (blow === 'planned-move') await operate(['package', 'move', 'web', '--to', 'beta']);
      else if (blow === 'power-off') await lab.inflict({ fault: 'power-off', node: HOME });
      else if (blow === 'orderly-stop') await lab.inflict({ fault: 'stop', node: HOME });
      else if (blow === 'killed') await lab.inflict({ fault: 'kill', node: HOME });
      else {
        await lab.inflict({ fault: 'freeze', node: HOME });
        await sleep(frozenMs);
        await lab.heal({ fault: 'freeze', node: HOME });
      }
    },
    async mend(blow) {
      if (blow === 'power-off') await lab.heal({ fault: 'power-off', node: HOME });
      if (blow === 'orderly-stop') await lab.heal({ fault: 'stop', node: HOME });
      if (blow === 'killed') await lab.heal({ fault: 'kill', node: HOME });
      const deadline = lab.now() + WELL_WITHIN_MS;
      while (lab.holder(floatingAddresses(1)[0]!) !== HOME) {
        await lab.operate(HOME, ['package', 'move', 'web', '--to', HOME]);
        if (lab.now() > deadline) throw new Error('the package does not go home');
        await sleep(100);
      }
    },
    down: () => takeDown(lab),
  };
}

async function keepalivedOf(timing: TakeoverTiming, addresses: number): Promise<Contender> {
  const lab = await raise(takeoverNetwork(timing, addresses));
  const folder = mkdtempSync(join(tmpdir(), 'baton-bench-keepalived-'));
  const nodes = NODES.map((node, rank) => {
    const place = { node, namespace: lab.namespaceOf(node), folder: join(folder, node), rank };
    return new Keepalived(place, timing.keepalivedS, floatingAddresses(addresses));
  });
  const [home] = nodes as [Keepalived];
  lab.begin();
  for (const node of nodes) node.start();
  return {
    lab,
    async strike(blow, frozenMs) {
      if (blow === 'planned-move') home.weigh(true);
      else if (blow === 'power-off') {
        // In this order nothing is said any more: the links go first. The lab's own power-off is about batond.
        await Promise.all(LINKS.map((fault) => lab.inflict(fault)));
        await home.end('SIGKILL');
      } else if (blow === 'orderly-stop') await home.end('SIGTERM');
      else if (blow === 'killed') await home.end('SIGKILL');
      else {
        home.signal('SIGSTOP');
        await sleep(frozenMs);
        home.signal('SIGCONT');
      }
    },
    async mend(blow) {
      if (blow === 'power-off') {
        await ip(lab.namespaceOf(HOME), ['address flush dev eth0 to 10.77.1.0/24']);
        for (const fault of LINKS) await lab.heal(fault);
      }
      if (blow === 'planned-move') home.weigh(false);
      else if (blow !== 'frozen') home.start();
    },
    async down() {
      for (const node of nodes) await node.end('SIGKILL');
      await takeDown(lab);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The client has had no gap for a while, and the addresses are at home. */
export async function untilWell(lab: Lab, addresses: readonly string[]): Promise<void> {
  const deadline = lab.now() + WELL_WITHIN_MS;
  for (let since = lab.now(); lab.now() - since < STEADY_MS; await sleep(LOOK_EACH_MS)) {
    const isWell = lab.holder(addresses[0]!) === HOME && gapsSince(lab, lab.now() - LOOK_EACH_MS).length === 0;
    if (!isWell) since = lab.now();
    if (lab.now() > deadline) throw new Error(`not well within ${WELL_WITHIN_MS / 1000} s`);
  }
}

function gapsSince(lab: Lab, since: number): { fromMs: number; toMs: number }[] {
  return lab.probes().flatMap((probe) => probe.gaps.filter((gap) => gap.toMs > since));
}

function overlapSince(lab: Lab, since: number): number {
  const spans = lab.overlaps().filter((overlap) => overlap.toMs > since);
  return Math.max(0, ...spans.map((overlap) => overlap.toMs - Math.max(overlap.fromMs, since)), sumOf(spans, since));
}

/** All the time of the worst address. */
function sumOf(spans: readonly { address: string; fromMs: number; toMs: number }[], since: number): number {
  const sums: Record<string, number> = {};
  for (const { address, fromMs, toMs } of spans) sums[address] = (sums[address] ?? 0) + toMs - Math.max(fromMs, since);
  return Math.max(0, ...Object.values(sums));
}

/** One blow and its repair; `look` between the two. Throws an Error that says what did not happen. */
export async function runOnce(
  contender: Contender,
  figures: Pick<TakeoverFigures, 'blow' | 'detectionMs' | 'outagesMs' | 'spreadMs' | 'twoHoldersMs'>,
  addresses: readonly string[],
  look?: () => Promise<void>,
): Promise<void> {
  const { lab } = contender;
  const { blow, detectionMs } = figures;
  await untilWell(lab, addresses);
  const struckAt = lab.now();
  await contender.strike(blow, FROZEN_TIMES * detectionMs);
  const settleMs = blow === 'killed' || blow === 'frozen' ? FROZEN_TIMES * detectionMs : 2 * detectionMs;
  const until = Math.max(lab.now(), struckAt + settleMs) + 1000;
  while (lab.now() < until) await sleep(LOOK_EACH_MS);
  if (blow !== 'frozen' && lab.holder(addresses[0]!) === HOME && blow !== 'killed')
    throw new Error(`after ${blow} the addresses are where they were`);
  const gaps = gapsSince(lab, struckAt);
  figures.outagesMs.push(Math.max(0, ...gaps.map((gap) => gap.toMs - gap.fromMs)));
  if (addresses.length > 1 && gaps.length > 0)
    figures.spreadMs.push(Math.max(...gaps.map((gap) => gap.toMs)) - Math.min(...gaps.map((gap) => gap.toMs)));
  figures.twoHoldersMs.push(overlapSince(lab, struckAt));
  await look?.();
  await contender.mend(blow);
}

/** `runs` times each blow, on one network that stands all the while. */
export async function measureTakeovers(
  program: 'baton' | 'keepalived',
  timing: TakeoverTiming,
  count: number,
  blows: readonly Blow[],
  runs: number,
  say: (line: string) => void,
): Promise<TakeoverFigures[]> {
  const addresses = floatingAddresses(count);
  const detectionMs = program === 'baton' ? timing.nodeTimeoutMs : masterDownMs(timing.keepalivedS);
  const all = blows.map((blow): TakeoverFigures => ({
    ...{ blow, program, timing: timing.name, detectionMs, addresses: count },
    ...{ outagesMs: [], spreadMs: [], twoHoldersMs: [], runs: 0, failures: [] },
  }));
  const contender = await contenderOf(program, timing, count);
  try {
    for (const figures of all)
      for (let run = 1; run <= runs; run++) {
        figures.runs++;
        await runOnce(contender, figures, addresses).catch((error: unknown) =>
          figures.failures.push(`run ${run}: ${error instanceof Error ? error.message : String(error)}`),
        );
        const last = figures.outagesMs.at(-1)?.toFixed(1) ?? 'none';
        const two = figures.twoHoldersMs.at(-1)?.toFixed(0) ?? '-';
        say(
          `${program}, ${timing.name}, ${figures.blow}, ${count}: run ${run} of ${runs}, outage ${last} ms, two holders ${two} ms`,
        );
        if (figures.failures.length > 0) say(figures.failures.at(-1)!);
      }
  } finally {
    await contender.down();
  }
  return all;
}

export function timings(): TakeoverTiming[] {
  return [
    { name: 'own default', nodeTimeoutMs: 1000, cluster: 'default', keepalivedS: 1 },
    { name: '1 s', nodeTimeoutMs: 1000, cluster: 'default', keepalivedS: advertisementS(1000) },
    { name: '200 ms', nodeTimeoutMs: 200, cluster: 'fast', keepalivedS: advertisementS(200) },
    {
      name: '60 ms',
      nodeTimeoutMs: 60,
      cluster: { poll: '20ms', carrierPoll: '10ms', heartbeat: '10ms', nodeTimeout: '60ms', margin: '15ms' },
      keepalivedS: advertisementS(60),
    },
  ];
}
