import { Flags } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class ClusterRun extends ClusterCommand {
  static override summary = 'let the cluster run its packages again';
  static override description =
    'With --force a cluster is formed of the nodes that this one reaches now. Whoever forces it vouches that all other nodes are off: one that still runs somewhere may serve the same addresses.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --force --dry-run',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    force: Flags.boolean({ description: 'without the nodes that cannot be reached: they are off', default: false }),
    ...dryRunFlag,
  };

  async run(): Promise<Operated> {
    const { flags } = await this.parse(ClusterRun);
    const { force } = flags;
    return this.steer(flags['run-dir'], { ask: 'cluster-run', force, dryRun: flags['dry-run'] });
  }
}
