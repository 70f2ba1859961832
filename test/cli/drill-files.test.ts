/** Where pictures and XML are put, and what is said if they cannot be. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeJunit, writePictures } from '../../src/cli/drill-files.js';
import { drawnDrill } from '../drill/picture/drawn-drill.js';

describe('files of drills', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'baton-pictures-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('one drill is one page, where it was asked for', async () => {
    const path = join(folder, 'one.html');
    expect(await writePictures([drawnDrill()], path)).toBe(path);
    expect(readdirSync(folder)).toEqual(['one.html']);
  });

  it('several are a folder with an index; a drill that ran twice has two pages', async () => {
    const path = join(folder, 'many');
    const drills = [drawnDrill(), drawnDrill(), { ...drawnDrill(), scenario: 'other' }];
    for (let times = 0; times < 2; times++) expect(await writePictures(drills, path)).toBe(join(path, 'index.html'));
    expect(readdirSync(path).sort()).toEqual(['index.html', 'made-up-2.html', 'made-up.html', 'other.html']);
  });

  it('one drill into a folder that is there has its index, too', async () => {
    expect(await writePictures([drawnDrill()], folder)).toBe(join(folder, 'index.html'));
  });

  it.each(['/proc/nowhere/one.html', '/nowhere/at/all.html'])('%s: says what is wrong, at once', async (path) => {
    await expect(writePictures([drawnDrill()], path)).rejects.toThrow(`cannot write ${path}: there is no folder`);
    await expect(writeJunit([drawnDrill()], path)).rejects.toThrow(`cannot write ${path}: there is no folder`);
    const many = `${path}/many/`;
    await expect(writePictures([drawnDrill()], many)).rejects.toThrow(`cannot make the folder ${many}: ENOENT`);
  });
});
