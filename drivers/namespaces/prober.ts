/** Runs the native prober (`prober/*.c`) in a namespace and keeps what it tells. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/version.js';
import type { AnnouncementSeen, ProbeReport, TcpReport } from '../lab.js';
import type { Sighted } from './port-watch.js';
import { attempt } from './shell.js';

/** Monotonic milliseconds of this machine: the prober's, the daemons' and the lab's clock alike. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function proberSources(): string[] {
  const folder = fileURLToPath(new URL('drivers/namespaces/prober/', packageRoot()));
  return readdirSync(folder)
    .sort()
    .map((name) => folder + name);
}

/** Where the program of these sources is once it is compiled. */
export function proberProgram(): string {
  const hash = createHash('sha256');
  for (const path of proberSources()) hash.update(readFileSync(path));
  return fileURLToPath(new URL(`build/prober-${hash.digest('hex').slice(0, 12)}`, packageRoot()));
}

/**
 * Path of the prober's program, compiled when there is none of these sources.
 * Throws an Error that says what is missing where it cannot be compiled.
 */
export async function compileProber(): Promise<string> {
  const program = proberProgram();
  if (existsSync(program)) return program;
  await mkdir(dirname(program), { recursive: true });
  const unfinished = `${program}.${process.pid}`;
  const sources = proberSources().filter((name) => name.endsWith('.c'));
  const { code, stderr } = await attempt('cc', ['-O2', '-o', unfinished, ...sources]);
  if (code === 127) throw new Error('the kernel lab needs a C compiler for its prober: apt-get install gcc libc6-dev');
  if (code !== 0) throw new Error(`the prober does not compile:\n${stderr}`);
  await rename(unfinished, program);
  return program;
}

/** One line of the prober; which keys are there tells what it is (see `say` in prober/*.c). */
interface Told {
  ready?: number;
  probe?: string;
  tcp?: string;
  announced?: string;
  multicast?: number;
  at?: number;
  from?: number;
  to?: number;
  dark?: number;
  sent?: number;
  answered?: number;
  state?: string;
  lastIn?: number;
  round?: number;
  asked?: number;
  who?: string;
  replayed?: number;
  port?: string;
  mac?: string;
  form?: AnnouncementSeen['form'];
}

/** A round of questions, or an answer to one (prober/watcher.c). */
export type Watched = { round: number; asked: number } | { round: number; who: string; at: number; mac: string };

interface Gap {
  from: number;
  to: number;
}

interface Probed {
  sent: number;
  answered: number;
  gaps: Gap[];
  darkSince: number | null;
}

interface Connected {
  state: string;
  lastIn: number;
  pauses: Gap[];
}

/** Shorter ones are no gaps (DARK_AFTER_MS of prober/ping.c). */
const GAP_MIN_MS = 5;
/** Bytes must have come back this lately for a connection to be alive; its reports come each 200 ms. */
const ALIVE_WITHIN_MS = 1000;
const REPORT_EACH_MS = 200;

export class Prober {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #owner: string;
  readonly #probed: Record<string, Probed> = {};
  readonly #connected: Record<string, Connected> = {};
  readonly #announcements: AnnouncementSeen[] = [];
  readonly #datagrams: number[] = [];
  readonly #onWatched: ((watched: Watched) => void) | undefined;
  #onSighted: ((sighted: Sighted) => void) | undefined;
  #onReplayed: ((count: number) => void) | null = null;
  #stderr = '';

  private constructor(
    program: string,
    namespace: string,
    owner: string,
    words: readonly string[],
    onWatched?: (watched: Watched) => void,
  ) {
    this.#owner = owner;
    this.#onWatched = onWatched;
    this.#child = spawn('ip', ['netns', 'exec', namespace, program, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = new Promise((resolve) => this.#child.on('close', () => resolve()).on('error', () => resolve()));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
  }

  /** Resolves when it works. Throws an Error with its own words when it cannot. */
  static async start(
    program: string,
    namespace: string,
    owner: string,
    words: readonly string[],
    onWatched?: (watched: Watched) => void,
  ): Promise<Prober> {
    const prober = new Prober(program, namespace, owner, words, onWatched);
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: prober.#child.stdout! }).on('line', (line) => {
        const told = JSON.parse(line) as Told;
        if (told.ready !== undefined) resolve();
        else prober.#take(told);
      });
      void prober.#ended.then(() => reject(new Error(`prober of ${owner}: ${prober.#stderr.trim() || 'it ended'}`)));
    });
    return prober;
  }

  #take(told: Told): void {
    if (told.probe !== undefined) this.#takeProbe(told.probe, told);
    else if (told.tcp !== undefined) this.#takeConnection(told.tcp, told);
    else if (told.round !== undefined) this.#onWatched?.(told as Watched);
    else if (told.port !== undefined) this.#onSighted?.(told as Sighted);
    else if (told.replayed !== undefined) this.#onReplayed?.(told.replayed);
    else if (told.multicast !== undefined) this.#datagrams.push(told.multicast);
    else if (told.announced !== undefined)
      this.#announcements.push({
        at: told.at!,
        client: this.#owner,
        address: told.announced,
        mac: told.mac!,
        form: told.form!,
      });
  }

  #takeProbe(address: string, told: Told): void {
    const probed = (this.#probed[address] ??= { sent: 0, answered: 0, gaps: [], darkSince: null });
    if (told.dark !== undefined) probed.darkSince = told.dark;
    if (told.to !== undefined) {
      if (told.to - told.from! > GAP_MIN_MS) probed.gaps.push({ from: told.from!, to: told.to });
      probed.darkSince = null;
    }
    if (told.sent !== undefined) Object.assign(probed, { sent: told.sent, answered: told.answered });
  }

  #takeConnection(address: string, told: Told): void {
    const connected = (this.#connected[address] ??= { state: 'idle', lastIn: 0, pauses: [] });
    if (told.to !== undefined) connected.pauses.push({ from: told.from!, to: told.to });
    if (told.state !== undefined) Object.assign(connected, { state: told.state, lastIn: told.lastIn });
  }

  /** What was measured since `zero`, in milliseconds after it. */
  probes(zero: number): ProbeReport[] {
    return Object.entries(this.#probed).map(([address, { sent, answered, gaps, darkSince }]) => {
      const open = darkSince === null ? [] : [{ from: darkSince, to: monotonicMs() }];
      return {
        client: this.#owner,
        address,
        sent,
        answered,
        gaps: since(zero, [...gaps, ...open]).map(({ from, to }) => ({ fromMs: from, toMs: to })),
      };
    });
  }

  connections(zero: number): TcpReport[] {
    return Object.entries(this.#connected).map(([address, { state, lastIn, pauses }]) => {
      const silentMs = monotonicMs() - lastIn;
      const waiting = silentMs > ALIVE_WITHIN_MS ? [{ from: lastIn, to: monotonicMs() }] : [];
      const lengths = since(zero, [...pauses, ...waiting]).map(({ from, to }) => to - from);
      const alive = state === 'alive' && silentMs < ALIVE_WITHIN_MS + REPORT_EACH_MS;
      return { client: this.#owner, address, alive, pauseMaxMs: Math.max(0, ...lengths) };
    });
  }

  announcements(zero: number): AnnouncementSeen[] {
    return this.#announcements.map((seen) => ({ ...seen, at: seen.at - zero }));
  }

  /** Datagrams of the group since that monotonic moment. */
  datagramsSince(at: number): number {
    return this.#datagrams.filter((arrived) => arrived >= at).length;
  }

  /** Lets a recorder play all that it has; resolves with the number of frames. */
  async replay(): Promise<number> {
    const count = new Promise<number>((resolve) => (this.#onReplayed = resolve));
    this.#child.kill('SIGUSR1');
    return Promise.race([
      count,
      this.#ended.then(() => {
        throw new Error(`prober of ${this.#owner}: ${this.#stderr.trim() || 'it ended'}`);
      }),
    ]);
  }

  /** Tells by which port a MAC was seen; the first ones may come right after `start`. */
  onSighted(take: (sighted: Sighted) => void): void {
    this.#onSighted = take;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** Those that reach beyond `zero`, cut off there and counted from it. */
function since(zero: number, gaps: readonly Gap[]): Gap[] {
  return gaps.filter((gap) => gap.to > zero).map((gap) => ({ from: Math.max(0, gap.from - zero), to: gap.to - zero }));
}
