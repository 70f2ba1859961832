/** Records in the run directory, from which the next start learns what this one had begun and added. */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '../../src/action.js';

const FILES = { switch: 'switch.json', ledger: 'ledger.json' } as const;
type RecordName = keyof typeof FILES;

/**
 * Each file is replaced whole or not at all, whenever the process is killed. Throws ErrnoException. No fsync: the run directory
 * does not outlive the kernel, whose state the records are about.
 */
export function writeRecord(directory: string, record: RunRecord): void {
  for (const name of Object.keys(FILES) as RecordName[]) {
    if (record[name] === undefined) continue;
    const path = join(directory, FILES[name]);
    const fresh = `${path}.new`;
    try {
      rmSync(fresh, { force: true });
      const file = openSync(fresh, 'wx', 0o600);
      try {
        writeWhole(file, Buffer.from(`${JSON.stringify(record[name])}\n`));
      } finally {
        closeSync(file);
      }
      renameSync(fresh, path);
    } catch (error) {
      rmSync(fresh, { force: true });
      throw error;
    }
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

/** What an earlier run left; null for a file that is missing or damaged, and null for both together. */
export function readRecords(directory: string): { switch: unknown; ledger: unknown } | null {
  const [plan, ledger] = [readRecord(directory, 'switch'), readRecord(directory, 'ledger')];
  return plan === null && ledger === null ? null : { switch: plan, ledger };
}

function readRecord(directory: string, name: RecordName): unknown {
  try {
    return JSON.parse(readFileSync(join(directory, FILES[name]), 'utf8')) as unknown;
  } catch {
    return null;
  }
}
