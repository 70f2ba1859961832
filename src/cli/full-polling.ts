/** One window in which every NIC speaks, and what it showed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Control } from '../client/control.js';
import type { DaemonStatus } from '../client/document.js';
import type { Cluster } from '../config/cluster.js';
import type { Ms } from '../input.js';
import { matrices, type Matrix } from './output/links-text.js';

/** Of the default timing, where the cluster file cannot be read. */
const POLL_MS: Ms = 200;
/** An asked full polling lasts two polls; after one and a half its window is full and it still goes on. */
const POLLS_WAITED = 1.5;

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
  const pollMs = cluster ? cluster.timing.pollMs : POLL_MS;
  await control.ask({ ask: 'poll-now', ...(net === undefined ? {} : { net }) });
  await sleep(POLLS_WAITED * pollMs);
  const daemon = await control.status();
  const all = matrices(daemon, nicsByNet(cluster), hintsOf(cluster));
  return { daemon, matrices: all.filter((matrix) => net === undefined || matrix.net === net) };
}
