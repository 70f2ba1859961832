import { Args } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class PackageEnable extends ClusterCommand {
  static override summary = 'let a package be started and moved by itself again';
  static override examples = ['<%= config.bin %> <%= command.id %> web'];
  static override enableJsonFlag = true;
  static override args = { name: Args.string({ description: 'the package', required: true }) };
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(PackageEnable);
    return this.steer(flags['run-dir'], { ask: 'package-enable', package: args.name, dryRun: flags['dry-run'] });
  }
}
