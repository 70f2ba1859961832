import { Args } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../cluster-command.js';
import type { Operated } from '../operate.js';

export default class Takeover extends ClusterCommand {
  static override summary = 'all that another node runs comes to this one';
  static override description = 'Refused, with the reason, if this node cannot receive all of it: nothing moves then.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> beta',
    '<%= config.bin %> <%= command.id %> beta --dry-run',
  ];
  static override enableJsonFlag = true;
  static override args = { node: Args.string({ description: 'the node that is emptied', required: true }) };
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(Takeover);
    return this.steer(flags['run-dir'], { ask: 'takeover', node: args.node, dryRun: flags['dry-run'] });
  }
}
