/** How often an address moves although nothing failed: idle, and while every core is wanted by others. And what waiting costs. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../drivers/lab.js';
import type { Fault } from '../../src/drill/scenario.js';
import { cpuSeconds, rssMb } from './idle.js';
import type { TakeoverTiming } from './network.js';
import { floatingAddresses } from './network.js';
import { contenderOf, untilWell } from './takeover.js';

const LOOK_EACH_MS = 20;
const STRESS: Fault = { fault: 'cpu-busy', processes: 4 };

export interface SteadinessFigures {
  program: 'baton' | 'keepalived';
  timing: string;
  idleS: number;
  idleMoves: number;
  stressS: number;
  stressMoves: number;
  /** Of one node's processes together, idle. */
  cpuPercent: number;
  rssMb: number;
  twoHoldersMs: number;
  failure?: string;
}

/** Processes of a program in a namespace: those whose command line names it. */
function processesOf(namespace: string, program: 'baton' | 'keepalived'): number[] {
  const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .filter((pid) => {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return program === 'baton'
        ? words.includes('daemon') && words.some((word) => word.endsWith('baton.js'))
        : words[0]!.endsWith('keepalived');
    });
}

/** How often another node answered than before, for so long. */
async function movesDuring(lab: Lab, seconds: number): Promise<number> {
  const [address] = floatingAddresses(1) as [string];
  const until = lab.now() + seconds * 1000;
  let last = lab.holder(address);
  let moves = 0;
  for (; lab.now() < until; await sleep(LOOK_EACH_MS)) {
    const holder = lab.holder(address);
    if (holder !== null && holder !== last) {
      moves++;
      last = holder;
    }
  }
  return moves;
}

export async function measureSteadiness(
  program: 'baton' | 'keepalived',
  timing: TakeoverTiming,
  idleS: number,
  stressS: number,
  say: (line: string) => void,
): Promise<SteadinessFigures> {
  const figures: SteadinessFigures = {
    ...{ program, timing: timing.name, idleS, stressS },
    ...{ idleMoves: NaN, stressMoves: NaN, cpuPercent: NaN, rssMb: NaN, twoHoldersMs: NaN },
  };
  const contender = await contenderOf(program, timing, 1);
  try {
    const { lab } = contender;
    await untilWell(lab, floatingAddresses(1));
    const pids = processesOf(lab.namespaceOf('beta'), program);
    const cpu = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const before = { cpu: cpu(), at: performance.now() };
    figures.idleMoves = await movesDuring(lab, idleS);
    figures.cpuPercent = ((cpu() - before.cpu) / ((performance.now() - before.at) / 1000)) * 100;
    figures.rssMb = pids.reduce((sum, pid) => sum + rssMb(pid), 0);
    await lab.inflict(STRESS);
    figures.stressMoves = await movesDuring(lab, stressS);
    await lab.heal(STRESS);
    figures.twoHoldersMs = lab.overlaps().reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  } catch (error) {
    figures.failure = error instanceof Error ? error.message : String(error);
  } finally {
    await contender.down();
  }
  const moves = `${figures.idleMoves} moves idle, ${figures.stressMoves} under stress`;
  say(`${program}, ${timing.name}: ${figures.failure ?? moves}`);
  return figures;
}
