import { Flags } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../cluster-command.js';
import type { Operated } from '../operate.js';

export default class Surrender extends ClusterCommand {
  static override summary = 'all that this node runs goes to other nodes';
  static override description = 'Refused, with the reason, if nobody can receive all of it: nothing moves then.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --to beta --dry-run',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    to: Flags.string({ description: 'the node that receives (default: the best for each package)' }),
    ...dryRunFlag,
  };

  async run(): Promise<Operated> {
    const { flags } = await this.parse(Surrender);
    const to = flags.to === undefined ? {} : { to: flags.to };
    return this.steer(flags['run-dir'], { ask: 'surrender', ...to, dryRun: flags['dry-run'] });
  }
}
