/** Programs that are run for the machine (DESIGN 13, scripts). */
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentInput, RunAgent } from '../../../drivers/agent/agent-port.js';
import { AgentRunner } from '../../../drivers/agent/runner.js';
import { distrust } from '../../../drivers/agent/trust.js';
import { programs, type Programs } from './inside-program.js';

let made: Programs;

function action(command: string[], change: Partial<RunAgent> = {}): RunAgent {
  const rest = { stdin: '', environment: {}, withinMs: 20_000, outputMax: 1000, secrets: [] };
  return { kind: 'run-agent', id: 'fence 1', command, ...rest, ...change };
}

function run(command: string[], change: Partial<RunAgent> = {}): Promise<AgentInput> {
  return new Promise((resolve) => new AgentRunner(resolve).run(action(command, change)));
}

describe.skipIf(process.getuid?.() !== 0)('programs (needs root: only what root owns is run)', () => {
  beforeAll(() => void (made = programs()));
  afterAll(() => made.remove());

  test('it gets its words, its stdin, a clean environment, and nothing by a shell', async () => {
    const path = made.write('words', 'printf "%s|" "$@"; cat; env | sort');
    process.env['BATON_TEST_LEAK'] = 'leaked';
    const { outcome, output } = await run([path, 'off', '$(id); *'], {
      stdin: 'action=off\n',
      environment: { BATON_NODE: 'beta' },
    });
    delete process.env['BATON_TEST_LEAK'];
    expect(outcome).toEqual({ how: 'exited', code: 0 });
    expect(output).toMatch(/^off\|\$\(id\); \*\|action=off\n/);
    expect(output).toContain('BATON_NODE=beta');
    expect(output).toMatch(/^PATH=\/usr\/local\/sbin:/m);
    expect(output).not.toContain('leaked');
  });

  test('exit codes and signals are told', async () => {
    expect((await run([made.write('seven', 'exit 7')])).outcome).toEqual({ how: 'exited', code: 7 });
    expect((await run([made.write('dies', 'kill -TERM $$')])).outcome).toEqual({ how: 'killed', signal: 'SIGTERM' });
  });

  test('what takes too long is killed with its whole process group', async () => {
    const mark = join(made.folder, 'alive');
    const path = made.write('hangs', `(sleep 3; touch ${mark}) & sleep 60`);
    expect((await run([path], { withinMs: 300 })).outcome).toEqual({ how: 'timed-out' });
    await sleep(3500);
    expect(existsSync(mark)).toBe(false);
  });

  test('it may be ended, once begun or before', async () => {
    const path = made.write('waits', 'sleep 60');
    const ended = await new Promise<AgentInput>((resolve) => {
      const runner = new AgentRunner(resolve);
      runner.run(action([path]));
      runner.end('fence 1');
      runner.end('fence 2');
    });
    expect(ended.outcome).toEqual({ how: 'ended' });
  });

  test('the end of its output is kept, and secrets are masked', async () => {
    const path = made.write('tells', 'i=0; while [ $i -lt 2000 ]; do echo "line $i of hunter2"; i=$((i+1)); done');
    const { output } = await run([path], { secrets: ['hunter2'], outputMax: 200 });
    expect(output).toMatch(/line 1999 of \*\*\*$/);
    expect(output).not.toContain('hunter2');
    expect(output.length).toBeLessThan(300);
  });

  test('a child that keeps the output open does not hold it up', async () => {
    const path = made.write('daemon', 'sleep 5 & echo begun');
    const { outcome, output, tookMs } = await run([path]);
    expect(outcome).toEqual({ how: 'exited', code: 0 });
    expect(output).toBe('begun');
    expect(tookMs).toBeLessThan(4500);
  });

  test('its niceness and its fate when memory is short are ordinary', async () => {
    const path = made.write('nice', 'sleep 0.3; cat /proc/self/oom_score_adj; nice');
    expect((await run([path])).output).toBe('0\n0');
  });

  test('only what is root’s alone, all the way, is run', async () => {
    const good = made.write('good', 'exit 0');
    expect(await distrust(good)).toBeNull();
    expect(await distrust('good')).toBe('good is not an absolute path');
    expect(await distrust(join(made.folder, 'absent'))).toMatch(/absent cannot be looked at: ENOENT$/);
    expect(await distrust(made.folder)).toMatch(/is not a file$/);
    const open = made.write('open', 'exit 0');
    chmodSync(open, 0o757);
    expect(await distrust(open)).toMatch(/open may be written by everybody$/);
    const plain = made.write('plain', 'exit 0');
    chmodSync(plain, 0o644);
    expect(await distrust(plain)).toMatch(/plain is not executable$/);
    const folder = join(made.folder, 'anybody');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    symlinkSync(good, join(folder, 'link'));
    expect(await distrust(join(folder, 'link'))).toMatch(/anybody may be written by everybody$/);
    symlinkSync(open, join(made.folder, 'to-open'));
    expect(await distrust(join(made.folder, 'to-open'))).toMatch(/open may be written by everybody$/);
    symlinkSync(join(made.folder, 'round'), join(made.folder, 'round'));
    expect(await distrust(join(made.folder, 'round'))).toMatch(/too many links$/);
    const { outcome } = await run([open]);
    expect(outcome).toMatchObject({ how: 'refused' });
  });

  test('a program that cannot be executed is refused, not fatal', async () => {
    const path = made.write('broken', '');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(path, '#!/no/such/interpreter\n');
    expect((await run([path])).outcome.how).toMatch(/refused|exited/);
    expect(readFileSync(path, 'utf8')).toContain('interpreter');
  });
});
