/**
 * A hand's way to the process that does the I/O. A question is answered by its deadline, whatever the disk does; what was
 * begun for it goes on, and until that is done no other is begun. So no old write ever comes after a newer one.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ms } from '../../../src/input.js';
import type { ArbiterAnswer, DiskRequest } from '../../../src/membership/arbiter-record.js';
import type { DiskSettings } from './io-process.js';

const PROGRAM = new URL('./io-process.js', import.meta.url);
/** A process that ends is started again, but not in a circle. */
const REST_MS: Ms = 500;

interface Question {
  since: Ms;
  answered: (answer: ArbiterAnswer) => void;
}

export class DiskLine {
  readonly #settings: DiskSettings;
  #child: ChildProcess | null = null;
  #startedAt: Ms = -REST_MS;
  /** What the process works at. */
  #open: Question | null = null;
  #whenFree: (() => void)[] = [];
  #heard = '';

  constructor(settings: DiskSettings) {
    this.#settings = settings;
  }

  /** Never rejects. */
  ask(request: DiskRequest, withinMs: Ms): Promise<ArbiterAnswer> {
    return new Promise((resolve) => {
      let isOver = false;
      const timer = setTimeout(() => {
        isOver = true;
        resolve({ outcome: 'unknown', text: this.#silence() });
      }, withinMs);
      const answered = (answer: ArbiterAnswer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      const begin = (): void => {
        if (isOver) return;
        if (this.#open !== null) return void this.#whenFree.push(begin);
        this.#begin(request, answered);
      };
      begin();
    });
  }

  /** What hangs is left behind. */
  close(): void {
    this.#child?.stdin?.end();
    this.#child?.unref();
  }

  #silence(): string {
    const paths = this.#settings.paths.join(', ');
    if (this.#open === null) return `${paths}: no answer in time`;
    return `${paths}: no answer for ${((performance.now() - this.#open.since) / 1000).toFixed(1)} s`;
  }

  #begin(request: DiskRequest, answered: Question['answered']): void {
    const child = this.#child ?? this.#start();
    if (child === null) return answered({ outcome: 'unknown', text: 'the process that reads the disk has just ended' });
    this.#open = { since: performance.now(), answered };
    child.stdin?.write(`${JSON.stringify({ question: request })}\n`);
  }

  #start(): ChildProcess | null {
    if (performance.now() < this.#startedAt + REST_MS) return null;
    this.#startedAt = performance.now();
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(PROGRAM)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {},
    });
    this.#child = child;
    this.#heard = '';
    const ended = (error?: Error): void => {
      if (this.#child !== child) return;
      this.#child = null;
      const why = error === undefined ? '' : `: ${error.message}`;
      this.#done({ outcome: 'unknown', text: `the process that reads the disk ended${why}` });
    };
    child.on('error', ended);
    child.on('exit', () => ended());
    child.stdin?.on('error', () => undefined);
    child.stdout?.setEncoding('utf8');
    // What one that has ended said last answers no question of the next.
    child.stdout?.on('data', (text: string) => this.#child === child && this.#hear(text));
    child.stdin?.write(`${JSON.stringify(this.#settings)}\n`);
    return child;
  }

  #hear(text: string): void {
    this.#heard += text;
    for (let end = this.#heard.indexOf('\n'); end >= 0; end = this.#heard.indexOf('\n')) {
      const line = this.#heard.slice(0, end);
      this.#heard = this.#heard.slice(end + 1);
      this.#done(JSON.parse(line) as ArbiterAnswer);
    }
  }

  #done(answer: ArbiterAnswer): void {
    const open = this.#open;
    this.#open = null;
    open?.answered(answer);
    for (const begin of this.#whenFree.splice(0)) begin();
  }
}
