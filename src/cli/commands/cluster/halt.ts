import { ClusterCommand, dryRunFlag } from '../../cluster-command.js';
import type { Operated } from '../../operate.js';

export default class ClusterHalt extends ClusterCommand {
  static override summary = 'halt all packages on all nodes, until the cluster is run again';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --dry-run'];
  static override enableJsonFlag = true;
  static override flags = dryRunFlag;

  async run(): Promise<Operated> {
    const { flags } = await this.parse(ClusterHalt);
    return this.steer(flags['run-dir'], { ask: 'cluster-halt', dryRun: flags['dry-run'] });
  }
}
