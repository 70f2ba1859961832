import { Flags } from '@oclif/core';
import { availableParallelism } from 'node:os';
import type { Audit as AuditReport } from '../../drill/foresight/audit.js';
import { EXIT } from '../command.js';
import { written } from '../drill-files.js';
import { auditText } from '../output/audit-text.js';
import { paintFor } from '../output/paint.js';
import { ProgressLine, SituationCommand } from '../situation-command.js';

export default class Audit extends SituationCommand {
  static override summary = 'try every single fault in the simulator: what breaks, and what would cure it';
  static override description = `Takes the live cluster as it stands (or, with --config on the command line, what that cluster file promises), and lets each NIC, cable, switch, trunk, private net, node, daemon, arbiter and target fail, each by itself. Names single points of failure with their cures, plans and time-outs that do not go together, and tells of every fault which package is out, for how long, and who holds it after. Touches nothing. Switches are those of switches: in the cluster file. Exit code ${EXIT.refused} if there is a single point of failure.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --double',
    '<%= config.bin %> <%= command.id %> --html audit.html',
    '<%= config.bin %> <%= command.id %> --config ./cluster.yaml --json',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    double: Flags.boolean({
      description: 'each pair of faults, too; tells those that do more harm than one of them',
      default: false,
    }),
    jobs: Flags.integer({ description: 'side by side (default: one a processor)', min: 1 }),
    html: Flags.string({ description: 'a picture of it, as one HTML page that needs no other', helpValue: '<file>' }),
  };

  async run(): Promise<AuditReport> {
    const { flags } = await this.parse(Audit);
    const situation = await this.situation(flags);
    const { audit } = await import('../../drill/foresight/audit.js');
    const progress = new ProgressLine();
    const report = await this.rehearsing((signal) =>
      audit(situation, {
        double: flags.double,
        jobs: flags.jobs ?? availableParallelism(),
        onTried: (done, all) => progress.show(`${done} of ${all} faults tried`),
        signal,
      }),
    ).finally(() => progress.end());
    for (const line of auditText(report, paintFor(process.stdout))) this.log(line);
    if (flags.html !== undefined) this.log(`picture: ${await this.draw(report, flags.html)}`);
    if (report.findings.length > 0) process.exitCode = EXIT.refused;
    return report;
  }

  private async draw(report: AuditReport, path: string): Promise<string> {
    const { pictureOfAudit } = await import('../../drill/picture/audit-page.js');
    return written(path, pictureOfAudit(report));
  }
}
