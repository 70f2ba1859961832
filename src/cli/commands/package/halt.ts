import { Args } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class PackageHalt extends ClusterCommand {
  static override summary = 'halt a package, until it is started again';
  static override examples = ['<%= config.bin %> <%= command.id %> web'];
  static override enableJsonFlag = true;
  static override args = { name: Args.string({ description: 'the package', required: true }) };
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(PackageHalt);
    return this.steer(flags['run-dir'], { ask: 'package-halt', package: args.name, dryRun: flags['dry-run'] });
  }
}
