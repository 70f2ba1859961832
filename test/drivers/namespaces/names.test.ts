import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  clearLeftovers,
  folderOf,
  isLeftover,
  nextPrefix,
  removeNamespace,
} from '../../../drivers/namespaces/names.js';
import { run } from '../../../drivers/namespaces/shell.js';

/** A process id that is not in use. */
async function endedProcess(): Promise<number> {
  const child = spawn('true');
  await once(child, 'close');
  return child.pid!;
}

describe('names of a lab', () => {
  it('are new each time and belong to this process', () => {
    const [a, b] = [nextPrefix(), nextPrefix()];
    expect(a).not.toBe(b);
    for (const prefix of [a, b]) expect([isLeftover(prefix), isLeftover(`${prefix}-alpha`)]).toEqual([false, false]);
  });

  it('are leftovers when their process is gone, or its number has another process now', async () => {
    const pid = await endedProcess();
    expect(isLeftover(`bt${pid}-1a2b-0-alpha`)).toBe(true);
    expect(isLeftover(`bt${pid}-1a2b-0`)).toBe(true);
    expect(isLeftover(`bt${process.pid}-0-0-alpha`)).toBe(true);
  });

  it.each([
    'blue',
    'bt',
    'bt-4711',
    'btrfs',
    'bt-h1-4711-0-alpha',
    'bt4711',
    'bt4711-x',
    'cni-1a2b',
    'bt99999999-1-0-alpha-beta',
  ])('that no lab gives are left alone: %s', (name) => expect(isLeftover(name)).toBe(false));

  it.skipIf(process.getuid?.() !== 0)(
    'of killed labs are cleared with what still runs in them, those of others not (needs root)',
    async () => {
      const dead = `bt${await endedProcess()}-dead-0`;
      const foreign = `bt-names-${process.pid}`;
      const own = `${nextPrefix()}-alpha`;
      try {
        for (const name of [`${dead}-alpha`, foreign, own]) await run('ip', ['netns', 'add', name]);
        mkdirSync(folderOf(dead));
        const sleeper = spawn('ip', ['netns', 'exec', `${dead}-alpha`, 'sleep', '60']);
        const ended = once(sleeper, 'close');
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(await clearLeftovers()).toEqual(expect.arrayContaining([`${dead}-alpha`, dead]));
        await ended;
        expect([`${dead}-alpha`, foreign, own].map((name) => existsSync(`/run/netns/${name}`))).toEqual([
          false,
          true,
          true,
        ]);
        expect(existsSync(folderOf(dead))).toBe(false);
      } finally {
        for (const name of [`${dead}-alpha`, foreign, own]) await removeNamespace(name);
        rmSync(folderOf(dead), { recursive: true, force: true });
      }
    },
  );
});
