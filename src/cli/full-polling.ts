/** One window in which every NIC speaks, and what it showed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Control } from '../client/control.js';
import type { DaemonStatus } from '../client/document.js';
import type { Cluster } from '../config/cluster.js';
import type { Ms } from '../input.js';
import { matrices, type Matrix } from './output/links-text.js';

/** Window of the default timing, where the cluster file cannot be read. */
const WINDOW_MS = 600;
/** A frame of the window's begin is this much older when the answer comes. */
const SLACK_MS: Ms = 100;

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
  const windowMs = cluster ? cluster.timing.pollMs * cluster.timing.pollMisses : WINDOW_MS;
  await control.ask({ ask: 'poll-now', ...(net === undefined ? {} : { net }) });
  await sleep(windowMs);
  const daemon = await control.status();
  const all = matrices(daemon, windowMs + SLACK_MS, nicsByNet(cluster), hintsOf(cluster));
  return { daemon, matrices: all.filter((matrix) => net === undefined || matrix.net === net) };
}
