/**
 * `npm run test:vm [NAME...]`: what this kernel cannot show, in virtual machines with Debian's own. One machine at a time,
 * on an emulated processor, so that it runs wherever Linux does.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case, Stand } from './case.js';
import { CASES } from './cases.js';
import { buildImage } from './image.js';
import { missing, packages, type Packages } from './kernel.js';
import type { Machine } from './machine.js';
import { Machine as Booted } from './machine.js';

const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(1)} s`;

async function runCase(one: Case, folder: string, image: string, of: Packages): Promise<string | null> {
  const machines: Machine[] = [];
  const own = join(folder, one.name);
  mkdirSync(own);
  const stand: Stand = {
    folder: own,
    boot: async (name, options = {}) => {
      const machine = await Booted.boot({ packages: of, image, folder: own, name, ...options });
      machines.push(machine);
      return machine;
    },
    tell: (what) => console.log(`    ${what}`),
  };
  try {
    await one.run(stand);
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    for (const machine of machines) await machine.end();
  }
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !CASES.some((one) => one.name === name));
  if (unknown !== undefined) {
    console.error(`there is no case ${unknown}; there are ${CASES.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const reason = missing();
  if (reason !== null) {
    console.log(`skipped: ${reason}`);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'baton-vm-'));
  try {
    const from = performance.now();
    const of = packages();
    const image = join(folder, 'image.cpio');
    await buildImage(image, of);
    console.log(`kernel ${of.release}, image built in ${seconds(from)}`);
    return await runAll(names, folder, image, of);
  } finally {
    if (process.env['BATON_VM_KEEP'] === undefined) rmSync(folder, { recursive: true, force: true });
    else console.log(`kept: ${folder}`);
  }
}

async function runAll(names: readonly string[], folder: string, image: string, of: Packages): Promise<number> {
  let failures = 0;
  for (const one of CASES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const reason = one.lacks?.() ?? null;
    if (reason !== null) {
      console.log(`skipped  ${one.name}: ${reason}`);
      continue;
    }
    console.log(`         ${one.name}: ${one.title}`);
    const from = performance.now();
    const wrong = await runCase(one, folder, image, of);
    console.log(`${wrong === null ? 'passed ' : 'FAILED '}  ${one.name} (${seconds(from)})`);
    if (wrong === null) continue;
    failures++;
    console.log(wrong.replace(/^/gm, '    '));
  }
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
