import { Args } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class NodeUnfence extends ClusterCommand {
  static override summary = 'let the fence agents open again what they have shut';
  static override description =
    'Runs the action on of each agent of the node whose action is off. That happens by itself once the node is heard and has let go of its packages; a node behind closed ports only is never heard.';
  static override examples = ['<%= config.bin %> <%= command.id %> gamma'];
  static override enableJsonFlag = true;
  static override args = { node: Args.string({ description: 'the node', required: true }) };
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(NodeUnfence);
    return this.steer(flags['run-dir'], { ask: 'node-unfence', node: args.node, dryRun: flags['dry-run'] });
  }
}
