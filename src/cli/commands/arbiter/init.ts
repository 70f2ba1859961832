import { Flags } from '@oclif/core';
import { readKeys } from '../../../config/key.js';
import { readServedFile } from '../../../config/parse.js';
import { arbiterPaths, prepareDisks, type Prepared } from '../../../daemon/disk-readiness.js';
import { BatonCommand, EXIT, Failure } from '../../command.js';

export default class ArbiterInit extends BatonCommand {
  static override summary = 'make the disks of the cluster file an arbiter';
  static override description =
    "Writes on disks that are blank, and makes files that are missing; disks that are this cluster's already get places for new nodes. Anything else is left as it is, unless it is forced. Do it on one node; the others reach the same disks. With --force they become another arbiter: the cluster takes it in anew, and what the old one knew is lost.";
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --dry-run'];
  static override enableJsonFlag = true;
  static override flags = {
    force: Flags.boolean({ description: 'over whatever the disks hold: it is lost', default: false }),
    'dry-run': Flags.boolean({ description: 'say what would be done', default: false }),
  };

  async run(): Promise<Prepared[]> {
    const { flags } = await this.parse(ArbiterInit);
    const { cluster } = readServedFile(flags.config);
    const paths = arbiterPaths(cluster);
    if (paths.length === 0)
      throw new Failure(`${flags.config}: quorum names no disk: { arbiter: { disk: PATH } }`, EXIT.usage);
    const dryRun = flags['dry-run'];
    const prepared = prepareDisks(cluster, readKeys(cluster.key), { force: flags.force, dryRun });
    if (typeof prepared === 'string') throw new Failure(prepared);
    const nodes = cluster.nodes.map(({ name }) => name).join(', ');
    for (const { path, did, bytes, storageId } of prepared) {
      if (did === 'kept') this.log(`${path} is the arbiter of ${cluster.name} already, nothing is to be done`);
      else if (did === 'extended') this.log(`${path} ${dryRun ? 'would get' : 'has'} places for ${nodes}`);
      else if (dryRun) this.log(`${path} would become the arbiter of ${cluster.name}, ${bytes} bytes of it`);
      else this.log(`${path} is the arbiter of ${cluster.name}, ${bytes} bytes of it (${storageId.slice(0, 8)})`);
    }
    return prepared;
  }
}
