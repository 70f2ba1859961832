import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../../src/daemon/recorder.js';

describe('recorder', () => {
  it('goes on in a new file past 64 MiB, and keeps four', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-recorder-'));
    try {
      let full = 0;
      const recorder = new Recorder(
        folder,
        () => full++,
        (error) => expect.unreachable(error.message),
      );
      for (let i = 1; i <= 6; i++) recorder.begin(`start ${i}\n`);
      recorder.add('x'.repeat(64 * 1024 * 1024));
      recorder.add('y');
      expect(full).toBe(1);
      await recorder.close();
      expect(readdirSync(folder).sort()).toEqual([3, 4, 5, 6].map((i) => `recording-00000${i}.jsonl`));
      expect(readFileSync(join(folder, 'recording-000005.jsonl'), 'utf8')).toBe('start 5\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('tells that the state directory is gone, and ends nothing', async () => {
    const told: string[] = [];
    const recorder = new Recorder(
      join(tmpdir(), 'baton-no-such-directory'),
      () => expect.unreachable(),
      (error) => told.push((error as NodeJS.ErrnoException).code ?? ''),
    );
    expect(recorder.begin('start\n')).toBe(null);
    recorder.add('line\n');
    await recorder.close();
    expect(told).toEqual(['ENOENT']);
  });
});
