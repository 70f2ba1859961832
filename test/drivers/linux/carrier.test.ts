import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Carrier } from '../../../drivers/linux/carrier.js';
import { Nics } from '../../../drivers/linux/nics.js';
import type * as cases from './inside/carrier.js';
import { asRoot, Namespace } from './inside.js';

const module = new URL('./inside/carrier.ts', import.meta.url);
type Cases = typeof cases;

describe('carrier from files', () => {
  // The loopback device lends its name and ifindex; all else is said by files of ours.
  const sysfs = mkdtempSync(join(tmpdir(), 'baton-carrier-'));
  const write = (files: Record<string, string | number>): void => {
    mkdirSync(join(sysfs, 'lo'), { recursive: true });
    for (const [name, value] of Object.entries(files)) writeFileSync(join(sysfs, 'lo', name), `${value}\n`);
  };
  const counted = (ups: number, downs: number): Record<string, number> => ({
    carrier_up_count: ups,
    carrier_down_count: downs,
    carrier_changes: ups + downs,
  });
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
  const opened: Carrier[] = [];
  const open = (): { carrier: Carrier; told: string[] } => {
    const told: string[] = [];
    const carrier = new Carrier(new Nics(['lo'], sysfs), (_nic, state) => told.push(state));
    opened.push(carrier);
    carrier.hint(['lo']);
    return { carrier, told };
  };
  beforeEach(() => write({ ifindex: 1, flags: '0x1003', carrier: 1, ...counted(0, 0) }));
  afterEach(() => {
    for (const carrier of opened.splice(0)) carrier.close();
    rmSync(sysfs, { recursive: true, force: true });
  });

  it.each([
    [1, 'up', [0, 1], 'down'],
    [0, 'down', [1, 0], 'up'],
  ] as const)('asks once when nothing was counted: born with carrier %i', async (carrier, first, counts, second) => {
    write({ carrier });
    const { carrier: watched, told } = open();
    expect(told).toEqual([]);
    await settled();
    expect(told).toEqual([first]);
    write({ carrier: 'x', ...counted(counts[0], counts[1]) });
    watched.poll();
    expect(told).toEqual([first, second]);
  });

  it.each([
    [6, 5, 'up'],
    [5, 6, 'down'],
  ])('needs not ask after %i gains and %i losses', (ups, downs, state) => {
    write({ carrier: 'x', ...counted(ups, downs) });
    expect(open().told).toEqual([state]);
  });

  it('does not believe counts that do not belong together', async () => {
    const { carrier, told } = open();
    await settled();
    write({ carrier_up_count: 0, carrier_down_count: 1, carrier_changes: 2 });
    carrier.poll();
    expect(told).toEqual(['up']);
    write(counted(0, 0));
    carrier.poll();
    expect(told).toEqual(['up']);
  });

  it('tells that a carrier was lost and came back between two looks', async () => {
    const { carrier, told } = open();
    await settled();
    write(counted(1, 1));
    carrier.poll();
    carrier.poll();
    expect(told).toEqual(['up', 'blinked']);
    write(counted(1, 2));
    carrier.poll();
    write(counted(2, 3));
    carrier.poll();
    expect(told).toEqual(['up', 'blinked', 'down']);
  });

  it('tells admin state before carrier, and nothing twice', async () => {
    write({ flags: '0x1002' });
    const { carrier, told } = open();
    carrier.poll();
    carrier.poll();
    expect(told).toEqual(['admin']);
    write({ flags: '0x1003' });
    // Admin state is looked at once in so many polls.
    for (let i = 0; i < 50; i++) carrier.poll();
    await settled();
    carrier.poll();
    expect(told).toEqual(['admin', 'up']);
  });
});

/**
 *   here: eth0 ── there: peer0     plain: iflink differs from ifindex
 *   here: eth1 ── there: peer1     physical: both have ifindex 77, events are held back as on a card
 *   here: eth2 ── there: peer2     peer2 is down
 */
describe.skipIf(!asRoot)('carrier and counters from sysfs (needs root)', () => {
  let here: Namespace;
  let there: Namespace;
  beforeAll(() => {
    here = new Namespace('carr', 'a');
    there = new Namespace('carr', 'b');
    here.ip(`link add eth0 index 50 type veth peer name peer0 index 60 netns ${there.name}`);
    here.ip(`link add eth1 index 77 type veth peer name peer1 index 77 netns ${there.name}`);
    here.ip(`link add eth2 type veth peer name peer2 netns ${there.name}`);
    here.ip(`link add eth3 type veth peer name peer3 netns ${there.name}`);
    for (const nic of ['eth0', 'eth1', 'eth2', 'eth3']) here.ip(`link set ${nic} up`);
    for (const nic of ['peer0', 'peer1', 'peer3']) there.ip(`link set ${nic} up`);
    here.ip('addr add 10.1.1.1/24 dev eth0');
    there.ip('addr add 10.1.1.2/24 dev peer0');
  });
  afterAll(() => {
    here.remove();
    there.remove();
  });

  const call = <K extends keyof Cases>(name: K, ...args: unknown[]): Promise<Awaited<ReturnType<Cases[K]>>> =>
    here.call(module, name, ...args);

  it.each([
    ['plain', 'eth0', 'peer0'],
    ['physical', 'eth1', 'peer1'],
  ])('tells each loss and return of a %s NIC, once', async (kind, nic, peer) => {
    const got = await call('flaps', nic, `-n ${there.name} link set ${peer}`, 5);
    expect(got.kind).toBe(kind);
    const round = [
      [nic, 'down'],
      [nic, 'up'],
    ];
    expect(got.told).toEqual([[nic, 'up'], ...Array.from({ length: 5 }, () => round).flat()]);
    // The point of polling: where events are held back, operstate still says up.
    if (kind === 'physical') expect(got.held).toBeGreaterThan(0);
  });

  it('finds the same when a poll reads a part of the NICs', async () => {
    const peers = ['peer0', 'peer1'].map((peer) => `-n ${there.name} link set ${peer}`);
    const told = await call('inParts', 'eth0', 'eth1', peers);
    const each = (nic: string): [string, string][] => [
      [nic, 'down'],
      [nic, 'up'],
      [nic, 'up'],
    ];
    expect(told).toEqual([...each('eth0'), ...each('eth1')]);
  });

  it('begins with what is', async () => {
    const told = await call('beginnings', 'eth2', 'nosuch');
    expect(told.sort()).toEqual([
      ['eth2', 'down'],
      ['nosuch', 'missing'],
    ]);
  });

  it('knows the carrier of a NIC that never lost it', async () => {
    const told = await call('neverCounted', 'eth3');
    expect(told.map(([, state]) => state)).toEqual(['missing', 'admin', 'up', 'down', 'up', 'missing']);
  });

  it('follows admin state, renaming, deletion and re-creation', async () => {
    const told = await call('lives', 'eth1', `link add eth1 type veth peer name peer9 netns ${there.name}`);
    const states = told.map(([, state]) => state);
    expect(states[0]).toBe('up');
    expect(states.at(-1)).toBe('down');
    expect(states.filter((state) => state === 'missing')).toHaveLength(2);
  });

  it('reads packets of NICs that exist, as numbers', async () => {
    const { before, after, gone, refreshed } = await call('counters', 'eth0', '10.1.1.2');
    expect(before).toHaveLength(1);
    expect(after[0]).toMatchObject({ nic: 'eth0', rxLinkLocal: 7 });
    expect(after[0]!.rxPackets - before[0]!.rxPackets).toBeGreaterThanOrEqual(10);
    expect(after[0]!.txPackets - before[0]!.txPackets).toBeGreaterThanOrEqual(10);
    expect(gone).toEqual([]);
    expect(refreshed).toEqual([]);
  });
});
