/**
 * What must be right before batond starts: privileges, cluster file, key, directories, no other daemon, NICs that it
 * can work with. A card that is missing or a standby in bad shape is no reason to stay down: status shows that.
 */
import { accessSync, constants, mkdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ClusterFileText } from '../client/document.js';
import { SOCKET_NAME } from '../client/protocol.js';
import type { Cluster, ClusterNode } from '../config/cluster.js';
import { KeyError, readKeys } from '../config/key.js';
import { readServedFile } from '../config/parse.js';
import { ClusterFileError, unknownWord } from '../config/problem.js';
import type { DaemonOptions } from './batond.js';
import { arbiterWarnings } from './arbiter-readiness.js';
import { observeHost } from './host.js';
import { hostFindings, type HostFinding } from './host-findings.js';

/** Why batond does not start, in a line or two that say what to do; `exitCode` as in DESIGN 12. */
export class Unready extends Error {
  override readonly name = 'Unready';
  constructor(
    message: string,
    readonly exitCode: 1 | 2,
  ) {
    super(message);
  }
}

export interface Ready {
  cluster: Cluster;
  file: ClusterFileText;
  node: string;
  /** The newest last. */
  keys: Uint8Array[];
  /** Group that may use the control socket. */
  gid?: number;
  /** For the log: the daemon starts all the same. */
  warnings: string[];
}

/** Throws Unready. */
export async function preflight(options: DaemonOptions): Promise<Ready> {
  const { cluster, file, keys } = readFiles(options.config);
  const self = selfOf(cluster, options.node);
  checkPrivileges();
  prepareDirectory('run', options.runDir, '--run-dir');
  prepareDirectory('state', options.stateDir, '--state-dir');
  await checkNoOther(options.runDir);
  const warnings = [...arbiterWarnings(cluster), ...(await checkNics(cluster, self))];
  const ready: Ready = { cluster, file, node: self.name, keys, warnings };
  if (cluster.group !== undefined) ready.gid = gidOf(cluster.group);
  return ready;
}

function readFiles(config: string): Pick<Ready, 'cluster' | 'file' | 'keys'> {
  try {
    const { cluster, text } = readServedFile(config);
    return { cluster, file: { path: config, text }, keys: readKeys(cluster.key) };
  } catch (error) {
    if (error instanceof ClusterFileError || error instanceof KeyError) throw new Unready(error.message, 2);
    throw error;
  }
}

/** Which node of the file this host is: the one named, else the one called like the host (its first label will do). */
export function selfOf(cluster: Cluster, named: string | undefined, host: string = hostname()): ClusterNode {
  const names = cluster.nodes.map(({ name }) => name);
  const wanted = named === undefined ? [host, host.split('.')[0] ?? host] : [named];
  const self = cluster.nodes.find(({ name }) => wanted.includes(name));
  if (self) return self;
  if (named !== undefined) throw new Unready(unknownWord('node', named, names), 2);
  throw new Unready(
    `this host is called ${host}, which is no node of the cluster file\nsay which one it is: --node ${names.join('|')}`,
    2,
  );
}

/** Bits of capability(7). */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 };

function checkPrivileges(): void {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const held = BigInt(`0x${effective}`);
  const lacking = Object.entries(CAPABILITIES).filter(([, bit]) => ((held >> BigInt(bit)) & 1n) === 0n);
  if (lacking.length === 0) return;
  const names = lacking.map(([name]) => name).join(' and ');
  throw new Unready(`batond needs ${names}\nrun it as root, or give the service those capabilities`, 1);
}

const WHY: Record<string, string> = {
  ENOENT: 'it is not there and cannot be made',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it is not a directory',
  ENOSPC: 'the disk is full',
};

function prepareDirectory(what: 'run' | 'state', path: string, flag: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Unready(
      `the ${what} directory ${path} cannot be used: ${WHY[code] ?? code}\nmend it, or name another with ${flag}`,
      1,
    );
  }
  const { mode, uid } = statSync(path);
  if (uid !== 0 && uid !== process.geteuid?.()) {
    throw new Unready(`the ${what} directory ${path} belongs to user ${uid}; do: chown root: ${path}`, 1);
  }
  if ((mode & 0o002) !== 0)
    throw new Unready(`the ${what} directory ${path} may be written by everybody; do: chmod 0755 ${path}`, 1);
}

/** A socket file without a listener is what a dead daemon left: it is replaced. */
async function checkNoOther(runDir: string): Promise<void> {
  const path = join(runDir, SOCKET_NAME);
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
  if (answers)
    throw new Unready(`another batond answers on ${path}\nstop it first, or name another directory with --run-dir`, 1);
}

/** With one of these a switch goes wrong; the daemon stays out of it. The others show in status. */
const FATAL: readonly HostFinding['what'][] = ['wrong-node', 'port', 'dhcp', 'not-ethernet', 'link-type'];

async function checkNics(cluster: Cluster, self: ClusterNode): Promise<string[]> {
  let host;
  try {
    host = await observeHost();
  } catch (error) {
    return [`NICs not checked: ${(error as Error).message}`];
  }
  const found = hostFindings(cluster, self, host);
  const fatal = found.filter(({ what }) => FATAL.includes(what));
  if (fatal.length > 0) throw new Unready(fatal.map(({ text, fix }) => `${text}; ${fix}`).join('\n'), 2);
  const names = self.nets.flatMap(({ primary, standby }) => [primary, ...standby]);
  const missing = found.filter(({ what }) => what === 'missing');
  if (missing.length === names.length)
    throw new Unready(`no NIC of node ${self.name} exists: ${missing[0]!.text}; ${missing[0]!.fix}`, 2);
  return found.map(({ text, fix }) => `${text}; ${fix}`);
}

function gidOf(group: string): number {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((it) => it.startsWith(`${group}:`));
  const gid = Number(line?.split(':')[2]);
  if (line === undefined || !Number.isInteger(gid)) {
    throw new Unready(`group: there is no group ${group} on this host; do: groupadd ${group}`, 2);
  }
  return gid;
}
