/** Runs a built explorer in a process of its own, so that a bug may end or hang it. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SubjectLine, SubjectOrder } from './subject.js';

export interface TrialOptions {
  /** As `Builder.build` gives it. */
  explorer: string;
  order: SubjectOrder;
  /** Wall time; then it is ended. */
  withinMs: number;
  onSeed?: (line: SubjectLine) => void;
  signal?: AbortSignal;
}

export interface Trial {
  lines: SubjectLine[];
  /** Why it ended before its time; null: it did not. */
  broke: string | null;
}

export async function runTrial(options: TrialOptions): Promise<Trial> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-mutant-'));
  try {
    const file = join(folder, 'explorer.mjs');
    await writeFile(file, options.explorer);
    return await runIn(file, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runIn(file: string, options: TrialOptions): Promise<Trial> {
  const { order, withinMs, onSeed, signal } = options;
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [file, JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: withinMs,
      signal,
    });
    const lines: SubjectLine[] = [];
    let told = '';
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as SubjectLine;
      lines.push(line);
      onSeed?.(line);
    });
    child.stderr.on('data', (chunk: Buffer) => (told = (told + chunk.toString()).slice(-2000)));
    child.on('error', failed);
    child.on('close', (code, ended) => {
      const why = ended === null ? (told.trim().split('\n').at(-1) ?? '') : `no answer within ${withinMs} ms`;
      done({ lines, broke: code === 0 ? null : why });
    });
  });
}
