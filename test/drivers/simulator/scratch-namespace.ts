/** A network namespace of one test file and process, and the removal of those that killed runs left behind. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The name for this process, `bt-facts-4711`. */
export function scratchName(kind: string): string {
  return `bt-${kind}-${process.pid}`;
}

export function removeScratch(kind: string): void {
  spawnSync('ip', ['netns', 'delete', scratchName(kind)]);
}

/** Makes it anew, and removes those of the same kind whose process is no more. */
export function makeScratch(kind: string): void {
  const shown = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  for (const [name, pid] of shown.matchAll(new RegExp(`^bt-${kind}-(\\d+)`, 'gm')))
    if (!existsSync(`/proc/${pid!}`)) spawnSync('ip', ['netns', 'delete', name]);
  removeScratch(kind);
  execFileSync('ip', ['netns', 'add', scratchName(kind)]);
}
