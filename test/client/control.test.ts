import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Control, NoDaemon, Refused, Unresponsive } from '../../src/client/control.js';
import type { DaemonStatus, JournalLine } from '../../src/client/document.js';
import { ControlServer, type ControlHandler } from '../../src/daemon/control-server.js';
import type { OperatorRequest } from '../../src/status.js';

const line = (cause: string): JournalLine => ({
  time: '2026-01-01T00:00:00.000Z',
  node: 'alpha',
  at: 1,
  event: 'operator',
  cause,
});
const status = { version: '1', pid: 1, status: { node: 'alpha' } } as unknown as DaemonStatus;

describe('control socket', () => {
  let runDir: string;
  let server: ControlServer | undefined;
  let asked: OperatorRequest[];
  const followers = new Set<(line: JournalLine) => void>();
  const handler: ControlHandler = {
    status: async () => status,
    clusterFile: () => ({ path: '/etc/baton/cluster.yaml', text: 'cluster: shop\n' }),
    ask: async (request) => {
      asked.push(request);
      if (request.ask === 'poll-now') throw new Error('no such net');
      return { ok: true, text: 'done' };
    },
    last: (count = Infinity) => [line('one'), line('two'), line('three')].slice(Math.max(0, 3 - count)),
    follow: (onLine) => {
      followers.add(onLine);
      return () => followers.delete(onLine);
    },
  };

  beforeEach(async () => {
    runDir = mkdtempSync(join(tmpdir(), 'baton-control-'));
    asked = [];
    server = await ControlServer.open(runDir, handler);
  });
  afterEach(async () => {
    await server?.close();
    rmSync(runDir, { recursive: true, force: true });
  });

  it('is for its owner alone', () => {
    expect(statSync(join(runDir, 'control.sock')).mode & 0o777).toBe(0o600);
  });

  it('tells a daemon that hangs from one that is not there', async () => {
    handler.status = () => new Promise(() => {});
    const control = await Control.connect(runDir);
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      const answer = expect(control.status()).rejects.toThrow(Unresponsive);
      vi.advanceTimersByTime(5000);
      await answer;
    } finally {
      vi.useRealTimers();
      handler.status = async () => status;
      control.close();
    }
  });

  it('answers status and operators, several questions at once', async () => {
    const control = await Control.connect(runDir);
    const [first, second, answer] = await Promise.all([
      control.status(),
      control.status(),
      control.ask({ ask: 'link-switch', net: 'public', to: 'eth1', dryRun: true }),
    ]);
    expect([first, second]).toEqual([status, status]);
    expect(answer).toEqual({ ok: true, text: 'done' });
    expect(asked).toEqual([{ ask: 'link-switch', net: 'public', to: 'eth1', dryRun: true }]);
    control.close();
  });

  it('tells the cluster file under which the daemon runs', async () => {
    const control = await Control.connect(runDir);
    expect(await control.clusterFile()).toEqual({ path: '/etc/baton/cluster.yaml', text: 'cluster: shop\n' });
    control.close();
  });

  it('hands on why something was refused', async () => {
    const control = await Control.connect(runDir);
    await expect(control.ask({ ask: 'poll-now', net: 'nowhere' })).rejects.toThrow(new Refused('no such net'));
    control.close();
  });

  it('lets no malformed request reach the machine', async () => {
    const control = await Control.connect(runDir);
    await expect(control.ask({ ask: 'reboot' } as unknown as OperatorRequest)).rejects.toThrow(/ask/);
    await expect(control.ask({ ask: 'link-lock', nic: 'eth0' } as unknown as OperatorRequest)).rejects.toThrow(/owner/);
    expect(asked).toEqual([]);
    control.close();
  });

  it('survives bytes that are no JSON and says so', async () => {
    const socket = connect(join(runDir, 'control.sock'));
    const answer = await new Promise<string>((resolve) => {
      socket.on('data', (data) => resolve(String(data)));
      socket.write('\x00\xff{"\n');
    });
    expect(JSON.parse(answer)).toEqual({ id: 0, error: 'not JSON' });
    socket.destroy();
    const control = await Control.connect(runDir);
    expect(await control.status()).toEqual(status);
    control.close();
  });

  it('shows the last events and ends', async () => {
    const control = await Control.connect(runDir);
    const causes: string[] = [];
    for await (const event of control.events({ follow: false, last: 2 })) causes.push(event.cause);
    expect(causes).toEqual(['two', 'three']);
    control.close();
  });

  it('ends every following of a client that hangs up', async () => {
    const socket = connect(join(runDir, 'control.sock'));
    for (const id of [1, 2]) socket.write(`${JSON.stringify({ id, ask: 'events', follow: true, last: 0 })}\n`);
    await expect.poll(() => followers.size).toBe(2);
    socket.destroy();
    await expect.poll(() => followers.size).toBe(0);
  });

  it('follows events until the client hangs up', async () => {
    const control = await Control.connect(runDir);
    const causes: string[] = [];
    for await (const event of control.events({ follow: true, last: 1 })) {
      causes.push(event.cause);
      if (causes.length === 1) for (const told of followers) told(line('four'));
      if (causes.length === 2) break;
    }
    expect(causes).toEqual(['three', 'four']);
    control.close();
    await expect.poll(() => followers.size).toBe(0);
  });

  it('ends a following when the daemon ends', async () => {
    const control = await Control.connect(runDir);
    const following = (async () => {
      for await (const event of control.events({ follow: true, last: 0 })) expect(event).toBeUndefined();
    })();
    await expect.poll(() => followers.size).toBe(1);
    await server?.close();
    server = undefined;
    await following;
  });

  it('replaces the socket of a dead daemon', async () => {
    await server?.close();
    writeFileSync(join(runDir, 'control.sock'), '');
    server = await ControlServer.open(runDir, handler);
    const control = await Control.connect(runDir);
    expect(await control.status()).toEqual(status);
    control.close();
  });

  it('says where it looked when nobody answers', async () => {
    await server?.close();
    server = undefined;
    await expect(Control.connect(runDir)).rejects.toThrow(NoDaemon);
    await expect(Control.connect(runDir)).rejects.toThrow(/control\.sock does not exist/);
    writeFileSync(join(runDir, 'control.sock'), '');
    chmodSync(join(runDir, 'control.sock'), 0o600);
    await expect(Control.connect(runDir)).rejects.toThrow(/no batond answers/);
  });
});
