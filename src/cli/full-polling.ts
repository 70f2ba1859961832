/** One window in which every NIC speaks, and what it showed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Control } from '../client/control.js';
import type { DaemonStatus } from '../client/document.js';
import type { Cluster, Timing } from '../config/cluster.js';
import { profiles } from '../config/timing.js';
import type { Ms } from '../input.js';
import type { OperatorRequest } from '../status.js';
import { matrices, type Matrix } from './output/links-text.js';

/** A window of full polls (four times the rate of light ones) and one more for frames on their way. */
function windowMs({ pollMs, pollMisses }: Timing): Ms {
  return ((pollMisses + 1) * pollMs) / 4;
}

function nicsByNet(cluster: Cluster | null): Record<string, string[]> {
  const known: Record<string, string[]> = {};
  for (const node of cluster?.nodes ?? []) {
    for (const { net, primary, standby } of node.nets) {
      (known[net] ??= []).push(...[primary, ...standby].map((nic) => `${node.name}/${nic}`));
    }
  }
  return known;
}

function hintsOf(cluster: Cluster | null): Record<string, string[]> {
  const switches = Object.entries(cluster?.switches ?? {});
  return Object.fromEntries(switches.map(([name, ports]) => [name, ports.map((port) => port.replace('.', '/'))]));
}

/** Without the cluster file, NICs that nobody ever heard have no row. `net` absent: all nets. */
export async function hearingNow(
  control: Control,
  cluster: Cluster | null,
  net?: string,
): Promise<{ daemon: DaemonStatus; matrices: Matrix[] }> {
  const request: OperatorRequest = { ask: 'poll-now', ...(net === undefined ? {} : { net }) };
  await control.ask(request);
  await sleep(windowMs(cluster?.timing ?? profiles.default));
  // Asked again, so that it still goes on while the answer is read.
  await control.ask(request);
  const daemon = await control.status();
  const all = matrices(daemon, nicsByNet(cluster), hintsOf(cluster));
  return { daemon, matrices: all.filter((matrix) => net === undefined || matrix.net === net) };
}
