import { Flags } from '@oclif/core';
import { existsSync } from 'node:fs';
import { addKey, dropOldKey, keyId, readKeys, writeNewKey } from '../../config/key.js';
import { readClusterFile } from '../../config/parse.js';
import type { KeysStatus } from '../../status.js';
import { BatonCommand, Failure } from '../command.js';

const USUAL = '/etc/baton/cluster.key';

interface Made {
  file: string;
  made: boolean;
  /** Ids of the keys in it, the newest last. */
  keys: string[];
}

export default class Keygen extends BatonCommand {
  static override summary = 'make a cluster key, or replace it by another without a message lost';
  static override description = [
    'One line of 64 hex digits, mode 0600, never over an existing file. Copy it to every node.',
    'With --rotate a second line is added, the new key. Copy the file to every other node: each batond reads it within a second, takes both keys, and speaks under the new one to all that know it. When all do, the old one is given up, and "baton keygen --rotate --finish" on one node, and a copy to the others, takes it out of the file. A node that was away needs that copy before it is heard again.',
  ].join('\n\n');
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --out ./cluster.key',
    '<%= config.bin %> <%= command.id %> --rotate',
    '<%= config.bin %> <%= command.id %> --rotate --finish',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    out: Flags.string({ description: `file to make (default: that of the cluster file, else ${USUAL})` }),
    rotate: Flags.boolean({ description: 'add a new key to the file', default: false }),
    finish: Flags.boolean({
      description: 'take the old key out of the file, once every node knows the new one',
      dependsOn: ['rotate'],
      default: false,
    }),
    force: Flags.boolean({
      description: 'even if nodes do not know the new key: they will not be heard',
      dependsOn: ['finish'],
      default: false,
    }),
    'dry-run': Flags.boolean({ description: 'say what would be done', default: false }),
  };

  async run(): Promise<Made> {
    const { flags } = await this.parse(Keygen);
    const file = flags.out ?? keyOf(flags.config) ?? USUAL;
    if (!flags.rotate) return this.make(file, flags['dry-run']);
    if (!flags.finish) return this.rotate(file, flags['dry-run']);
    if (!flags.force) await this.demandAll(file, flags['run-dir']);
    return this.finish(file, flags['dry-run']);
  }

  private make(file: string, dryRun: boolean): Made {
    if (dryRun) {
      if (existsSync(file)) throw new Failure(`${file} exists and is left as it is; name another file with --out`);
      this.log(`a new key goes into ${file}`);
      return { file, made: false, keys: [] };
    }
    refusing(() => writeNewKey(file));
    this.log(`made ${file}; copy it to every node, mode 0600`);
    return { file, made: true, keys: readKeys(file).map(keyId) };
  }

  private rotate(file: string, dryRun: boolean): Made {
    const present = refusing(() => readKeys(file)).map(keyId);
    if (dryRun && present.length === 1) {
      this.log(`a new key goes into ${file}, below ${present[0]!}`);
      return { file, made: false, keys: present };
    }
    const [older, newer] = refusing(() => addKey(file)) as [string, string];
    this.log(
      [
        `added the key ${newer} to ${file}, below ${older}`,
        `now copy ${file} to every other node, mode 0600; no batond need be restarted`,
        'baton status tells who does not know it yet; when all do: baton keygen --rotate --finish',
      ].join('\n'),
    );
    return { file, made: true, keys: [older, newer] };
  }

  private finish(file: string, dryRun: boolean): Made {
    const present = refusing(() => readKeys(file)).map(keyId);
    if (dryRun && present.length > 1) {
      this.log(`the key ${present[0]!} goes out of ${file}, ${present[1]!} stays`);
      return { file, made: false, keys: present };
    }
    const kept = refusing(() => dropOldKey(file));
    this.log(`${file} holds the key ${kept} alone; now copy it to every other node, mode 0600`);
    return { file, made: true, keys: [kept] };
  }

  /** The daemon of this node knows who takes the new key. Throws Failure. */
  private async demandAll(file: string, runDir: string): Promise<void> {
    const { keys } = (await this.withDaemon(runDir, (control) => control.status())).status;
    const why = unreadiness(file, keys);
    if (why !== null) throw new Failure(`${why}\nor, if they are gone for good: --force`);
  }
}

/** Null: every node takes the new key. */
function unreadiness(file: string, keys: KeysStatus): string | null {
  const present = refusing(() => readKeys(file)).map(keyId);
  if (present.length > 1 && present.join() !== keys.file.join())
    return `batond has not read ${file} yet: it has ${keys.file.join(' and ')}; wait a second, or see baton status`;
  if (keys.lacking.length > 0)
    return `${keys.lacking.join(', ')} do not know the new key ${present.at(-1)!}: copy ${file} there`;
  if (keys.unheard.length > 0)
    return `${keys.unheard.join(', ')} were not heard yet, and may know no other key: copy ${file} there and wait until they are up`;
  return null;
}

function refusing<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new Failure((error as Error).message);
  }
}

/** The file that the cluster file names; null while there is no cluster file. Throws ClusterFileError for a wrong one. */
function keyOf(config: string): string | null {
  return existsSync(config) ? readClusterFile(config).cluster.key : null;
}
