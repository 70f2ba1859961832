/**
 * The commands against a real daemon, in network namespaces:
 *
 *     alpha: eth0 ─┐ br0 (switch)
 *            eth1 ─┘  └─ client 10.77.0.254, the target
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Prediction } from '../../src/drill/foresight/prediction.js';
import type { StatusDocument } from '../../src/cli/output/status-document.js';

const baton = fileURLToPath(new URL('../../bin/baton.js', import.meta.url));
const root = process.getuid?.() === 0;
const alpha = `bt-cmd-${process.pid}-alpha`;
const net = `bt-cmd-${process.pid}-switch`;
const folder = mkdtempSync(join(tmpdir(), 'baton-commands-'));
const at = (name: string): string => join(folder, name);
const places = {
  BATON_CONFIG: at('cluster.yaml'),
  BATON_RUN_DIR: at('run'),
  BATON_STATE_DIR: at('state'),
};
const env = { ...process.env, ...places, NODE_ENV: '', FORCE_COLOR: '0' };
let daemon: ChildProcess | undefined;

function run(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync('ip', ['netns', 'exec', alpha, process.execPath, baton, ...args], {
    encoding: 'utf8',
    timeout: 25_000,
    env,
  });
  return { code: status, stdout, stderr };
}

function json<T>(...args: string[]): T {
  return JSON.parse(run(...args, '--json').stdout) as T;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    if (holds()) return;
    await sleep(250);
  }
  throw new Error(`${what} did not come true`);
}

const healthOf = (nic: string): string => {
  const found = json<StatusDocument>('status').nodes?.[0]?.nics.find(({ name }) => name === nic);
  return `${found?.health} ${found?.reason ?? ''}`.trim();
};

async function build(): Promise<void> {
  const ip = (...args: string[]): void => void execFileSync('ip', args);
  for (const namespace of [alpha, net]) ip('netns', 'add', namespace);
  ip('-n', net, 'link', 'add', 'br0', 'type', 'bridge');
  ip('-n', net, 'link', 'set', 'br0', 'up');
  for (const nic of ['eth0', 'eth1']) {
    ip('-n', alpha, 'link', 'add', nic, 'type', 'veth', 'peer', 'name', `to-${nic}`, 'netns', net);
    ip('-n', net, 'link', 'set', `to-${nic}`, 'master', 'br0', 'up');
    ip('-n', alpha, 'link', 'set', nic, 'up');
  }
  ip('-n', net, 'address', 'add', '10.77.0.254/24', 'dev', 'br0');
  ip('-n', alpha, 'address', 'add', '10.77.0.1/24', 'dev', 'eth0');
  mkdirSync(at('run'), { mode: 0o755 });
  mkdirSync(at('state'), { mode: 0o755 });
  writeFileSync(
    at('cluster.yaml'),
    `cluster: shop
key: ${at('key')}
nets: { public: { targets: [10.77.0.254], upDelay: 500ms, flapMax: 100 } }
nodes: { alpha: { public: { primary: eth0, standby: [eth1], address: 10.77.0.1/24 } } }
record: true
`,
  );
}

describe.skipIf(!root)('commands and a real daemon (needs root: network namespaces)', () => {
  beforeAll(async () => {
    await build();
    expect(run('keygen', '--dry-run').stdout).toBe(`a new key goes into ${at('key')}\n`);
    expect(run('keygen').stdout).toBe(`made ${at('key')}; copy it to every node, mode 0600\n`);
    expect(statSync(at('key')).mode & 0o777).toBe(0o600);
    const started = spawn('ip', ['netns', 'exec', alpha, process.execPath, baton, 'daemon', '--node', 'alpha'], {
      env,
    });
    daemon = started;
    const said: string[] = [];
    started.stdout.on('data', (text: Buffer) => said.push(String(text)));
    started.stderr.on('data', (text: Buffer) => said.push(String(text)));
    await until(`a daemon that answers (${said.join('')})`, () => run('status').code === 0);
    await until('both NICs up', () => healthOf('eth0') === 'up' && healthOf('eth1') === 'up');
  }, 60_000);

  afterAll(async () => {
    if (daemon && daemon.exitCode === null) {
      const ended = new Promise((resolve) => daemon?.once('exit', resolve));
      daemon.kill('SIGKILL');
      await ended;
    }
    for (const namespace of [alpha, net]) spawnSync('ip', ['netns', 'del', namespace]);
    rmSync(folder, { recursive: true, force: true });
  });

  test('status shows both NICs, and --check is content', () => {
    const { code, stdout, stderr } = run('status', '--check');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^cluster shop, node alpha\n/);
    expect(stdout).toMatch(/public +eth0 +primary +up .* 10\.77\.0\.1\/24/);
    expect(stdout).toMatch(/ +eth1 +standby +up .* ready/);
    expect(stdout).not.toContain('\u001b');
  });

  test('links, and the matrix of full polling accuses nobody', () => {
    expect(run('links').stdout).toMatch(/eth1 {2}standby of public, up for/);
    const { code, stdout } = run('links', '--matrix');
    expect(stdout).toMatch(/^net public, full polling\n/);
    expect(stdout).toMatch(/everybody hears everybody/);
    expect(code).toBe(0);
  });

  test('moments in JSON are those of the calendar, everywhere', () => {
    const moment = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
    for (const args of [['links'], ['links', '--matrix']])
      expect(json<{ nics: { since: string }[] }>(...args).nics[0]?.since).toMatch(moment);
    expect(json<{ decisions: { at: string }[] }>('why', 'eth0').decisions[0]?.at).toMatch(moment);
  });

  test('test pings the target', () => {
    const { code, stdout } = run('test');
    expect(stdout).toMatch(/public +eth0 +10\.77\.0\.254 +target +answers +\d+\.\d\d ms/);
    expect(code).toBe(0);
  });

  test('doctor finds nothing grave', () => {
    expect(run('doctor').code).toBe(0);
  });

  test('what-if takes the live cluster, not the file that BATON_CONFIG names, and touches nothing', () => {
    const told = json<Prediction>(
      'what-if',
      'cut alpha.eth0',
      'cut alpha.eth1',
      '--at',
      '0s,500ms',
      '--rehearsals',
      '1',
    );
    expect([told.from, told.node, told.differs]).toEqual(['live', 'alpha', []]);
    expect(told.timeline.map(({ text }) => text).join('\n')).toMatch(/switch-done public eth0 → eth1/);
    expect(told.addresses).toMatchObject([{ address: '10.77.0.1', node: 'alpha', outage: { forGood: 1 } }]);
    expect([healthOf('eth0'), healthOf('eth1')]).toEqual(['up', 'up']);
  });

  test('a dry run changes nothing, a switch does, and events and why tell of it', async () => {
    expect(run('link', 'switch', '--net', 'public', '--dry-run').code).toBe(0);
    expect(json<StatusDocument>('status').nets[0]?.carrier).toBe('eth0');
    expect(run('link', 'switch', 'alpha', '--net', 'public', '--to', 'eth1').code).toBe(0);
    await until('the switch', () => json<StatusDocument>('status').nets[0]?.carrier === 'eth1');
    expect(run('events').stdout).toMatch(/alpha switch-done +public/);
    expect(run('why', 'public').stdout).toMatch(/switch from eth0 to eth1/);
    expect(run('why', 'eth1').stdout).toMatch(/^eth1 {2}standby of public, up [^]*\npublic: switch from eth0 to eth1 /);
    expect(json<{ event: string }[]>('events', '--last', '3')).toHaveLength(3);
  });

  test('refusals: another node, an unknown net, an unknown NIC', () => {
    expect(run('link', 'switch', 'beta', '--net', 'public')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'baton: this is node alpha; run the command on beta\n',
    });
    expect(run('link', 'switch', '--net', 'nonet').code).toBe(1);
    expect(run('link', 'lock', 'eth9').code).toBe(1);
    expect(run('why', 'eth9').code).toBe(2);
  });

  test('lock and unlock', () => {
    expect(run('link', 'lock', 'eth0', '--for', '2h', '--reason', 'cable work').code).toBe(0);
    expect(run('status').stdout).toMatch(/locked by .* \(cable work, 1 h 59 min left\)/);
    expect(run('link', 'unlock', 'alpha', 'eth0').code).toBe(0);
    expect(run('status').stdout).not.toMatch(/locked by/);
  });

  test('a pulled cable: degraded, with the reason', async () => {
    execFileSync('ip', ['-n', net, 'link', 'set', 'to-eth0', 'down']);
    await until('the verdict', () => healthOf('eth0') === 'down carrier');
    const { code, stderr } = run('status', '--check');
    expect(code).toBe(5);
    expect(stderr).toMatch(/baton: degraded: eth0 is down carrier/);
    execFileSync('ip', ['-n', net, 'link', 'set', 'to-eth0', 'up']);
  });

  test('its recording replays to the same journal', async () => {
    daemon!.kill('SIGTERM');
    await new Promise((resolve) => daemon!.once('exit', resolve));
    expect(run('status').code).toBe(3);
    const recordings = execFileSync('find', [at('state'), '-name', '*.jsonl'], { encoding: 'utf8' })
      .trim()
      .split('\n');
    const recording = recordings.find(
      (path) => existsSync(path) && readFileSync(path, 'utf8').startsWith('{"recording"'),
    );
    expect(recording).toBeDefined();
    const { code, stdout } = run('scenario', 'replay', recording!, '--quiet');
    expect(stdout).toMatch(/inputs of alpha replayed: the same journal, byte for byte/);
    expect(stdout).toMatch(/ holds: /);
    expect(code).toBe(0);
  });
});
