import { Args, Flags } from '@oclif/core';
import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class PackageMove extends ClusterCommand {
  static override summary = 'move a running package to another node';
  static override description =
    'It is halted first, and started there once that is done. It stays there, also with failback: automatic.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> web',
    '<%= config.bin %> <%= command.id %> web --to beta',
    '<%= config.bin %> <%= command.id %> web --to beta --dry-run',
  ];
  static override enableJsonFlag = true;
  static override args = { name: Args.string({ description: 'the package', required: true }) };
  static override flags = {
    to: Flags.string({ description: 'the node to move it to (default: the best other one)' }),
    ...dryRunFlag,
  };

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(PackageMove);
    const to = flags.to === undefined ? {} : { to: flags.to };
    return this.steer(flags['run-dir'], {
      ask: 'package-move',
      package: args.name,
      ...to,
      dryRun: flags['dry-run'],
    });
  }
}
