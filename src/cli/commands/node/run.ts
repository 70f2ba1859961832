import { Args } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class NodeRun extends ClusterCommand {
  static override summary = 'let a node run packages again';
  static override examples = ['<%= config.bin %> <%= command.id %> beta'];
  static override enableJsonFlag = true;
  static override args = { node: Args.string({ description: 'the node', required: true }) };
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(NodeRun);
    return this.steer(flags['run-dir'], { ask: 'node-run', node: args.node, dryRun: flags['dry-run'] });
  }
}
