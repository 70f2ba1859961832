import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { refusal } from '../../drivers/namespaces/lab.js';
import { interruptible } from '../../src/cli/interruption.js';

const baton = fileURLToPath(new URL('../../bin/baton.js', import.meta.url));

describe('work that can be called off', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s aborts it once, and waits for its end', async (signal) => {
    const before = process.listenerCount(signal);
    let aborts = 0;
    const value = await interruptible(async (aborted) => {
      aborted.addEventListener('abort', () => aborts++);
      process.emit(signal, signal);
      process.emit(signal, signal);
      expect(String(aborted.reason)).toContain(signal);
      return 'cleaned up';
    });
    expect([value, aborts, process.listenerCount(signal)]).toEqual(['cleaned up', 1, before]);
  });

  it('work that fails leaves no listener behind', async () => {
    const before = [process.listenerCount('SIGINT'), process.stdout.listenerCount('error')];
    await expect(interruptible(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect([process.listenerCount('SIGINT'), process.stdout.listenerCount('error')]).toEqual(before);
  });
});

const reason = refusal();

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

describe.skipIf(reason !== null)(`the demo called off on this kernel ${reason ?? ''}`, () => {
  /** Namespaces and folders of labs of that process. */
  const left = (pid: number | undefined): string[] =>
    ['/run/netns', tmpdir()].flatMap((folder) => readdirSync(folder)).filter((name) => name.startsWith(`bt${pid}-`));

  const running = (pid: number | undefined): string[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(commandOf)
      .filter((command) => command.includes(`bt${pid}-`));

  async function demo(untilItSays: string): Promise<{ child: ChildProcess; ended: Promise<number | null> }> {
    // Detached: a process group of its own, as a terminal's foreground job has.
    const child = spawn(process.execPath, [baton, 'demo'], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
    await vi.waitUntil(() => said.includes(untilItSays), { timeout: 20_000, interval: 20 });
    return { child, ended };
  }

  it.each([
    ['Ctrl-C while it builds', 'On this kernel', 'SIGINT'],
    ['Ctrl-C in the middle', 's ', 'SIGINT'],
    ['SIGTERM in the middle', 's ', 'SIGTERM'],
  ] as const)('%s: nothing is left', async (_name, untilItSays, signal) => {
    const { child, ended } = await demo(untilItSays);
    process.kill(-child.pid!, signal);
    expect(await ended).toBe(1);
    expect(left(child.pid)).toEqual([]);
    expect(running(child.pid)).toEqual([]);
  });

  it('a reader who goes away ends it too', async () => {
    const { child, ended } = await demo('On this kernel');
    child.stdout!.destroy();
    expect(await ended).toBe(1);
    expect(left(child.pid)).toEqual([]);
  });
});
