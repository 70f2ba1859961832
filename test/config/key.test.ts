import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { addKey, dropOldKey, KeyError, keyId, readKeys, writeNewKey } from '../../src/config/key.js';

const folder = mkdtempSync(join(tmpdir(), 'baton-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a new key is 64 hex digits, mode 0600, and reads back', () => {
  const path = join(folder, 'new');
  writeNewKey(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
  expect(Buffer.from(readKeys(path)[0]!).toString('hex')).toBe(readFileSync(path, 'utf8').trim());
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

const OTHER = `${'fedcba9876543210'.repeat(4)}\n`;
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
  ['the same twice', (path) => writeFileSync(path, GOOD + GOOD, { mode: 0o600 }), /both lines are the same key/],
  [
    'three lines',
    (path) => writeFileSync(path, GOOD + OTHER + OTHER.replace('1', '2'), { mode: 0o600 }),
    /found 3 lines; expected one line of 64 hex digits, .* or two during a rotation/,
  ],
  [
    'half a second line',
    (path) => writeFileSync(path, GOOD + OTHER.slice(9), { mode: 0o600 }),
    /found 55 characters in line 2/,
  ],
  ['a link', (path) => symlinkSync('/etc/hostname', path), /symbolic link/],
])('a key file that is %s', (what, make, refusal) => {
  const path = join(folder, what.replace(/\W/g, '-'));
  make(path);
  if (refusal === null) expect(readKeys(path)[0]!).toHaveLength(32);
  else {
    expect(() => readKeys(path)[0]!).toThrow(refusal);
    expect(() => readKeys(path)[0]!).toThrow(KeyError);
  }
});

test('a directory is no key', () => {
  expect(() => readKeys(folder)).toThrow(/it is not a file/);
});

describe('rotation', () => {
  const made = (name: string, mode = 0o600): string => {
    const path = join(folder, name);
    writeFileSync(path, GOOD);
    chmodSync(path, mode);
    return path;
  };

  test('the id of a key is these digits', () => {
    expect(keyId(readKeys(made('id'))[0]!)).toBe('f4e73df2');
  });

  test('a key is added below the other, and their ids differ in the first byte; mode stays, nothing is left beside', () => {
    const path = made('add', 0o400);
    const ids = addKey(path);
    const [older, newer] = readKeys(path).map(keyId);
    expect([older, newer]).toEqual(ids);
    expect(newer!.slice(0, 2)).not.toBe(older!.slice(0, 2));
    expect(readFileSync(path, 'utf8').startsWith(GOOD)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o400);
    expect(readdirSync(folder).filter((name) => name.startsWith('add'))).toEqual(['add']);
  });

  test('there are never two rotations at once', () => {
    const path = made('twice');
    addKey(path);
    const before = readFileSync(path, 'utf8');
    expect(() => addKey(path)).toThrow(/a rotation is under way/);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('the end leaves the newer key; without a rotation there is none', () => {
    const path = made('end');
    const [, newer] = addKey(path);
    expect(dropOldKey(path)).toBe(newer);
    expect(readKeys(path).map(keyId)).toEqual([newer]);
    expect(() => dropOldKey(path)).toThrow(/no rotation is under way/);
  });

  test('what a killed command left is in the way for a minute, and then is not', () => {
    const path = made('killed');
    writeFileSync(`${path}.new`, 'half');
    expect(() => addKey(path)).toThrow(/another baton keygen is at work/);
    expect(readFileSync(path, 'utf8')).toBe(GOOD);
    const longAgo = new Date(Date.now() - 61_000);
    utimesSync(`${path}.new`, longAgo, longAgo);
    expect(addKey(path)).toHaveLength(2);
  });
});
