/**
 * Names of a lab's namespaces, and the removal of what killed labs left behind.
 *
 *     bt4711-c0ffee-2-alpha
 *       │    │    │  └ what it stands for
 *       │    │    └ counts the labs of this process
 *       │    └ when the process started, in clock ticks (base 36): a reused process id is another owner
 *       └ process id of the owner
 */
import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unmountBelow } from './disk.js';
import { attempt } from './shell.js';

const NAME = /^bt(\d+)-([0-9a-z]+)-\d+(?:-[a-z0-9]+)?$/;

/** Field 22 of /proc/PID/stat (proc(5)); null when there is no such process. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return Number(ticks).toString(36);
  } catch {
    return null;
  }
}

let labs = 0;

/** What all names of one lab begin with. */
export function nextPrefix(): string {
  return `bt${process.pid}-${startOf(process.pid) ?? '0'}-${labs++}`;
}

/** Is it the name of something whose lab is gone? Names that no lab gives are nobody's business. */
export function isLeftover(name: string): boolean {
  const match = NAME.exec(name);
  return match !== null && startOf(Number(match[1])) !== match[2];
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Ends what still runs in that namespace and removes it. */
export async function removeNamespace(name: string): Promise<void> {
  const { stdout } = await attempt('ip', ['netns', 'pids', name]);
  for (const pid of stdout.split(/\s+/).filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  await attempt('ip', ['netns', 'del', name]);
}

export async function namespacesOf(prefix: string): Promise<string[]> {
  return (await namesIn('/run/netns')).filter((name) => name.startsWith(`${prefix}-`));
}

export function folderOf(prefix: string): string {
  return join(tmpdir(), prefix);
}

/** Of commands that daemons run: unlike the other folder it lies where only root may write, all the way. */
export function fenceFolderOf(prefix: string): string {
  return join('/run', prefix);
}

/** Removes namespaces and folders of labs whose process is gone; tells the names. */
export async function clearLeftovers(): Promise<string[]> {
  const namespaces = (await namesIn('/run/netns')).filter(isLeftover);
  const folders = (await namesIn(tmpdir())).filter(isLeftover);
  for (const name of namespaces) await removeNamespace(name);
  for (const name of folders) await unmountBelow(join(tmpdir(), name));
  for (const name of folders) await rm(join(tmpdir(), name), { recursive: true, force: true });
  const commands = (await namesIn('/run')).filter(isLeftover);
  for (const name of commands) await rm(fenceFolderOf(name), { recursive: true, force: true });
  return [...namespaces, ...folders, ...commands];
}
