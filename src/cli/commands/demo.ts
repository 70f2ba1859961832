import { Flags } from '@oclif/core';
import type { DemoOptions } from '../../drill/demo.js';
import type { DrillReport } from '../../drill/report.js';
import { BatonCommand, EXIT } from '../command.js';
import { HTML_HELP, writePictures } from '../drill-files.js';
import { interruptible } from '../interruption.js';
import { verdictText } from '../output/drill-text.js';
import { paintFor } from '../output/paint.js';

export default class Demo extends BatonCommand {
  static override summary =
    'watch a small cluster lose a cable, a link, a daemon and a server, with the outages that a client measured';
  static override description =
    'Builds switches, two servers, a client and an arbiter (etcd) out of network namespaces and removes them afterwards; nothing else on this machine is touched. Without root the same runs on the simulator.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --simulator',
    '<%= config.bin %> <%= command.id %> --html demo.html',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    simulator: Flags.boolean({ description: 'in memory and virtual time, also as root', default: false }),
    html: Flags.string({ description: HTML_HELP.split(';')[0]!, helpValue: '<file>' }),
  };

  async run(): Promise<DrillReport> {
    const { flags } = await this.parse(Demo);
    const paint = paintFor(process.stdout);
    const { runDemo } = await import('../../drill/demo.js');
    const say: DemoOptions['say'] = (text, kind) =>
      this.log(kind === 'say' || kind === 'title' ? paint.bold(text) : kind === 'unmet' ? paint.bad(text) : text);
    const report = await interruptible((signal) => runDemo({ say, signal, simulator: flags.simulator }));
    for (const line of verdictText(report, paint)) this.log(line);
    if (flags.html !== undefined) this.log(`picture: ${await writePictures([report], flags.html)}`);
    if (report.verdict !== 'passed') process.exitCode = EXIT.refused;
    return report;
  }
}
