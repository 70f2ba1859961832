import { Args, Flags } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class PackageStart extends ClusterCommand {
  static override summary = 'start a package that was halted, or is disabled';
  static override description = 'It starts where it was last, else on the first node of its list that can run it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> web',
    '<%= config.bin %> <%= command.id %> web --to beta',
  ];
  static override enableJsonFlag = true;
  static override args = { name: Args.string({ description: 'the package', required: true }) };
  static override flags = { to: Flags.string({ description: 'the node to start it on' }), ...dryRunFlag };

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(PackageStart);
    const to = flags.to === undefined ? {} : { to: flags.to };
    return this.steer(flags['run-dir'], {
      ask: 'package-start',
      package: args.name,
      ...to,
      dryRun: flags['dry-run'],
    });
  }
}
