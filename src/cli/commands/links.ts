import { Flags } from '@oclif/core';
import type { Cluster } from '../../config/cluster.js';
import { readClusterFile } from '../../config/parse.js';
import type { PathStatus } from '../../status.js';
import { BatonCommand, EXIT } from '../command.js';
import { hearingNow } from '../full-polling.js';
import { pathTable } from '../output/cluster-text.js';
import { linksText, matrixText, type Matrix } from '../output/links-text.js';
import { nicDocuments, type NicDocument } from '../output/status-document.js';
import { paintFor } from '../output/paint.js';

export default class Links extends BatonCommand {
  static override summary = 'show each NIC with its evidence and the paths to the other nodes, or who hears whom';
  static override description =
    '--matrix asks for full polling of one window first, so that every NIC speaks, and names the likely culprit: which NIC, direction, switch or trunk.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --matrix'];
  static override enableJsonFlag = true;
  static override flags = { matrix: Flags.boolean({ description: 'the hearing of each net', default: false }) };

  async run(): Promise<{ node: string; nics: NicDocument[]; paths: PathStatus[]; matrix?: Matrix[] }> {
    const { flags } = await this.parse(Links);
    const paint = paintFor(process.stdout);
    return this.withDaemon(flags['run-dir'], async (control) => {
      if (!flags.matrix) {
        const daemon = await control.status();
        for (const line of linksText(daemon, paint)) this.log(line);
        const { paths } = daemon.status;
        if (paths.length > 0) for (const line of ['', ...pathTable(paths, paint)]) this.log(line);
        return { node: daemon.status.node, nics: nicDocuments(daemon, Date.now()), paths };
      }
      const cluster = this.clusterFile(flags.config);
      const { daemon, matrices: matrix } = await hearingNow(control, cluster);
      for (const [i, one] of matrix.entries()) {
        if (i > 0) this.log('');
        for (const line of matrixText(one, paint)) this.log(line);
      }
      if (matrix.some(({ suspicions }) => suspicions.length > 0)) process.exitCode = EXIT.degraded;
      return { node: daemon.status.node, nics: nicDocuments(daemon, Date.now()), paths: daemon.status.paths, matrix };
    });
  }

  /** Names the NICs that nobody has heard yet; the daemon's own view serves without it. */
  private clusterFile(path: string): Cluster | null {
    try {
      return readClusterFile(path).cluster;
    } catch {
      return null;
    }
  }
}
