import { Args } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class NodeRemove extends ClusterCommand {
  static override summary = 'give up a node that will not come back';
  static override description = 'It is refused while the node is heard. baton node run takes it back.';
  static override examples = ['<%= config.bin %> <%= command.id %> gamma'];
  static override enableJsonFlag = true;
  static override args = { node: Args.string({ description: 'the node', required: true }) };
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(NodeRemove);
    return this.steer(flags['run-dir'], { ask: 'node-remove', node: args.node, dryRun: flags['dry-run'] });
  }
}
