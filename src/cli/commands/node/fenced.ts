import { Args } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class NodeFenced extends ClusterCommand {
  static override summary = 'vouch that a lost node is off, where no fence agent could shut it';
  static override description =
    'Its packages then start elsewhere. Look first: if the node lives, two nodes answer for one address. It is refused while the node is heard.';
  static override examples = ['<%= config.bin %> <%= command.id %> gamma'];
  static override enableJsonFlag = true;
  static override args = { node: Args.string({ description: 'the node', required: true }) };
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(NodeFenced);
    return this.steer(flags['run-dir'], { ask: 'node-fenced', node: args.node, dryRun: flags['dry-run'] });
  }
}
