/** One node's batond as a real process in the node's namespace, and the blows at it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { Control } from '../../src/client/control.js';
import type { JournalLine } from '../../src/client/document.js';
import type { NodeStatus } from '../../src/status.js';
import { packageRoot } from '../../src/version.js';
import type { CommandResult } from '../lab.js';
import { attempt } from './shell.js';

/** An emulated processor wants more (BATON_LAB_PATIENCE=4: four times as long). */
const PATIENCE = Number(process.env['BATON_LAB_PATIENCE'] ?? 1);
const READY_WITHIN_MS = 30_000 * PATIENCE;
const END_WITHIN_MS = 15_000 * PATIENCE;
const ASK_EACH_MS = 25;
/** From SIGKILL to the end of the process, with room. */
const DYING_MS = 500;
/** `started` and the first look at the host: then its engine and its hands are at work. */
const FIRST_INPUTS = 2;
/** Name of the thread that changes the kernel's state (`comm` of its task). */
const HANDS = 'baton-hands';
const LOG_TAIL_LINES = 30;

export interface DaemonPlace {
  node: string;
  namespace: string;
  /** Folder of this node alone: `run`, `state` and `log` are made in it. */
  folder: string;
  config: string;
}

interface Running {
  child: ChildProcess;
  ended: Promise<void>;
  control: Control | null;
}

export class DaemonProcess {
  readonly #place: DaemonPlace;
  readonly #journal: JournalLine[] = [];
  readonly #seen = new Set<string>();
  #running: Running | null = null;
  #diskLost = false;

  constructor(place: DaemonPlace) {
    this.#place = place;
  }

  get journal(): readonly JournalLine[] {
    return this.#journal;
  }

  get running(): boolean {
    return this.#running !== null;
  }

  get stateDirectory(): string {
    return join(this.#place.folder, 'state');
  }

  /** Its state directory will be empty when it next starts. */
  loseDisk(): void {
    this.#diskLost = true;
  }

  /** What does not outlive a boot. */
  async emptyRunDirectory(): Promise<void> {
    await empty(join(this.#place.folder, 'run'));
  }

  /** What it has written to stdout and stderr, all runs. */
  log(): string {
    try {
      return readFileSync(join(this.#place.folder, 'log'), 'utf8');
    } catch {
      return '';
    }
  }

  /** Resolves when its control socket answers and it has looked at the host. Throws an Error with the end of its log when it ends before, or is not ready in time. */
  async start(): Promise<void> {
    const { node, namespace, folder, config } = this.#place;
    for (const name of ['run', 'state']) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    if (this.#diskLost) await empty(this.stateDirectory);
    this.#diskLost = false;
    const log = openSync(join(folder, 'log'), 'a');
    const daemon = [
      'daemon',
      '--node',
      node,
      '--config',
      config,
      '--run-dir',
      join(folder, 'run'),
      '--state-dir',
      join(folder, 'state'),
    ];
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, batonProgram(), ...daemon], {
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const running: Running = {
      child,
      control: null,
      ended: new Promise((resolve) => child.on('close', () => resolve()).on('error', () => resolve())),
    };
    this.#running = running;
    void running.ended.then(() => {
      running.control?.close();
      if (this.#running === running) this.#running = null;
    });
    await this.#untilReady(running);
  }

  async #untilReady(running: Running): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (this.#running === running) {
      try {
        const control = await Control.connect(join(this.#place.folder, 'run'));
        running.control = control;
        if ((await control.status()).inputs >= FIRST_INPUTS) {
          void this.#follow(control);
          return;
        }
        control.close();
      } catch {
        running.control?.close();
        running.control = null;
      }
      if (performance.now() > deadline)
        throw new Error(
          `${this.#place.node}: batond is not ready after ${READY_WITHIN_MS / 1000} s\n${this.#logTail()}`,
        );
      await sleep(ASK_EACH_MS);
    }
    throw new Error(`${this.#place.node}: batond ended at its start\n${this.#logTail()}`);
  }

  #logTail(): string {
    return this.log().trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  }

  /** A daemon tells its kept journal anew after each start; every line counts once. */
  async #follow(control: Control): Promise<void> {
    try {
      for await (const line of control.events({ follow: true })) {
        const text = JSON.stringify(line);
        if (this.#seen.has(text)) continue;
        this.#seen.add(text);
        this.#journal.push(line);
      }
    } catch {
      // The daemon ended; what it told is kept.
    }
  }

  /** Null while it does not answer. */
  async status(): Promise<NodeStatus | null> {
    try {
      return (await this.#running?.control?.status())?.status ?? null;
    } catch {
      return null;
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#running?.child.kill(signal);
  }

  /** Signals it and waits for its end. One that does not end in time is killed, and that is an error. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const running = this.#running;
    if (!running) return;
    running.child.kill(signal);
    const late = sleep(END_WITHIN_MS, 'late' as const, { ref: false });
    if ((await Promise.race([running.ended, late])) === 'late') {
      running.child.kill('SIGKILL');
      await running.ended;
      throw new Error(
        `${this.#place.node}: batond did not end within ${END_WITHIN_MS / 1000} s of ${signal}\n${this.#logTail()}`,
      );
    }
  }

  /**
   * Lets the hands be killed as they are about to send their n-th message to the kernel. Resolves when armed; the function it gives
   * disarms, and tells whether the daemon was killed. Throws an Error that says what is missing.
   */
  async killAt(n: number): Promise<() => Promise<boolean>> {
    const running = this.#running;
    if (!running?.child.pid) throw new Error(`${this.#place.node}: there is no batond to kill`);
    const task = taskNamed(running.child.pid, HANDS);
    if (task === null) throw new Error(`${this.#place.node}: batond has no thread named ${HANDS}`);
    const tracer = spawn(
      'strace',
      ['-p', String(task), '-e', 'trace=sendmsg', '-e', `inject=sendmsg:signal=SIGKILL:when=${n}`, '-o', '/dev/null'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const ended = new Promise<void>((resolve) => tracer.on('close', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      let said = '';
      tracer.on('error', () => reject(new Error('kill-at needs strace: apt-get install strace')));
      tracer.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('attached')) resolve();
      });
      void ended.then(() => reject(new Error(`strace: ${said.trim() || 'ended'}`)));
    });
    return async () => {
      tracer.kill('SIGINT');
      await ended;
      // A batond that was struck may still be on its way out, and its pipes close a little later.
      await Promise.race([running.ended, sleep(DYING_MS)]);
      return this.#running !== running;
    };
  }

  /** `baton` with these words, beside the daemon. */
  operate(words: readonly string[]): Promise<CommandResult> {
    const { namespace, folder, config } = this.#place;
    const env = {
      ...process.env,
      BATON_CONFIG: config,
      BATON_RUN_DIR: join(folder, 'run'),
      BATON_STATE_DIR: join(folder, 'state'),
    };
    return attempt('ip', ['netns', 'exec', namespace, process.execPath, batonProgram(), ...words], '', env);
  }
}

/** All that is in it; the folder itself may be a mount. */
async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    await rm(join(folder, name), { recursive: true, force: true });
}

function batonProgram(): string {
  return fileURLToPath(new URL('bin/baton.js', packageRoot()));
}

/** Thread id of the process's thread of that name, or null. */
function taskNamed(pid: number, name: string): number | null {
  const tasks = `/proc/${pid}/task`;
  const found = readdirSync(tasks).find((task) => readFileSync(`${tasks}/${task}/comm`, 'utf8').trim() === name);
  return found === undefined ? null : Number(found);
}
