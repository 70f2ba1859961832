/** A program in TypeScript or JavaScript that runs in a namespace until it is ended, and talks with the test by messages. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './inside.js';

const loader = fileURLToPath(new URL('typescript.js', import.meta.url));

export class Process<In, Out> {
  readonly #child: ChildProcess;
  readonly #said: Out[] = [];
  #awake: () => void = () => undefined;
  #printed = '';
  #ended: Promise<void>;
  #isOver = false;

  constructor(namespace: Namespace, program: URL, ...args: string[]) {
    const file = fileURLToPath(program);
    const node = [process.execPath, ...(file.endsWith('.ts') ? ['--import', loader] : []), file, ...args];
    this.#child = spawn('ip', ['netns', 'exec', namespace.name, ...node], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => (this.#printed += String(chunk)));
    this.#child.on('message', (message) => {
      this.#said.push(message as Out);
      this.#awake();
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', () => {
        this.#isOver = true;
        this.#awake();
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  send(message: In): void {
    this.#child.send(message as never);
  }

  /** Takes what was said up to the first that is wanted, and returns that. Rejects when the process ends, or says nothing of it in time. */
  async next<T extends Out = Out>(
    isWanted: ((said: Out) => said is T) | ((said: Out) => boolean),
    ms = 60_000,
  ): Promise<T> {
    for (const deadline = performance.now() + ms; ;) {
      for (let said = this.#said.shift(); said !== undefined; said = this.#said.shift())
        if (isWanted(said)) return said as T;
      if (this.#isOver) throw new Error(`the process ended\n${this.#printed}`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`not said within ${ms} ms\n${this.#printed}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#awake = () => (clearTimeout(timer), resolve());
      });
    }
  }

  /** All that was said since. */
  heard(): Out[] {
    return this.#said.splice(0);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
