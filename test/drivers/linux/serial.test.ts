/** Lines between two pseudo terminals, as the kernel lab joins them. No root needed: a pseudo terminal is its user's own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SerialLine } from '../../../drivers/namespaces/serial-line.js';
import { type LineRefused, openLine } from '../../../drivers/linux/serial/device.js';
import { Line } from '../../../drivers/linux/serial/line.js';
import type { SerialNews } from '../../../drivers/linux/serial-port.js';
import { encodeSerialFrame, SerialReader } from '../../../src/frame/serial.js';

let folder: string;
let wire: SerialLine;
const opened: Line[] = [];
const device = (node: string): string => join(folder, node);

interface End {
  line: Line;
  states: string[];
  payloads: string[];
  reader: SerialReader;
  lost: number;
}

function end(node: string): End {
  const made: Omit<End, 'line'> = { states: [], payloads: [], reader: new SerialReader(), lost: 0 };
  const hear = (news: SerialNews): void => {
    if (news.kind === 'serial-changed') made.states.push(`${news.state} ${news.text}`.trim());
    else if (news.kind === 'serial-lost') made.lost += news.frames;
    else made.payloads.push(...made.reader.read(news.bytes).map((it) => Buffer.from(it).toString()));
  };
  const line = new Line({ device: device(node), baud: 115_200 }, hear);
  opened.push(line);
  return Object.assign(made, { line });
}

const send = ({ line }: End, text: string): void => line.send(encodeSerialFrame(Buffer.from(text)));

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds() && Date.now() < deadline) await sleep(10);
  expect(holds()).toBe(true);
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-serial-'));
  wire = await SerialLine.open(['alpha', 'beta'], ['alpha', 'beta'].map(device), 115_200);
}, 60_000);

afterEach(async () => {
  for (const line of opened.splice(0)) line.close();
  await wire.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a serial line', () => {
  test('brings frames both ways, every byte as it is', async () => {
    const [alpha, beta] = [end('alpha'), end('beta')];
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    alpha.line.send(encodeSerialFrame(all));
    send(beta, 'from beta');
    await until(() => alpha.payloads.length === 1 && beta.payloads.length === 1);
    expect(alpha.payloads).toEqual(['from beta']);
    expect(beta.payloads).toEqual([all.toString()]);
    expect(alpha.states).toEqual(['up']);
  });

  test('goes down when it is unplugged, and comes back by itself', async () => {
    const [alpha, beta] = [end('alpha'), end('beta')];
    const plug = await wire.strike({ fault: 'serial-unplug', node: 'beta' });
    await until(() => beta.states.length >= 3);
    expect(beta.states.slice(0, 2)).toEqual(['up', expect.stringMatching(/^down (EIO|it was hung up)/)]);
    expect(beta.states[2]).toMatch(/^down ENOENT/);
    send(beta, 'to nobody');
    await plug();
    await until(() => beta.states.at(-1) === 'up');
    send(alpha, 'hello again');
    await until(() => beta.payloads.length === 1);
    expect(beta.payloads).toEqual(['hello again']);
  });

  test('takes nothing that noise has made', async () => {
    const [alpha, beta] = [end('alpha'), end('beta')];
    const quiet = await wire.strike({ fault: 'serial-noise', percent: 2 });
    for (let i = 0; i < 40; i++) send(alpha, `frame ${i} ${'x'.repeat(60)}`);
    await sleep(800);
    await quiet();
    send(alpha, 'last');
    await until(() => beta.payloads.at(-1) === 'last');
    for (const payload of beta.payloads) expect(payload).toMatch(/^(frame \d+ x{60}|last)$/);
    expect(beta.reader.damaged).toBeGreaterThan(0);
  });

  test('loses the oldest on a line that takes nothing, and never waits', async () => {
    const alpha = end('alpha');
    process.kill(wire.pid, 'SIGSTOP');
    try {
      // The kernel keeps some.
      for (let i = 0; i < 400; i++) send(alpha, `${i} ${'x'.repeat(1000)}`);
    } finally {
      process.kill(wire.pid, 'SIGCONT');
    }
    expect(alpha.lost).toBeGreaterThan(100);
    expect(alpha.states).toEqual(['up']);
  });

  test('is for one program alone', () => {
    end('alpha');
    expect(() => openLine(device('alpha'), 115_200)).toThrow(/in use: another program has it (locked|for itself)/);
  });

  test('is not taken from a login', async () => {
    const shell = spawn('setsid', ['sh', '-c', `exec 3<>${device('beta')}; sleep 30`], { stdio: 'ignore' });
    try {
      let refused = '';
      await until(() => {
        try {
          openLine(device('beta'), 115_200);
        } catch (error) {
          refused = (error as LineRefused).message;
        }
        return refused.startsWith('it is in use: it is the terminal of');
      });
    } finally {
      shell.kill('SIGKILL');
    }
  });

  test.each([
    ['/dev/null', /^it is no serial line/],
    ['/dev/baton-no-such-line', /^ENOENT: no such file or directory$/],
  ])('%s is refused', (path, text) => expect(() => openLine(path, 115_200)).toThrow(text));
});
