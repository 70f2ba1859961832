import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lateness } from '../../../drivers/linux/lateness.js';
import type * as cases from './inside/driver.js';
import { asRoot, Namespace } from './inside.js';

const module = new URL('./inside/driver.ts', import.meta.url);
type Cases = typeof cases;

describe('lateness', () => {
  it('is nothing before the first wake-up', () => {
    expect(new Lateness().summary()).toEqual({ p99Ms: 0, maxMs: 0 });
  });

  it('forgets old wake-ups in p99, but never the worst', () => {
    const lateness = new Lateness();
    lateness.add(500);
    for (let i = 1; i <= 3000; i++) lateness.add(i / 1000);
    expect(lateness.summary()).toEqual({ p99Ms: 2.971, maxMs: 500 });
  });
});

describe.skipIf(!asRoot)('the Linux driver in a namespace (needs root)', () => {
  let ns: Namespace;
  beforeAll(() => {
    ns = new Namespace('driv', 'a');
    ns.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
    ns.ip('link add eth0 type veth peer name eth1');
    for (const nic of ['eth0', 'eth1']) ns.ip(`link set ${nic} up`);
  });
  afterAll(() => ns.remove());

  const call = <K extends keyof Cases>(name: K, ...args: unknown[]): Promise<Awaited<ReturnType<Cases[K]>>> =>
    ns.call(module, name, ...args);

  it('begins with what the hands found, then tells carriers and counters', async () => {
    const got = await call('beginning');
    expect(got.early).toEqual([]);
    expect(got.first).toEqual(['started']);
    expect(got.carriers.sort()).toEqual(['eth0 up', 'eth1 up']);
    expect(got.counters).toBeGreaterThan(2);
    expect(got.counters).toBeLessThanOrEqual(12);
    expect(got.wakes).toBe(1);
    expect(got.afterClose).toBe(0);
    expect(got.lateness.maxMs).toBeGreaterThan(0);
  });

  it('says stalled first, then what waited, then woke', async () => {
    const heard = await call('stall');
    expect(heard[0]).toBeGreaterThan(200);
    expect(heard.filter((each) => typeof each === 'number').slice(1)).toEqual([1, 2, 3]);
    expect(heard.at(-1)).toBe('woke');
  });

  it('says stalled first, also when the thread slept in the middle of a turn', async () => {
    expect(await call('stallWithinTurn')).toEqual(['stalled', 'woke']);
  });

  it('hands inputs in one at a time; exit waits for the hands and is the last', async () => {
    const got = await call('performing');
    expect(got.nested).toBe(0);
    expect(got.heard).toEqual(['host-changed', 'host-observed']);
    expect(got.posted).toEqual(['change-host', 'persist']);
    expect(got.beforeSettled).toEqual(['journal']);
    expect(got.local).toEqual(['journal', 'exit']);
  });

  it('carries what membership and gate ask for; `started` is first, and exit waits for the gate', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-driver-'));
    const got = await call('voting', folder).finally(() => rmSync(folder, { recursive: true }));
    expect(got.first).toEqual(['started', 'gate-lost']);
    expect(got.came).toEqual([
      { kind: 'persisted', id: 5 },
      { kind: 'arbiter-answered', id: 6, answer: { outcome: 'missing' } },
      { kind: 'gate-written', id: 7, outcome: { ok: true }, tookMs: 1 },
    ]);
    expect(got.posted.map(({ id }) => id)).toEqual([7, 6]);
    expect(got.beforeGate).toEqual([]);
    expect(got.local).toEqual(['exit']);
  });

  it('without a gate every write-gate is done, never within perform; what cannot be done is counted', async () => {
    const got = await call('alone');
    expect(got.within).toBe(0);
    expect(got.came).toEqual([{ kind: 'gate-written', id: 3, outcome: { ok: true }, tookMs: 0 }]);
    expect(got.drops).toEqual({ 'store-nowhere': 1, 'ask-nobody': 1 });
  });

  it('has a heartbeat socket before the machine hears of the address', async () => {
    expect(await call('heartbeat')).toEqual({ heard: [[7]], drops: {} });
  });

  it('wakes when asked, never before', async () => {
    const { late } = await call('waking', 50);
    expect(late).toHaveLength(50);
    expect(late[0]).toBeGreaterThanOrEqual(0);
  });
});
