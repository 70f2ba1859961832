/** What a daemon costs while nothing happens. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NamespacesLab } from '../../drivers/namespaces/lab.js';
import type { IdleFigures, Timing } from './figures.js';
import { idleNetwork } from './network.js';
import { standing, takeDown } from './outage.js';

const OVER_S = 20;
const UP_WITHIN_MS = 60_000;
const QUIET_WITHIN_MS = 180_000;
/** Idle is a daemon whose journal has said nothing for so long; by then V8 has compiled what runs, and its heap has shrunk. */
const QUIET_MS = 30_000;
/** USER_HZ, the unit of /proc/PID/stat (proc(5)); 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

export interface IdleCase {
  nics: number;
  nicsPerNet: number;
  nodes: number;
  timing: Timing;
  cpuBudgetPercent?: number;
  rssBudgetMb?: number;
}

export const IDLE_CASES: readonly IdleCase[] = [
  { nics: 4, nicsPerNet: 2, nodes: 3, timing: 'default', cpuBudgetPercent: 1.5, rssBudgetMb: 110 },
  { nics: 4, nicsPerNet: 2, nodes: 3, timing: 'fast', cpuBudgetPercent: 5, rssBudgetMb: 110 },
  { nics: 100, nicsPerNet: 4, nodes: 1, timing: 'default' },
  { nics: 1000, nicsPerNet: 4, nodes: 1, timing: 'default', cpuBudgetPercent: 15 },
];

/** The daemon among the processes of that namespace. */
function daemonIn(namespace: string): number {
  const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
  const pid = stdout.split('\n').find((text) => {
    if (text === '') return false;
    const words = readFileSync(`/proc/${text}/cmdline`, 'utf8').split('\0');
    return words.some((word) => word.endsWith('baton.js')) && words.includes('daemon');
  });
  if (pid === undefined) throw new Error(`no daemon runs in ${namespace}`);
  return Number(pid);
}

/** User and system time of the whole process, seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

export function rssMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) / 1024;
}

async function untilUp(lab: NamespacesLab, nics: number): Promise<void> {
  const deadline = lab.now() + UP_WITHIN_MS;
  for (;;) {
    const status = await lab.status('alpha');
    const up = status?.nics.filter((nic) => nic.health === 'up').length ?? 0;
    const busy = status?.nets.filter((net) => net.polling === 'full').length ?? 0;
    if (up === nics && busy === 0) return;
    if (lab.now() > deadline) throw new Error(`${up} of ${nics} NICs are up, ${busy} nets poll fully`);
    await sleep(500);
  }
}

async function untilQuiet(lab: NamespacesLab): Promise<void> {
  const deadline = lab.now() + QUIET_WITHIN_MS;
  for (let told = -1; told !== lab.journal().length; await sleep(QUIET_MS)) {
    told = lab.journal().length;
    if (lab.now() > deadline) throw new Error(`the journal is not quiet after ${QUIET_WITHIN_MS / 1000} s`);
  }
}

/** CPU and memory of alpha's daemon over `OVER_S` seconds. */
export async function measureIdle(bench: IdleCase, say: (line: string) => void): Promise<IdleFigures> {
  const { nics, nicsPerNet, nodes, timing, cpuBudgetPercent, rssBudgetMb } = bench;
  const figures: IdleFigures = {
    ...{ nics, nodes, timing, cpuPercent: NaN, rssMb: NaN, overS: OVER_S },
    ...(cpuBudgetPercent === undefined ? {} : { cpuBudgetPercent }),
    ...(rssBudgetMb === undefined ? {} : { rssBudgetMb }),
  };
  const lab = new NamespacesLab();
  standing.add(lab);
  try {
    const scenario = idleNetwork(nics, nicsPerNet, nodes, timing);
    await lab.build(scenario);
    say(`idle, ${nics} NICs, ${timing}: built`);
    for (const node of Object.keys(scenario.topology.nodes)) await lab.startDaemon(node);
    lab.begin();
    await untilUp(lab, nics);
    await untilQuiet(lab);
    const pid = daemonIn(lab.namespaceOf('alpha'));
    const before = { cpu: cpuSeconds(pid), at: performance.now() };
    await sleep(OVER_S * 1000);
    const passedS = (performance.now() - before.at) / 1000;
    figures.cpuPercent = ((cpuSeconds(pid) - before.cpu) / passedS) * 100;
    figures.rssMb = rssMb(pid);
    say(`idle, ${nics} NICs, ${timing}: ${figures.cpuPercent.toFixed(2)} % of a core`);
  } catch (error) {
    figures.failure = error instanceof Error ? error.message : String(error);
    say(`idle, ${nics} NICs, ${timing}: ${figures.failure}`);
  } finally {
    await takeDown(lab);
  }
  return figures;
}
