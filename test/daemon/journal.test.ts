import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/daemon/journal.js';
import type { JournalEntry } from '../../src/status.js';

const entry = (cause: string): JournalEntry => ({ at: 5, event: 'operator', cause });
const fail = (error: Error): void => {
  throw error;
};

describe('journal', () => {
  let stateDir: string;
  beforeEach(() => (stateDir = mkdtempSync(join(tmpdir(), 'baton-journal-'))));
  afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

  it('keeps entries over a restart, and passes over a line that was cut by a crash', async () => {
    const first = new Journal(stateDir, 'alpha', fail);
    first.add(entry('one'));
    await first.close();
    appendFileSync(join(stateDir, 'journal.jsonl'), '{"at":6,"event":"op');
    const second = new Journal(stateDir, 'alpha', fail);
    expect(second.last().map((line) => [line.node, line.cause])).toEqual([['alpha', 'one']]);
    await second.close();
  });

  it('starts a line of its own after one that was cut', async () => {
    appendFileSync(join(stateDir, 'journal.jsonl'), '{"at":6,"event":"op');
    const journal = new Journal(stateDir, 'alpha', fail);
    journal.add(entry('after'));
    await journal.close();
    expect(readFileSync(join(stateDir, 'journal.jsonl'), 'utf8').split('\n').at(-2)).toContain('"after"');
    const again = new Journal(stateDir, 'alpha', fail);
    expect(again.last().map((line) => line.cause)).toEqual(['after']);
    await again.close();
  });

  it('tells followers each new entry, until they leave', async () => {
    const journal = new Journal(stateDir, 'alpha', fail);
    const heard: string[] = [];
    const leave = journal.follow((line) => heard.push(line.cause));
    journal.add(entry('one'));
    leave();
    journal.add(entry('two'));
    expect(heard).toEqual(['one']);
    expect(journal.last(1).map((line) => line.cause)).toEqual(['two']);
    await journal.close();
  });

  it('goes on in memory, and says so once, when the directory takes no files', async () => {
    const troubles: Error[] = [];
    const journal = new Journal('/sys/kernel', 'alpha', (error) => troubles.push(error));
    journal.add(entry('one'));
    await expect.poll(() => troubles.length).toBe(1);
    journal.add(entry('two'));
    expect(journal.last().map((line) => line.cause)).toEqual(['one', 'two']);
    await journal.close();
    expect(troubles).toHaveLength(1);
  });
});
