/** Runs the programs that build and break a namespace lab: `ip`, `nft`, `cc`. */
import { spawn, type ChildProcess } from 'node:child_process';

/** A program ended with another code than 0, or is not there. The message holds its command line and what it said. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  constructor(
    command: string,
    readonly code: number,
    readonly stdout: string,
    readonly stderr: string,
  ) {
    super(`${command}: ${stderr.trim() || stdout.trim() || `exit code ${code}`}`);
  }
}

const SAID_KEPT = 4000;

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs to the end, whatever the code. A program that does not exist ends with 127. */
export function attempt(command: string, args: readonly string[], input = '', env?: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'pipe', ...(env ? { env } : {}) });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => {});
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: `${command}: ${error.message}` }));
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 128, stdout, stderr: signal ? `${stderr}ended by ${signal}` : stderr }),
    );
    child.stdin.end(input);
  });
}

/** Its stdout. Throws CommandFailed. */
export async function run(command: string, args: readonly string[], input = ''): Promise<string> {
  const ended = await attempt(command, args, input);
  if (ended.code !== 0) throw new CommandFailed([command, ...args].join(' '), ended.code, ended.stdout, ended.stderr);
  return ended.stdout;
}

/** Lines as for `ip`, all in one process; in the host's own namespace when `namespace` is undefined. Throws CommandFailed at the first that fails. */
export async function ip(namespace: string | undefined, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await run('ip', [...(namespace ? ['-n', namespace] : []), '-batch', '-'], lines.join('\n') + '\n');
}

/** One question to `ip -j`, answered as JSON. */
export async function ipAsk<T>(namespace: string, words: readonly string[]): Promise<T[]> {
  const text = await run('ip', ['-n', namespace, '-j', ...words]);
  return text.trim() === '' ? [] : (JSON.parse(text) as T[]);
}

/** Writes files below /proc/sys of that namespace: `net/ipv6/conf/all/disable_ipv6` → value. */
export async function setSysctls(namespace: string, values: Readonly<Record<string, string | number>>): Promise<void> {
  const script = Object.entries(values).map(([name, value]) => `echo ${value} > /proc/sys/${name}`);
  if (script.length > 0) await run('ip', ['netns', 'exec', namespace, 'sh', '-ec', script.join('\n')]);
}

/** Rules for the netfilter tables of that namespace. */
export async function nft(namespace: string, rules: string): Promise<void> {
  await run('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], rules);
}

/** A program that runs beside the lab until it is stopped, with all that it started. */
export class Background {
  readonly #child: ChildProcess;
  readonly ended: Promise<void>;
  #said = '';

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    this.ended = new Promise((resolve) => this.#child.on('close', () => resolve()).on('error', () => resolve()));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-SAID_KEPT);
    });
  }

  /** The end of what it said on stderr. */
  get said(): string {
    return this.#said.trim();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** To it and all that it started. */
  signal(signal: NodeJS.Signals): void {
    if (!this.runs || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }

  async stop(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}
