import { Flags } from '@oclif/core';
import { existsSync } from 'node:fs';
import { writeNewKey } from '../../config/key.js';
import { readClusterFile } from '../../config/parse.js';
import { BatonCommand, Failure } from '../command.js';

const USUAL = '/etc/baton/cluster.key';

export default class Keygen extends BatonCommand {
  static override summary = 'make a cluster key';
  static override description =
    'One line of 64 hex digits, mode 0600, never over an existing file. Copy it to every node.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --out ./cluster.key',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    out: Flags.string({ description: `file to make (default: that of the cluster file, else ${USUAL})` }),
    'dry-run': Flags.boolean({ description: 'say what would be done', default: false }),
  };

  async run(): Promise<{ file: string; made: boolean }> {
    const { flags } = await this.parse(Keygen);
    const file = flags.out ?? keyOf(flags.config) ?? USUAL;
    if (flags['dry-run']) {
      if (existsSync(file)) throw new Failure(`${file} exists and is left as it is; name another file with --out`);
      this.log(`a new key goes into ${file}`);
      return { file, made: false };
    }
    try {
      writeNewKey(file);
    } catch (error) {
      throw new Failure((error as Error).message);
    }
    this.log(`made ${file}; copy it to every node, mode 0600`);
    return { file, made: true };
  }
}

/** The file that the cluster file names; null while there is no cluster file. Throws ClusterFileError for a wrong one. */
function keyOf(config: string): string | null {
  return existsSync(config) ? readClusterFile(config).cluster.key : null;
}
