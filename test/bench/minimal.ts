/** Compiles and runs `minimal.c`, the least that a local switch can be. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/version.js';
import { ADDRESS, GATEWAY, PREFIX_LENGTH } from './network.js';

/** Path of the program, in `folder`. Throws an Error with what the compiler said. */
export function compileMinimal(folder: string): string {
  const program = join(folder, 'minimal');
  const source = fileURLToPath(new URL('test/bench/minimal.c', packageRoot()));
  const { status, stderr } = spawnSync('cc', ['-O2', '-Wall', '-o', program, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`minimal.c does not compile: ${stderr}`);
  return program;
}

export interface MinimalRun {
  /** It watches the NIC. */
  ready: Promise<void>;
  /** It has moved the address. */
  moved: Promise<void>;
  end(): void;
}

/** Moves the address from one NIC to the other when the carrier of the first changes, or at once. */
export function runMinimal(
  program: string,
  namespace: string,
  from: string,
  to: string,
  when: number | 'now',
): MinimalRun {
  const words = [from, to, `${ADDRESS}/${PREFIX_LENGTH}`, GATEWAY, String(when)];
  const child = spawn('ip', ['netns', 'exec', namespace, program, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  let blamed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (blamed += text));
  const hears = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => (told.includes(word) ? resolve() : undefined);
      child.stdout.on('data', look);
      child.on('error', reject);
      child.on('close', () => (told.includes(word) ? resolve() : reject(new Error(`minimal: ${blamed || 'ended'}`))));
    });
  const run = { ready: hears('ready'), moved: hears('moved'), end: () => void child.kill('SIGKILL') };
  // Whoever waits for neither must not be ended by the other's failure.
  run.ready.catch(() => {});
  run.moved.catch(() => {});
  return run;
}
