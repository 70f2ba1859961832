import { Args } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class NodeHalt extends ClusterCommand {
  static override summary = 'move all packages away from a node, and let none come there';
  static override description = 'Where nobody else can receive a package, it is halted.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> beta',
    '<%= config.bin %> <%= command.id %> beta --dry-run',
  ];
  static override enableJsonFlag = true;
  static override args = { node: Args.string({ description: 'the node', required: true }) };
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(NodeHalt);
    return this.steer(flags['run-dir'], { ask: 'node-halt', node: args.node, dryRun: flags['dry-run'] });
  }
}
