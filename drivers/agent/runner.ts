/**
 * Runs programs for the machine (DESIGN 13): root's alone, no shell, nothing of this process's environment, a process
 * group of its own that is killed when the time is over, and a bounded output. Whatever happens, each run ends with one
 * `agent-exited`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Ms } from '../../src/input.js';
import type { AgentOutcome } from '../../src/input.js';
import type { AgentInput, RunAgent } from './agent-port.js';
import { distrust } from './trust.js';

/** Where programs that a script calls are looked for. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Output that is still in the pipe when the program has ended is waited for so long: a child that lives on may keep it open. */
const DRAIN_MS: Ms = 50;
const MASK = '***';

interface Run {
  child: ChildProcess | null;
  /** Why it was ended before it ended itself. */
  cut: AgentOutcome | null;
}

export class AgentRunner {
  readonly #runs = new Map<string, Run>();
  readonly #exited: (input: AgentInput) => void;

  constructor(exited: (input: AgentInput) => void) {
    this.#exited = exited;
  }

  run(action: RunAgent): void {
    const run: Run = { child: null, cut: null };
    this.#runs.set(action.id, run);
    void this.#perform(action, run).then(({ outcome, output, tookMs }) => {
      if (this.#runs.get(action.id) === run) this.#runs.delete(action.id);
      this.#exited({ kind: 'agent-exited', id: action.id, outcome, output, tookMs });
    });
  }

  /** Unknown ones are over. */
  end(id: string): void {
    const run = this.#runs.get(id);
    if (run) cut(run, { how: 'ended' });
  }

  /** All that still run are killed. */
  close(): void {
    for (const run of this.#runs.values()) cut(run, { how: 'ended' });
  }

  async #perform(action: RunAgent, run: Run): Promise<Omit<AgentInput, 'kind' | 'id'>> {
    const begunAt = performance.now();
    const took = (): Ms => Math.round((performance.now() - begunAt) * 1000) / 1000;
    const reason = await distrust(action.command[0] ?? '');
    if (reason !== null) return { outcome: { how: 'refused', text: reason }, output: '', tookMs: took() };
    if (run.cut !== null) return { outcome: run.cut, output: '', tookMs: took() };
    const { outcome, output } = await execute(action, run);
    return { outcome: run.cut ?? outcome, output: masked(output, action.secrets), tookMs: took() };
  }
}

function cut(run: Run, why: AgentOutcome): void {
  run.cut ??= why;
  killGroup(run.child);
}

/** The leader is a child that was not reaped yet, so its number stands for no other group. */
function killGroup(child: ChildProcess | null): void {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

async function execute(action: RunAgent, run: Run): Promise<{ outcome: AgentOutcome; output: string }> {
  const { command, stdin, environment, withinMs, outputMax } = action;
  const [program, ...words] = command as [string, ...string[]];
  let child: ChildProcess;
  try {
    child = spawn(program, words, {
      cwd: '/',
      env: { PATH, HOME: '/root', LC_ALL: 'C.UTF-8', ...environment },
      stdio: 'pipe',
      detached: true,
      shell: false,
    });
  } catch (error) {
    return { outcome: { how: 'refused', text: (error as Error).message }, output: '' };
  }
  run.child = child;
  ordinary(child.pid);
  const timer = setTimeout(() => cut(run, { how: 'timed-out' }), withinMs);
  const tail = new Tail(outputMax);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => tail.add(chunk));
    stream?.on('error', () => undefined);
  }
  // It need not read what it is told.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
  const outcome = await new Promise<AgentOutcome>((resolve) => {
    child.once('error', (error) => resolve({ how: 'refused', text: error.message }));
    child.once('exit', (code, signal) =>
      resolve(code === null ? { how: 'killed', signal: signal ?? 'unknown' } : { how: 'exited', code }),
    );
  });
  clearTimeout(timer);
  await drained(child);
  return { outcome, output: tail.text() };
}

/** The daemon's own niceness and its shelter from the OOM killer are not for programs that it starts. */
function ordinary(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, 0);
    writeFileSync(`/proc/${pid}/oom_score_adj`, '0');
  } catch {
    // It has ended, or this process may not.
  }
}

async function drained(child: ChildProcess): Promise<void> {
  const open = [child.stdout, child.stderr].filter((stream) => stream !== null && !stream.closed);
  const closed = Promise.all(open.map((stream) => new Promise((resolve) => stream!.once('close', resolve))));
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, DRAIN_MS))]);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
}

/** The last bytes of an output: the end says what went wrong. */
class Tail {
  readonly #max: number;
  #chunks: Buffer[] = [];
  #length = 0;
  #cut = false;

  constructor(max: number) {
    this.#max = max;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length <= 2 * this.#max) return;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [Buffer.from(all.subarray(all.length - this.#max))];
    this.#length = this.#max;
    this.#cut = true;
  }

  text(): string {
    const all = Buffer.concat(this.#chunks);
    const isCut = this.#cut || all.length > this.#max;
    const kept = all.subarray(Math.max(0, all.length - this.#max)).toString('utf8');
    return `${isCut ? '…' : ''}${kept}`.trim();
  }
}

function masked(text: string, secrets: readonly string[]): string {
  const long = secrets.filter((secret) => secret.length > 0).sort((a, b) => b.length - a.length);
  return long.reduce((left, secret) => left.replaceAll(secret, MASK), text);
}
