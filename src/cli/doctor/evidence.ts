/** What `baton doctor` looks at on this host. Nothing is changed; what cannot be read is left out. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { DaemonStatus } from '../../client/document.js';
import type { Cluster, ClusterNode } from '../../config/cluster.js';
import { KeyError, readKeys } from '../../config/key.js';
import { diskFindings, type DiskFinding } from '../../daemon/disk-readiness.js';
import { lineFindings, type LineFinding } from '../../daemon/line-readiness.js';
import { fenceReadiness, type FenceFinding } from '../../daemon/fence-readiness.js';
import { observeHost, type HostNic } from '../../daemon/host.js';
import { SETTINGS } from '../../takeover/settings.js';

export interface Process {
  pid: number;
  name: string;
  args: string[];
}

export interface Evidence {
  cluster: Cluster;
  self: ClusterNode;
  host: HostNic[];
  /** Of the tools that commands and the lab call. */
  missingTools: string[];
  processes: Process[];
  /** Present values of the kernel's settings; null: no such file. */
  settings: { nic: string; role: 'primary' | 'standby'; name: string; value: string | null }[];
  /** NIC → `configured`, `unmanaged`, ... as systemd-networkd says. */
  networkd: Record<string, string>;
  /** NIC → `connected`, `unmanaged`, ... as NetworkManager says. */
  networkManager: Record<string, string>;
  /** Lines of /etc/network/interfaces and interfaces.d that name a NIC. */
  interfaces: { nic: string; line: string }[];
  /** Policy rules, nexthop objects, firewall rules and bound sockets that name a NIC. */
  naming: { nic: string; kind: 'rule' | 'nexthop' | 'firewall' | 'socket'; text: string }[];
  packetSockets: boolean;
  nftables: boolean;
  /** What is wrong with the key. */
  key: string | null;
  /** What is wrong with the arbiter's disks. */
  disks: DiskFinding[];
  /** What is wrong with the serial line. */
  line: LineFinding[];
  fencing: FenceFinding[];
  /** Those of the daemon's directories that take no more files; what is told of them follows their name. */
  directories: { name: 'run' | 'state'; problem: string }[];
  daemon: DaemonStatus | null;
}

export const TOOLS = { ip: 'iproute2', nft: 'nftables', ping: 'iputils-ping' } as const;

function hasTool(name: string): boolean {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Standard output, or nothing if the program is missing or fails. */
async function outputOf(program: string, args: string[]): Promise<string | null> {
  try {
    return (await promisify(execFile)(program, args, { maxBuffer: 1 << 26, timeout: 5000 })).stdout;
  } catch {
    return null;
  }
}

function processes(): Process[] {
  return list('/proc')
    .filter((it) => /^\d+$/.test(it))
    .flatMap((pid) => {
      const name = read(`/proc/${pid}/comm`)?.trim();
      const args = read(`/proc/${pid}/cmdline`)?.split('\0').filter(Boolean) ?? [];
      return name === undefined ? [] : [{ pid: Number(pid), name, args }];
    });
}

function settingsOf(self: ClusterNode): Evidence['settings'] {
  return nicsOf(self).flatMap(({ nic, role }) =>
    SETTINGS.filter((setting) => setting.role === 'both' || setting.role === role).map(({ name }) => ({
      nic,
      role,
      name,
      value: read(`/proc/sys/net/${name.replace('{nic}', nic)}`)?.trim() ?? null,
    })),
  );
}

export function nicsOf(self: ClusterNode): { nic: string; role: 'primary' | 'standby'; net: string }[] {
  return self.nets.flatMap(({ net, primary, standby }) => [
    { nic: primary, role: 'primary' as const, net },
    ...standby.map((nic) => ({ nic, role: 'standby' as const, net })),
  ]);
}

function networkd(host: readonly HostNic[]): Record<string, string> {
  const states: Record<string, string> = {};
  for (const { nic, ifindex } of host) {
    const state = /^ADMIN_STATE=(.*)$/m.exec(read(`/run/systemd/netif/links/${ifindex}`) ?? '')?.[1];
    if (state !== undefined) states[nic] = state;
  }
  return states;
}

async function networkManager(): Promise<Record<string, string>> {
  const lines = (await outputOf('nmcli', ['-t', '-f', 'DEVICE,STATE', 'device']))?.split('\n') ?? [];
  return Object.fromEntries(
    lines.flatMap((line) => (line.includes(':') ? [line.split(':', 2) as [string, string]] : [])),
  );
}

function interfaces(): Evidence['interfaces'] {
  const folder = '/etc/network/interfaces.d';
  const files = ['/etc/network/interfaces', ...list(folder).map((file) => join(folder, file))];
  return files.flatMap((file) =>
    (read(file) ?? '').split('\n').flatMap((raw) => {
      const line = raw.trim();
      const words = line.split(/\s+/);
      if (words[0] !== 'iface' && words[0] !== 'allow-hotplug') return [];
      const nics = words[0] === 'iface' ? words.slice(1, 2) : words.slice(1);
      return nics.map((nic) => ({ nic, line }));
    }),
  );
}

async function naming(nics: readonly string[]): Promise<Evidence['naming']> {
  const [rules4, rules6, nexthops, firewall, sockets] = await Promise.all([
    outputOf('ip', ['rule', 'show']),
    outputOf('ip', ['-6', 'rule', 'show']),
    outputOf('ip', ['nexthop', 'show']),
    outputOf('nft', ['list', 'ruleset']),
    outputOf('ss', ['-Htuna']),
  ]);
  const found: Evidence['naming'] = [];
  const seek = (
    kind: Evidence['naming'][number]['kind'],
    text: string | null,
    names: (nic: string) => string[],
  ): void => {
    for (const line of (text ?? '').split('\n')) {
      for (const nic of nics) {
        const shown = line.trim().replace(/\s+/g, ' ');
        if (names(nic).some((name) => ` ${shown} `.includes(name))) found.push({ nic, kind, text: shown });
      }
    }
  };
  seek('rule', rules4, (nic) => [` iif ${nic} `, ` oif ${nic} `]);
  seek('rule', rules6, (nic) => [` iif ${nic} `, ` oif ${nic} `]);
  seek('nexthop', nexthops, (nic) => [` dev ${nic} `]);
  seek('firewall', firewall, (nic) => [`"${nic}"`]);
  seek('socket', sockets, (nic) => [`%${nic}:`]);
  return found;
}

function diskProblems(cluster: Cluster): DiskFinding[] {
  try {
    return diskFindings(cluster, readKeys(cluster.key));
  } catch {
    // Without its key nobody can say whose they are, and the key is told by itself.
    return [];
  }
}

function keyProblem(path: string): string | null {
  try {
    readKeys(path);
    return null;
  } catch (error) {
    if (error instanceof KeyError) return error.message;
    throw error;
  }
}

/** Less than this, and the next file may not fit. */
const FREE_MIN_BYTES = 1024 * 1024;

/** A directory that is not there yet is no problem: batond makes it. Only root's view of it is batond's own. */
export function directoryProblem(path: string): string | null {
  if (process.getuid?.() !== 0 || !existsSync(path)) return null;
  try {
    accessSync(path, constants.W_OK);
    const { bavail, bsize } = statfsSync(path);
    const free = bavail * bsize;
    return free < FREE_MIN_BYTES ? `${path} is full (${Math.floor(free / 1024)} KiB left)` : null;
  } catch (error) {
    return `${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
}

/** Throws an Error when the NICs cannot be listed. */
export async function gather(
  cluster: Cluster,
  self: ClusterNode,
  daemon: DaemonStatus | null,
  directories: Record<'run' | 'state', string>,
): Promise<Evidence> {
  const host = await observeHost();
  return {
    cluster,
    self,
    host,
    missingTools: Object.keys(TOOLS).filter((tool) => !hasTool(tool)),
    processes: processes(),
    settings: settingsOf(self),
    networkd: networkd(host),
    networkManager: await networkManager(),
    interfaces: interfaces(),
    naming: await naming(nicsOf(self).map(({ nic }) => nic)),
    packetSockets: existsSync('/proc/net/packet'),
    // Only root may ask; what is not known is not told.
    nftables:
      process.getuid?.() !== 0 ||
      existsSync('/sys/module/nf_tables') ||
      (await outputOf('nft', ['list', 'tables'])) !== null,
    key: keyProblem(cluster.key),
    disks: diskProblems(cluster),
    line: lineFindings(self),
    fencing: (await fenceReadiness(cluster)).findings,
    directories: (['run', 'state'] as const).flatMap((name) => {
      const problem = directoryProblem(directories[name]);
      return problem === null ? [] : [{ name, problem }];
    }),
    daemon,
  };
}
