/** What the kernel says of the threads, after they asked. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const loader = fileURLToPath(new URL('typescript.js', import.meta.url));
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)(`priority ${isRoot ? '' : '(needs root)'}`, () => {
  test('every thread of the process gets the share, those of the pool included', () => {
    const said = inProcess(`
      import { readdirSync } from 'node:fs';
      import { getPriority } from 'node:os';
      import { readFile } from 'node:fs/promises';
      import { raiseProcess } from './drivers/linux/priority.js';
      await readFile('/proc/self/stat');
      raiseProcess();
      console.log(JSON.stringify(readdirSync('/proc/self/task').map((task) => getPriority(Number(task)))));`);
    const shares = JSON.parse(said) as number[];
    expect(shares.length).toBeGreaterThan(4);
    expect(new Set(shares)).toEqual(new Set([-10]));
    expect(readdirSync('/proc/self/task').map((task) => getPriority(Number(task)))).not.toContain(-10);
  });
});

function inProcess(program: string): string {
  const node = ['--import', loader, '--input-type=module', '-e', program];
  const { stdout, stderr } = spawnSync(process.execPath, node, { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout;
}
