/**
 * Network namespaces for tests, and functions called inside them.
 *
 *   const ns = new Namespace('sock', 'a');
 *   const names = await ns.call<string[]>(new URL('./inside/socket.ts', import.meta.url), 'listNics', 'eth0');
 *
 * The function runs in a process of its own within the namespace; its arguments and value travel as JSON.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const asRoot = process.getuid?.() === 0;

const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export class Namespace {
  readonly name: string;

  /** `bt-<test>-<pid>-<which>`; what killed runs of the same test left is removed first. */
  constructor(test: string, which: string) {
    sweep(test);
    this.name = `bt-${test}-${process.pid}-${which}`;
    ip('netns', 'add', this.name);
    this.ip('link set lo up');
  }

  /** `ns.ip('link add eth0 type veth peer name eth1')`; returns what it prints. */
  ip(line: string): string {
    return ip('-n', this.name, ...line.split(' '));
  }

  /** A program of the system, inside. */
  run(program: string, ...args: string[]): string {
    return ip('netns', 'exec', this.name, program, ...args);
  }

  /** Calls the exported function of a TypeScript module; rejects with its error and what it printed. */
  call<T>(module: URL, name: string, ...args: unknown[]): Promise<T> {
    const node = [process.execPath, '--enable-source-maps', '--import', beside('typescript.js')];
    const child = spawn(
      'ip',
      ['netns', 'exec', this.name, ...node, beside('inside-call.ts'), module.href, name, JSON.stringify(args)],
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization: 'json' },
    );
    let printed = '';
    let value: { is: T } | undefined;
    child.stdout?.on('data', (chunk) => (printed += String(chunk)));
    child.stderr?.on('data', (chunk) => (printed += String(chunk)));
    child.on('message', (message) => (value = { is: message as T }));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (value !== undefined) resolve(value.is);
        else reject(new Error(`${name} inside ${this.name} ended with ${signal ?? code}\n${printed}`));
      });
    });
  }

  /** Throws when it is still there afterwards. */
  remove(): void {
    try {
      ip('netns', 'del', this.name);
    } catch (error) {
      if (existsSync(`/run/netns/${this.name}`)) throw error;
    }
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

function sweep(test: string): void {
  let names: string[];
  try {
    names = readdirSync('/run/netns');
  } catch {
    return;
  }
  for (const name of names) {
    const pid = new RegExp(`^bt-${test}-(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) ip('netns', 'del', name);
  }
}
