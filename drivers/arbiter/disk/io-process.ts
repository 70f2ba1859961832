/**
 * The process that reads and writes the arbiter's disks: one question after the other, as lines of JSON. A disk that hangs
 * holds it in the kernel for as long as it likes, where no signal ends it; batond goes on, and stops, without it. Its lock
 * on the own block lives as long as that write: a process that comes after it writes nothing before it is done.
 */
import { readSync, statSync, writeSync } from 'node:fs';
import { readKeys } from '../../../src/config/key.js';
import type { DiskRequest } from '../../../src/membership/arbiter-record.js';
import { setThreadName } from '../../linux/socket.js';
import { Disks } from './disks.js';
import { diskKey } from './layout.js';

/** The first line. */
export interface DiskSettings {
  paths: string[];
  cluster: string;
  node: string;
  /** Cluster keys in hex, the oldest first: with that one everybody can read what is written. */
  keys: string[];
  /** Where they come from; it is read anew when it has changed. */
  keyFile: string;
}

function* lines(): Generator<string> {
  const chunk = Buffer.alloc(64 * 1024);
  let rest = Buffer.alloc(0);
  for (;;) {
    const got = readSync(0, chunk, 0, chunk.length, null);
    if (got === 0) return;
    rest = Buffer.concat([rest, chunk.subarray(0, got)]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.toString('utf8', 0, end);
      rest = rest.subarray(end + 1);
    }
  }
}

function say(value: unknown): void {
  const line = Buffer.from(`${JSON.stringify(value)}\n`, 'utf8');
  for (let done = 0; done < line.length;) done += writeSync(1, line, done);
}

/** Keys as the key file has them now; a file that cannot be read, or knows none of the present keys, changes nothing. */
class Keys {
  readonly #path: string;
  #hex: string[];
  #read = '';
  /** Those that were given up, too: what was written under them is written anew one after the other. */
  #disk: Buffer[] = [];

  constructor({ keys, keyFile }: DiskSettings) {
    this.#path = keyFile;
    this.#hex = keys;
    this.#take(keys);
  }

  get present(): readonly Buffer[] {
    try {
      const { ino, mtimeMs } = statSync(this.#path);
      const read = `${ino} ${mtimeMs}`;
      if (read === this.#read) return this.#disk;
      this.#read = read;
      const found = readKeys(this.#path).map((key) => Buffer.from(key).toString('hex'));
      if (found.some((key) => this.#hex.includes(key))) this.#take(found);
    } catch {
      // batond says what is wrong with its key file.
    }
    return this.#disk;
  }

  #take(keys: string[]): void {
    this.#hex = keys;
    const fresh = keys.map((key) => diskKey(Buffer.from(key, 'hex')));
    this.#disk = [...fresh, ...this.#disk.filter((old) => !fresh.some((key) => key.equals(old)))];
  }
}

setThreadName('baton-disk');
// The terminal's keys are for batond, whose end is the end of this input.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
let disks: Disks | null = null;
for (const line of lines()) {
  const heard = JSON.parse(line) as DiskSettings | { question: DiskRequest };
  if ('question' in heard) say(disks!.ask(heard.question));
  else {
    const { paths, cluster, node } = heard;
    const keys = new Keys(heard);
    disks = new Disks(paths, {
      cluster,
      node,
      get keys() {
        return keys.present;
      },
    });
  }
}
