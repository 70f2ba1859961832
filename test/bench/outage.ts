/** Local switches on the kernel lab: how long a client that pings each millisecond is without answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../drivers/lab.js';
import { NamespacesLab } from '../../drivers/namespaces/lab.js';
import { profiles } from '../../src/config/timing.js';
import type { Fault, Scenario } from '../../src/drill/scenario.js';
import type { SwitchFigures, Timing } from './figures.js';
import { runMinimal } from './minimal.js';
import { ADDRESS, switchNetwork } from './network.js';

const SWITCH_WITHIN_MS = 10_000;
const BACK_WITHIN_MS = 20_000;
/** TCP waits for one retransmission time-out, and its report looks back a second. */
const TCP_SETTLES_MS = 1500;
const SETTLE_MS = 400;
const LOOK_EACH_MS = 5;

const PRIMARY = { node: 'alpha', nic: 'eth0' };

export interface SwitchCase {
  failure: string;
  fault: Fault;
  cards: 'plain' | 'physical';
  timing: Timing;
  budgetMs?: number;
}

export function switchCases(): SwitchCase[] {
  return (['default', 'fast'] as const).flatMap((timing) => [
    ...(['plain', 'physical'] as const).map((cards): SwitchCase => ({
      failure: 'carrier loss',
      fault: { fault: 'cut', at: PRIMARY },
      cards,
      timing,
      budgetMs: profiles[timing].carrierPollMs + 10,
    })),
    ...(['in', 'out', 'both'] as const).map((direction): SwitchCase => ({
      failure: `silent ${direction}`,
      fault: { fault: 'drop', direction, at: PRIMARY },
      cards: 'plain',
      timing,
      ...(timing === 'fast' ? { budgetMs: 120 } : {}),
    })),
  ]);
}

/** Labs that stand, so that an interrupted bench can take them down. */
export const standing = new Set<Lab>();

export async function raise(network: Scenario, daemons: boolean): Promise<NamespacesLab> {
  const lab = new NamespacesLab();
  standing.add(lab);
  await lab.build(network);
  if (daemons) for (const node of ['alpha', 'beta']) await lab.startDaemon(node);
  lab.begin();
  return lab;
}

export async function takeDown(lab: Lab): Promise<void> {
  await lab.destroy();
  standing.delete(lab);
}

/** Gaps that are not longer are not told by the prober; they count as so long. */
const SHORTEST_MS = 5;

/** The longest gap that reaches beyond `since`; 0 when the prober told none. */
function longestGap(lab: Lab, since: number): number {
  const gaps = lab.probes().flatMap((probe) => (probe.address === ADDRESS ? probe.gaps : []));
  return Math.max(0, ...gaps.filter((gap) => gap.toMs > since).map((gap) => gap.toMs - gap.fromMs));
}

const outageSince = (lab: Lab, since: number): number => Math.max(SHORTEST_MS, longestGap(lab, since));

async function until(what: string, lab: Lab, withinMs: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = lab.now() + withinMs;
  while (!(await isSo())) {
    if (lab.now() > deadline) throw new Error(`${what} did not happen within ${withinMs / 1000} s`);
    await sleep(LOOK_EACH_MS);
  }
}

const switchedTo = (lab: Lab, nic: string, since: number): boolean =>
  lab
    .journal()
    .some((entry) => entry.node === 'alpha' && entry.event === 'switch-done' && entry.to === nic && entry.at >= since);

/** All is well: both NICs are up, the standby is ready, the client is answered. */
export async function untilWell(lab: Lab): Promise<void> {
  await until('a healthy net', lab, BACK_WITHIN_MS, async () => {
    await sleep(100);
    const nics = (await lab.status('alpha'))?.nics ?? [];
    const [primary, standby] = ['eth0', 'eth1'].map((name) => nics.find((nic) => nic.name === name));
    if (primary?.health !== 'up' || primary.carrying.length === 0) return false;
    if (standby?.health !== 'up' || standby.ready?.ok !== true) return false;
    return longestGap(lab, lab.now() - 50) === 0;
  });
}

/** A carrier change elsewhere, after which the kernel holds back those of physical cards for up to a second. */
async function stir(lab: Lab): Promise<() => Promise<void>> {
  const elsewhere: Fault = { fault: 'cut', at: { node: 'alpha', nic: 'eth9' } };
  await lab.inflict(elsewhere);
  await sleep(100 + Math.random() * 200);
  return () => lab.heal(elsewhere);
}

/** One failure and its repair; `look` while the standby carries. Throws an Error that says what did not happen. */
export async function runBaton(
  lab: NamespacesLab,
  bench: Pick<SwitchCase, 'fault'>,
  figures: Pick<SwitchFigures, 'outagesMs' | 'backMs' | 'tcpAlive'>,
  look?: () => Promise<void>,
): Promise<void> {
  await untilWell(lab);
  const unstir = await stir(lab);
  const struckAt = lab.now();
  await lab.inflict(bench.fault);
  try {
    await until('the switch', lab, SWITCH_WITHIN_MS, () => switchedTo(lab, 'eth1', struckAt));
    await sleep(TCP_SETTLES_MS);
    figures.outagesMs.push(outageSince(lab, struckAt));
    await look?.();
  } finally {
    if (lab.connections().every((connection) => connection.alive)) figures.tcpAlive++;
    await lab.heal(bench.fault);
    await unstir();
  }
  const healedAt = lab.now();
  await until('the switch back', lab, BACK_WITHIN_MS, () => switchedTo(lab, 'eth0', healedAt));
  await sleep(SETTLE_MS);
  figures.backMs.push(outageSince(lab, healedAt));
}

async function runLeast(lab: NamespacesLab, program: string, bench: SwitchCase, figures: SwitchFigures): Promise<void> {
  const namespace = lab.namespaceOf('alpha');
  const minimal = runMinimal(program, namespace, 'eth0', 'eth1', profiles[bench.timing].carrierPollMs);
  try {
    await minimal.ready;
    const unstir = await stir(lab);
    const struckAt = lab.now();
    await lab.inflict(bench.fault);
    await minimal.moved;
    await sleep(SETTLE_MS);
    figures.minimalMs.push(outageSince(lab, struckAt));
    await lab.heal(bench.fault);
    await unstir();
    await sleep(SETTLE_MS);
    await runMinimal(program, namespace, 'eth1', 'eth0', 'now').moved;
    await sleep(SETTLE_MS);
  } finally {
    minimal.end();
  }
}

/** `runs` times; where carrier is lost the minimal program has its turn after each, on its own copy of the network. */
export async function measureSwitch(
  bench: SwitchCase,
  runs: number,
  minimal: string,
  say: (line: string) => void,
): Promise<SwitchFigures> {
  const { failure, cards, timing, budgetMs } = bench;
  const figures: SwitchFigures = {
    ...{ failure, cards, timing, outagesMs: [], minimalMs: [], backMs: [], tcpAlive: 0, runs: 0, failures: [] },
    ...(budgetMs === undefined ? {} : { budgetMs }),
  };
  const labs: NamespacesLab[] = [];
  try {
    const baton = await raise(switchNetwork(cards, timing), true);
    labs.push(baton);
    const least = bench.fault.fault === 'cut' ? await raise(switchNetwork(cards, timing), false) : null;
    if (least) labs.push(least);
    for (let run = 1; run <= runs; run++) {
      figures.runs++;
      await runBaton(baton, bench, figures).catch((error: unknown) => blame(figures, run, 'baton', error));
      if (least)
        await runLeast(least, minimal, bench, figures).catch((error: unknown) => blame(figures, run, 'minimal', error));
      const last = figures.outagesMs.at(-1)?.toFixed(1) ?? 'none';
      say(`${failure}, ${cards}, ${timing}: run ${run} of ${runs}, outage ${last} ms`);
    }
  } catch (error) {
    blame(figures, figures.runs, 'lab', error);
  } finally {
    for (const lab of labs) await takeDown(lab);
  }
  return figures;
}

function blame(figures: SwitchFigures, run: number, who: string, error: unknown): void {
  figures.failures.push(`run ${run}, ${who}: ${error instanceof Error ? error.message : String(error)}`);
}
