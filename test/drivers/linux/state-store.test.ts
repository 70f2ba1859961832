import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freshSlots, SECTOR } from '../../../drivers/linux/state-slots.js';
import { readState, StateStore, type Persisted } from '../../../drivers/linux/state-store.js';
import { asRoot } from './inside.js';

const root = mkdtempSync(join(tmpdir(), 'baton-state-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
let file: string;
let made = 0;
let told: Persisted[];
beforeEach(() => {
  folder = join(root, String(made++));
  mkdirSync(folder);
  file = join(folder, 'state.record');
  told = [];
});

const opened: StateStore[] = [];
const open = (directory = folder): StateStore => {
  const store = new StateStore(directory, (input) => told.push(input));
  opened.push(store);
  return store;
};
const closeAll = async (): Promise<void> => {
  for (const store of opened.splice(0)) await store.close();
};
afterEach(closeAll);

const fileOf = (value: unknown): Buffer => freshSlots(Buffer.from(JSON.stringify(value)), 1).bytes;
const toldOf = (id: number) => vi.waitFor(() => expect(told.at(-1)?.id).toBe(id));
const record = { storageId: 'f'.repeat(32), term: 3, votedFor: null, document: { voters: { next: [] } } };

describe('the durable record', () => {
  it('is read as it was written, by its owner alone', async () => {
    open().store(1, record);
    await toldOf(1);
    expect(told).toEqual([{ kind: 'persisted', id: 1 }]);
    expect(readState(folder)).toEqual({ durable: record, damaged: false });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['state.record']);
  });

  it('is none, and not damaged, where there was never one', () => {
    expect(readState(folder)).toEqual({ durable: null, damaged: false });
  });

  it('P2: is damaged when it is empty, cut, no JSON, altered in any byte, or cannot be read', () => {
    const bytes = fileOf(record);
    for (const wrong of [
      '',
      '{}',
      bytes.subarray(0, -1),
      bytes.subarray(0, bytes.length / 2),
      Buffer.alloc(bytes.length),
      Buffer.concat([bytes, bytes]),
      JSON.stringify(record),
    ]) {
      writeFileSync(file, wrong);
      expect(readState(folder)).toMatchObject({ durable: null, damaged: true });
    }
    for (let at = 0; at < bytes.length; at += at < SECTOR ? 7 : 331) {
      const altered = Buffer.from(bytes);
      altered[at]! ^= 1;
      writeFileSync(file, altered);
      expect(readState(folder), `byte ${at}`).toMatchObject({ durable: null, damaged: true });
    }
    rmSync(file);
    mkdirSync(file);
    expect(readState(folder)).toMatchObject({
      durable: null,
      damaged: true,
      trouble: expect.stringContaining('EISDIR') as string,
    });
  });

  it('survives any plain data', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        writeFileSync(file, fileOf(value));
        expect(JSON.stringify(readState(folder).durable)).toBe(JSON.stringify(value));
      }),
      { numRuns: 200 },
    );
  });

  it('is as it was when it was asked for, although the state goes on', async () => {
    const state = { term: 1 };
    const store = open();
    store.store(1, state);
    state.term = 2;
    await toldOf(1);
    expect(readState(folder).durable).toEqual({ term: 1 });
  });

  it('is written in order; of those that wait only the newest, which stands for the others', async () => {
    const store = open();
    await store.prepare();
    for (let id = 1; id <= 50; id++) store.store(id, { term: id });
    await toldOf(50);
    expect(told.map(({ id }) => id)).toEqual([1, 50]);
    expect(readState(folder).durable).toEqual({ term: 50 });
    store.store(51, { term: 51 });
    await toldOf(51);
    expect(readState(folder).durable).toEqual({ term: 51 });
  });

  it('stays whole when the process died while it wrote the new one', async () => {
    const store = open();
    store.store(1, record);
    await toldOf(1);
    writeFileSync(`${file}.new`, fileOf({ ...record, term: 4 }).subarray(0, 40));
    expect(readState(folder).durable).toEqual(record);
    store.store(2, { ...record, term: 5 });
    await toldOf(2);
    expect(readState(folder).durable).toEqual({ ...record, term: 5 });
  });

  it('says why it could not be stored, and goes on with the next', async () => {
    const store = open(join(folder, 'sub'));
    store.store(1, record);
    await toldOf(1);
    expect(told[0]).toMatchObject({
      id: 1,
      failed: { code: 'ENOENT', text: expect.stringContaining('sub') as string },
    });
    mkdirSync(join(folder, 'sub'));
    store.store(2, record);
    await toldOf(2);
    expect(told[1]).toEqual({ kind: 'persisted', id: 2 });
  });

  it('never follows a link that somebody laid', async () => {
    writeFileSync(join(root, 'precious'), 'untouched');
    symlinkSync(join(root, 'precious'), `${file}.new`);
    const store = open();
    store.store(1, record);
    await toldOf(1);
    expect(told[0]?.failed?.code).toBe('ELOOP');
    expect(readFileSync(join(root, 'precious'), 'utf8')).toBe('untouched');
    rmSync(`${file}.new`);
    writeFileSync(join(root, 'precious'), fileOf(record));
    symlinkSync(join(root, 'precious'), file);
    store.store(2, { ...record, term: 8 });
    await toldOf(2);
    expect(readFileSync(join(root, 'precious'))).toEqual(fileOf(record));
    expect(readState(folder).durable).toEqual({ ...record, term: 8 });
  });

  it('goes on in the same file, from daemon to daemon', async () => {
    open().store(1, { term: 0 });
    await toldOf(1);
    const { ino } = statSync(file);
    for (let term = 1; term <= 5; term++) {
      await closeAll();
      const store = open();
      store.store(2 * term, { term });
      await toldOf(2 * term);
      store.store(2 * term + 1, { term, more: true });
      await toldOf(2 * term + 1);
      expect(readState(folder).durable).toEqual({ term, more: true });
    }
    expect(statSync(file).ino).toBe(ino);
  });

  it('moves to a larger file when it has outgrown its own, and stays there', async () => {
    const store = open();
    store.store(1, record);
    await toldOf(1);
    const { size } = statSync(file);
    store.store(2, { ...record, ballast: 'x'.repeat(50_000) });
    await toldOf(2);
    expect(statSync(file).size).toBeGreaterThan(2 * 50_000);
    store.store(3, record);
    await toldOf(3);
    expect(readState(folder).durable).toEqual(record);
    expect(statSync(file).size).toBeGreaterThan(size);
  });

  it('gets a new file where somebody removed the old one, or put another in its place', async () => {
    const store = open();
    store.store(1, record);
    await toldOf(1);
    rmSync(file);
    store.store(2, { ...record, term: 7 });
    await toldOf(2);
    expect(readState(folder).durable).toEqual({ ...record, term: 7 });
    rmSync(file);
    writeFileSync(file, 'not ours');
    store.store(3, { ...record, term: 8 });
    await toldOf(3);
    expect(readState(folder).durable).toEqual({ ...record, term: 8 });
  });

  it('P2: is replaced where it was damaged', async () => {
    writeFileSync(file, 'not a record');
    open().store(1, record);
    await toldOf(1);
    expect(readState(folder)).toEqual({ durable: record, damaged: false });
  });
});

describe.skipIf(!asRoot)('the durable record on a file system of its own (needs root)', () => {
  it('on a full disk the old one stays, and ENOSPC is told', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'baton-state', folder]);
    try {
      const store = open();
      store.store(1, record);
      await toldOf(1);
      store.store(2, { ...record, ballast: 'x'.repeat(100_000) });
      await toldOf(2);
      expect(told[1]?.failed?.code).toBe('ENOSPC');
      expect(readState(folder).durable).toEqual(record);
      expect(() => writeFileSync(join(folder, 'filler'), Buffer.alloc(1 << 16))).toThrow('ENOSPC');
      store.store(3, { ...record, term: 9 });
      await toldOf(3);
      // What it has it has: a record of the same size needs no room.
      expect(told[2]).toEqual({ kind: 'persisted', id: 3 });
      expect(readState(folder).durable).toEqual({ ...record, term: 9 });
      expect(readdirSync(folder).sort()).toEqual(['filler', 'state.record']);
      await closeAll();
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  it('on a read-only file system EROFS is told', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'baton-state', folder]);
    try {
      open().store(1, record);
      await toldOf(1);
      expect(told[0]?.failed?.code).toBe('EROFS');
      await closeAll();
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  it('on a file system that has become read-only EROFS is told, and the record is still read', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'baton-state', folder]);
    try {
      open().store(1, record);
      await toldOf(1);
      await closeAll();
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      expect(readState(folder)).toEqual({ durable: record, damaged: false });
      open().store(2, { ...record, term: 9 });
      await toldOf(2);
      expect(told[1]?.failed?.code).toBe('EROFS');
      expect(readState(folder).durable).toEqual(record);
      await closeAll();
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  /** The system calls of two records in a process of its own, which is killed at one of them. */
  const traced = (inject?: string): string[] => {
    const log = join(folder, '..', `strace-${made}`);
    const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
    const node = [process.execPath, '--import', beside('typescript.js'), beside('inside-call.ts')];
    const call = [new URL('./inside/state-store.ts', import.meta.url).href, 'storeTwo', JSON.stringify([folder])];
    const trace = [
      '-e',
      'trace=openat,write,pwrite64,fsync,fdatasync,rename',
      ...(inject ? ['-e', `inject=${inject}`] : []),
    ];
    // One thread in the pool: strace counts calls by thread.
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
    spawnSync('strace', ['-f', '-qq', '-y', '-o', log, ...trace, ...node, ...call], { env });
    const lines = readFileSync(log, 'utf8').split('\n');
    return lines.filter((line) => line.includes(folder)).flatMap((line) => /^\d+ +(\w+)\(/.exec(line)?.slice(1) ?? []);
  };

  it('gets a file that is written, synced, renamed, and its directory synced; then it is overwritten in place', () => {
    const first = ['openat', 'openat', 'pwrite64', 'fsync', 'rename', 'openat', 'fsync'];
    expect(traced()).toEqual([...first, 'pwrite64']);
    expect(readState(folder).durable).toEqual({ term: 2 });
    // As a daemon does that starts again: the same once more, then the new ones.
    expect(traced()).toEqual(['openat', 'pwrite64', 'pwrite64', 'pwrite64']);
    expect(readState(folder).durable).toEqual({ term: 2 });
    const opened = readFileSync(join(folder, '..', `strace-${made}`), 'utf8').split('\n');
    expect(opened.find((line) => line.includes('state.record'))).toMatch(/O_RDWR\|O_DSYNC\|O_NOFOLLOW/);
  }, 60_000);

  it.each([
    ['fsync:signal=KILL:when=2', 1],
    ['pwrite64:signal=KILL:when=2', 2],
    ['rename:signal=KILL:when=1', 1],
  ])(
    'killed at %s, the old or the new one is whole',
    (inject, latest) => {
      traced(inject);
      const found = readState(folder);
      expect(found.damaged).toBe(false);
      expect([null, 1, latest]).toContain((found.durable as { term: number } | null)?.term ?? null);
      if (latest > 1) expect(found.durable).not.toBeNull();
    },
    60_000,
  );
});
