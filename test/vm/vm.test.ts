/** The parts of the virtual machine that need none: the archive, the order of modules, and the reason for skipping. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeEntry, writeArchive } from './archive.js';
import { CASES } from './cases.js';
import { dependenciesIn, inOrder, missing } from './kernel.js';

describe('archive', () => {
  it('writes an entry as buffer-format.rst has it: 13 fields of 8 hex digits, name and content padded to 4', () => {
    const entry = encodeEntry('a', 0o100644, Buffer.from('hello'), 7);
    const fields = ['00000007', '000081A4', ...Array<string>(2).fill('00000000'), '00000001', '00000000', '00000005'];
    const header = `070701${[...fields, ...Array<string>(4).fill('00000000'), '00000002', '00000000'].join('')}`;
    expect(entry.toString('latin1')).toBe(`${header}a\0hello\0\0\0`);
    expect(entry.length % 4).toBe(0);
  });

  it('makes the folders above an entry, each before what is in it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-archive-'));
    try {
      writeFileSync(join(folder, 'here'), 'content');
      const target = join(folder, 'image');
      writeArchive(
        target,
        new Map([
          ['a/b/file', { file: join(folder, 'here'), mode: 0o600 }],
          ['a/link', { link: 'b' }],
        ]),
      );
      const names = [...readFileSync(target, 'latin1').matchAll(/070701[0-9A-F]{104}([^\0]+)\0/g)].map((m) => m[1]);
      expect(names).toEqual(['a', 'a/b', 'a/b/file', 'a/link', 'TRAILER!!!']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('modules', () => {
  it('are loaded after what they need, each once', () => {
    const needs: Record<string, string[]> = {
      bonding: ['tls'],
      team: [],
      virtio_net: ['virtio', 'ring'],
      virtio: ['ring'],
    };
    expect(inOrder(['bonding', 'virtio_net', 'virtio'], (name) => needs[name] ?? [])).toEqual([
      ...['tls', 'bonding', 'ring', 'virtio', 'virtio_net'],
    ]);
  });

  it('say what they need in their section .modinfo', () => {
    expect(dependenciesIn(Buffer.from('x\0license=GPL\0depends=nf-tables,tls\0y'))).toEqual(['nf_tables', 'tls']);
    expect(dependenciesIn(Buffer.from('x\0depends=\0'))).toEqual([]);
    expect(dependenciesIn(Buffer.from('nothing'))).toEqual([]);
  });
});

it('the guest runs bash: its first program is well formed', () => {
  expect(() => execFileSync('bash', ['-n', new URL('guest/init', import.meta.url).pathname])).not.toThrow();
});

it('every case has a name of its own, and where no machine can run the reason is a sentence', () => {
  const names = CASES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(missing() ?? 'it can run').toMatch(/\w+ \w+/);
});
