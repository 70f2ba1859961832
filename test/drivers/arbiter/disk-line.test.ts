/** The way to the process that does the I/O: answers by the deadline, keys that are replaced, a disk that hangs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskKey } from '../../../drivers/arbiter/disk/layout.js';
import { prepare } from '../../../drivers/arbiter/disk/preparation.js';
import type { ArbiterAnswer } from '../../../src/membership/arbiter-record.js';

const TYPESCRIPT = fileURLToPath(new URL('../linux/typescript.js', import.meta.url));
const CASES = fileURLToPath(new URL('./inside-disk-line.ts', import.meta.url));
const hex = (byte: string): string => byte.repeat(32);

describe('the process that reads and writes the disks', { timeout: 120_000 }, () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'baton-line-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const keyFile = (...keys: string[]): void => {
    const path = join(folder, 'key');
    writeFileSync(path, keys.map((key) => `${key}\n`).join(''), { mode: 0o600 });
    utimesSync(path, keys.length, keys.length);
  };
  const call = (name: string): ArbiterAnswer[] =>
    JSON.parse(
      execFileSync(process.execPath, ['--import', TYPESCRIPT, CASES, name, folder], { encoding: 'utf8' }),
    ) as ArbiterAnswer[];

  it('answers, takes the key file as it is now, and answers by the deadline while the disk hangs', () => {
    keyFile(hex('01'));
    prepare([join(folder, 'disk')], {
      ...{ cluster: 'shop', nodes: ['alpha'], documentBytes: 65536 },
      keys: [diskKey(Buffer.from(hex('01'), 'hex'))],
    });
    const [first, rotated, hanging, waiting, after] = call('story');
    expect(first).toMatchObject({ outcome: 'blocks', blocks: {} });
    expect(rotated).toMatchObject({ outcome: 'blocks', blocks: { alpha: { writes: 1 } } });
    expect(hanging).toMatchObject({ outcome: 'unknown', text: expect.stringMatching(/no answer for/) as string });
    expect(waiting).toMatchObject({ outcome: 'unknown', text: expect.stringMatching(/no answer for/) as string });
    expect(after).toMatchObject({ outcome: 'blocks', blocks: { alpha: { writes: 2 } } });
  });
});
