/** Hands and eyes of what runs inside a namespace. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** `ip('link set eth0 up')`, in the namespace of this process unless it says `-n`. */
export const ip = (line: string): string => execFileSync('ip', line.split(' '), { encoding: 'utf8' });

export const indexOf = (nic: string): number => Number(readFileSync(`/sys/class/net/${nic}/ifindex`, 'utf8'));

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves as soon as it is so, or with false when it was not for so long. */
export async function until(isSo: () => boolean, ms = 3000): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(2)) if (isSo()) return true;
  return isSo();
}
