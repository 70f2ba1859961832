import { Args, Flags } from '@oclif/core';
import { readKeys } from '../../config/key.js';
import { readServedFile } from '../../config/parse.js';
import { showProblem } from '../../config/problem.js';
import { diskFindings, type DiskFinding } from '../../daemon/disk-readiness.js';
import { lineFindings, type LineFinding } from '../../daemon/line-readiness.js';
import { fenceReadiness, type FenceReadiness } from '../../daemon/fence-readiness.js';
import { observeHost } from '../../daemon/host.js';
import { hostFindings, type HostFinding } from '../../daemon/host-findings.js';
import { macFindings, type MacFinding } from '../../daemon/mac-readiness.js';
import { selfOf } from '../../daemon/preflight.js';
import { BatonCommand, EXIT } from '../command.js';
import { setupText } from '../output/fence-text.js';
import { paintFor } from '../output/paint.js';
import { plural } from '../output/words.js';

interface Checked {
  file: string;
  digest: string;
  warnings: string[];
  /** Of the arbiter. */
  disks: DiskFinding[];
  line: LineFinding[];
  host: HostFinding[];
  macs: MacFinding[];
  fencing: FenceReadiness;
}

export default class Check extends BatonCommand {
  static override summary = 'validate a cluster file, and it against this host';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> ./cluster.yaml',
    '<%= config.bin %> <%= command.id %> --host --node alpha',
  ];
  static override enableJsonFlag = true;
  static override args = { file: Args.string({ description: 'cluster file (default: --config)' }) };
  static override flags = {
    host: Flags.boolean({
      description: "also against the NICs, the key, the serial line and the arbiter's disks of this host",
      default: false,
    }),
    node: Flags.string({ description: "this host's node in the file (default: the host's name)", dependsOn: ['host'] }),
  };

  async run(): Promise<Checked> {
    const { args, flags } = await this.parse(Check);
    const file = args.file ?? flags.config;
    const { cluster, warnings } = readServedFile(file);
    const paint = paintFor(process.stdout);
    const result: Checked = {
      file,
      digest: cluster.digest,
      warnings: warnings.map((it) => showProblem(file, it)),
      disks: [],
      line: [],
      host: [],
      macs: [],
      fencing: { findings: [], setups: [] },
    };
    if (flags.host) {
      const self = selfOf(cluster, flags.node);
      result.disks = diskFindings(cluster, readKeys(cluster.key));
      result.line = lineFindings(self);
      const nics = await observeHost();
      result.host = hostFindings(cluster, self, nics);
      result.macs = await macFindings(cluster, self, nics);
      result.fencing = await fenceReadiness(cluster);
    }
    for (const setup of result.fencing.setups) for (const line of setupText(setup, paint)) this.log(line);
    for (const warning of result.warnings) this.log(`${paint.warn('warning')} ${warning}`);
    const findings = [...result.disks, ...result.line, ...result.host, ...result.macs, ...result.fencing.findings];
    for (const { severity, text, fix } of findings) {
      if (severity === 'warning') this.log(`${paint.warn('warning')} ${text}; ${fix}`);
      else this.logToStderr(`baton: ${text}; ${fix}`);
    }
    const wrong = findings.filter(({ severity }) => severity === 'error').length;
    if (wrong > 0) process.exitCode = EXIT.usage;
    else {
      const packages = cluster.packages.length;
      const size = [plural(cluster.nets.length, 'net'), plural(cluster.nodes.length, 'node')];
      if (packages > 0) size.push(plural(packages, 'package'));
      this.log(
        `${paint.good('valid')} ${file}: cluster ${cluster.name}, ${size.join(', ')}, digest ${cluster.digest.slice(0, 12)}`,
      );
    }
    return result;
  }
}
