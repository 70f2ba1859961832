import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { KeyError, readKey, writeNewKey } from '../../src/config/key.js';

const folder = mkdtempSync(join(tmpdir(), 'baton-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a new key is 64 hex digits, mode 0600, and reads back', () => {
  const path = join(folder, 'new');
  writeNewKey(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  expect(Buffer.from(readKey(path)).toString('hex')).toBe(readFileSync(path, 'utf8').trim());
});

test('two keys differ', () => {
  writeNewKey(join(folder, 'a'));
  writeNewKey(join(folder, 'b'));
  expect(readFileSync(join(folder, 'a'))).not.toEqual(readFileSync(join(folder, 'b')));
});

test('an existing file is never overwritten', () => {
  const path = join(folder, 'old');
  writeFileSync(path, 'precious');
  expect(() => writeNewKey(path)).toThrow(/exists and is left as it is/);
  expect(readFileSync(path, 'utf8')).toBe('precious');
});

const GOOD = `${'0123456789abcdef'.repeat(4)}\n`;

test.each<[string, (path: string) => void, RegExp | null]>([
  ['good', (path) => writeFileSync(path, GOOD, { mode: 0o600 }), null],
  ['read-only for its owner', (path) => writeFileSync(path, GOOD, { mode: 0o400 }), null],
  ['in capitals, without line end', (path) => writeFileSync(path, GOOD.trim().toUpperCase(), { mode: 0o600 }), null],
  ['missing', () => {}, /there is none; make one with: baton keygen --out \/.*missing$/],
  [
    'world-readable',
    (path) => (writeFileSync(path, GOOD), chmodSync(path, 0o644)),
    /others may read it \(mode 0644\); do: chmod 0600 \//,
  ],
  ['group-readable', (path) => (writeFileSync(path, GOOD), chmodSync(path, 0o640)), /others may read it \(mode 0640\)/],
  [
    'empty',
    (path) => writeFileSync(path, '', { mode: 0o600 }),
    /the file is empty; expected one line of 64 hex digits/,
  ],
  [
    'too short',
    (path) => writeFileSync(path, GOOD.slice(1), { mode: 0o600 }),
    /found 63 characters; expected one line of 64 hex digits/,
  ],
  [
    'not hex',
    (path) => writeFileSync(path, GOOD.replace('a', 'g'), { mode: 0o600 }),
    /expected one line of 64 hex digits/,
  ],
  ['two lines', (path) => writeFileSync(path, GOOD + GOOD, { mode: 0o600 }), /expected one line of 64 hex digits/],
  ['a link', (path) => symlinkSync('/etc/hostname', path), /symbolic link/],
])('a key file that is %s', (what, make, refusal) => {
  const path = join(folder, what.replace(/\W/g, '-'));
  make(path);
  if (refusal === null) expect(readKey(path)).toHaveLength(32);
  else {
    expect(() => readKey(path)).toThrow(refusal);
    expect(() => readKey(path)).toThrow(KeyError);
  }
});

test('a directory is no key', () => {
  expect(() => readKey(folder)).toThrow(/it is not a file/);
});
