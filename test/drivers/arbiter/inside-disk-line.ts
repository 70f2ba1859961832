/** Run by disk-line.test.ts in a process of its own: `story FOLDER` prints the answers as JSON. */
import { readdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DiskLine } from '../../../drivers/arbiter/disk/disk-line.js';
import type { ArbiterAnswer, DiskRequest } from '../../../src/membership/arbiter-record.js';

const folder = process.argv[3]!;
const keyFile = join(folder, 'key');
const hex = (byte: string): string => byte.repeat(32);
const SOON_MS = 20_000;

function put(storageId: string, writes: number): DiskRequest {
  const version = { term: 0, revision: 0 };
  const orders = { clusterHalted: false, haltedNodes: [], removedNodes: [], packages: {} };
  const voters = { next: [{ name: 'alpha', storageId: hex('0') }] };
  const document = { version, voters, placements: {}, orders, digest: 'd' };
  const block = { term: 1, role: 'none', beat: 0, run: '0123456789abcdef', writes, version } as const;
  return { ask: 'put', storageId, block, document, mend: false };
}

/** Process id of the child that has the disk open. */
function ioProcess(): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const opened = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (parent === process.pid && opened.includes(join(folder, 'disk'))) return Number(pid);
    } catch {
      // It ended meanwhile.
    }
  throw new Error('nobody has the disk open');
}

const line = new DiskLine({
  paths: [join(folder, 'disk')],
  cluster: 'shop',
  node: 'alpha',
  keys: [hex('01')],
  keyFile,
});
const answers: ArbiterAnswer[] = [];
const first = await line.ask({ ask: 'look' }, SOON_MS);
answers.push(first);
const { storageId } = first as Extract<ArbiterAnswer, { outcome: 'blocks' }>;
// A second key, then the first is gone: the header is still under it.
writeFileSync(keyFile, `${hex('01')}\n${hex('02')}\n`);
utimesSync(keyFile, 2, 2);
await line.ask({ ask: 'look' }, SOON_MS);
writeFileSync(keyFile, `${hex('02')}\n`);
utimesSync(keyFile, 3, 3);
answers.push(await line.ask(put(storageId, 1), SOON_MS));
const child = ioProcess();
process.kill(child, 'SIGSTOP');
answers.push(await line.ask(put(storageId, 2), 200), await line.ask({ ask: 'look' }, 100));
process.kill(child, 'SIGCONT');
await sleep(50);
answers.push(await line.ask({ ask: 'look' }, SOON_MS));
line.close();
console.log(JSON.stringify(answers));
