import { Args } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class PackageDisable extends ClusterCommand {
  static override summary = 'neither start nor move a package by itself';
  static override description = 'What runs goes on running where it is; moves and starts by hand still work.';
  static override examples = ['<%= config.bin %> <%= command.id %> web'];
  static override enableJsonFlag = true;
  static override args = { name: Args.string({ description: 'the package', required: true }) };
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(PackageDisable);
    return this.steer(flags['run-dir'], { ask: 'package-disable', package: args.name, dryRun: flags['dry-run'] });
  }
}
