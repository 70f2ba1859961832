/** A durable record outlives a crash only if it was synced; what was under way may be there or not. */
import { beforeEach, expect, test } from 'vitest';
import { Disk } from '../../../drivers/simulator/disk.js';
import { World } from '../../../drivers/simulator/wire.js';

let world: World;
let disk: Disk;
let told: [number, string?][];

function write(id: number): void {
  disk.write(id, { id }, (done, failed) => told.push(failed ? [done, failed.code] : [done]));
}

function fresh(seed: number): void {
  world = new World(seed);
  disk = new Disk(world, world.random.stream('disk'));
  told = [];
}

beforeEach(() => fresh(1));

test('a write is told once it is synced, and is there then', () => {
  expect(disk.read()).toEqual({ durable: null, damaged: false });
  write(1);
  expect(disk.read().durable).toBeNull();
  world.clock.runUntil(10);
  expect(told).toEqual([[1]]);
  disk.crash();
  expect(disk.read().durable).toEqual({ id: 1 });
});

test('of several that wait only the newest is written', () => {
  for (const id of [1, 2, 3]) write(id);
  world.clock.runUntil(20);
  expect(told).toEqual([[1], [3]]);
});

test('a crash leaves the write under way done or undone, and never the one behind it', () => {
  const found = new Set<unknown>();
  for (let seed = 1; seed <= 40; seed++) {
    fresh(seed);
    write(1);
    world.clock.runUntil(10);
    write(2);
    write(3);
    disk.crash();
    world.clock.runUntil(50);
    expect(told).toEqual([[1]]);
    found.add((disk.read().durable as { id: number }).id);
  }
  expect([...found].sort()).toEqual([1, 2]);
});

test('a full disk refuses and keeps what it has; a lost one is empty; a damaged one says so', () => {
  write(1);
  world.clock.runUntil(10);
  disk.refusal = { code: 'ENOSPC', text: 'No space left on device' };
  write(2);
  world.clock.runUntil(20);
  expect(told).toEqual([[1], [2, 'ENOSPC']]);
  expect(disk.read().durable).toEqual({ id: 1 });
  disk.damage();
  expect(disk.read()).toEqual({ durable: null, damaged: true });
  disk.lose();
  expect(disk.read()).toEqual({ durable: null, damaged: false });
});
