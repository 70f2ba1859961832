/**
 * Can the cards of a net with `mac: follow` take another MAC? Tried without harm: a card in service is left alone, for a new
 * MAC makes the kernel forget its neighbours; a standby is given the MAC that it has, which tells a driver that takes none;
 * one that is set down is given its spare one, and its own again, which tells also what a hypervisor or firmware refuses.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Cluster, ClusterNode } from '../config/cluster.js';
import { spareMac } from '../frame/mac.js';
import type { HostNic } from './host.js';

export interface MacFinding {
  nic: string;
  net: string;
  what: 'mac-fixed' | 'mac-untried';
  severity: 'error' | 'warning';
  text: string;
  fix: string;
}

/** Runs `ip` with these words. Throws an Error, with what the kernel said at the end of its message. */
export type RunIp = (words: readonly string[]) => Promise<unknown>;

const runIp: RunIp = (words) => promisify(execFile)('ip', [...words]);

/** Of the NICs of `host` that the nets with `mac: follow` name; a missing one is told elsewhere. */
export async function macFindings(
  cluster: Cluster,
  self: ClusterNode,
  host: readonly HostNic[],
  ip: RunIp = runIp,
): Promise<MacFinding[]> {
  const found: MacFinding[] = [];
  for (const { net, primary, standby } of self.nets) {
    if (cluster.nets.find(({ name }) => name === net)?.mac !== 'follow') continue;
    for (const name of [primary, ...standby]) {
      const nic = host.find((it) => it.nic === name);
      if (nic === undefined || isInService(nic)) continue;
      const said = await refusal(nic, ip);
      if (said !== null) found.push(findingOf(name, net, said));
    }
  }
  return found;
}

function isInService({ admin, addresses }: HostNic): boolean {
  return admin && addresses.some(({ linkLocal }) => !linkLocal);
}

/** What the kernel said; null: nothing against it. */
async function refusal({ nic, mac, admin }: HostNic, ip: RunIp): Promise<string | null> {
  const set = (address: string): Promise<unknown> => ip(['link', 'set', 'dev', nic, 'address', address]);
  try {
    if (admin) await set(mac);
    else {
      await set(spareMac(mac));
      await set(mac);
    }
    return null;
  } catch (error) {
    const said = (error as Error).message.trim().split('\n').at(-1) ?? '';
    // Of one that is up: it takes a new one while it is down, as a switch does it then.
    return /busy/i.test(said) ? null : said.replace(/^RTNETLINK answers: /, '');
  }
}

function findingOf(nic: string, net: string, said: string): MacFinding {
  if (/not permitted|permission/i.test(said))
    return {
      ...{ nic, net, what: 'mac-untried', severity: 'warning' },
      text: `whether ${nic} takes the MAC of net ${net} could not be tried: ${said}`,
      fix: 'run this as root',
    };
  return {
    ...{ nic, net, what: 'mac-fixed', severity: 'error' },
    text: `net ${net} says mac: follow, and ${nic} takes no other MAC: ${said}`,
    fix: `leave mac: follow out of net ${net}, or name another card`,
  };
}
