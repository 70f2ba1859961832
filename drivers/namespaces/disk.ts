/** A node's state directory on a small disk of its own, so that it can really be full. */
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, run } from './shell.js';

const SIZE = '256k';
const FILLER = 'filler';
/** What a tmpfs gives away at once. */
const PAGE = 4096;

/** Before the daemon starts: a namespace made later looks at it too. */
export async function mountDisk(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'baton-drill', directory]);
}

/** Takes all that is left of it. */
export async function fillDisk(directory: string): Promise<() => Promise<void>> {
  const file = join(directory, FILLER);
  try {
    for (;;) await appendFile(file, Buffer.alloc(PAGE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
  return () => rm(file, { force: true });
}

/** Unmounts all that is mounted below the folder. */
export async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`))) await attempt('umount', ['-l', mount]);
}
