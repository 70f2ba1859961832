import { Flags } from '@oclif/core';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DaemonStatus } from '../../client/document.js';
import { NoDaemon } from '../../client/control.js';
import { BatonCommand, EXIT } from '../command.js';
import { paintFor } from '../output/paint.js';
import { degradations, statusDocument, type StatusDocument } from '../output/status-document.js';
import { statusText } from '../output/status-text.js';

const CLEAR = '\u001b[H\u001b[2J\u001b[3J';

export default class Status extends BatonCommand {
  static override summary = 'show the cluster, its nodes and packages, and the NICs and nets of this node';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --watch',
    '<%= config.bin %> <%= command.id %> --check && echo all well',
    '<%= config.bin %> <%= command.id %> --json',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    watch: Flags.boolean({ char: 'w', description: 'again every second, until interrupted', default: false }),
    check: Flags.boolean({
      description: `exit ${EXIT.degraded} if anything is less than it should be (${EXIT.noQuorum} without quorum), and say what`,
      default: false,
    }),
  };

  async run(): Promise<StatusDocument> {
    const { flags } = await this.parse(Status);
    const runDir = flags['run-dir'];
    if (flags.watch && !this.jsonEnabled()) await this.watch(runDir);
    const daemon = await this.withDaemon(runDir, (control) => control.status());
    const paint = paintFor(process.stdout);
    for (const line of statusText(daemon, paint, process.stdout.columns)) this.log(line);
    if (flags.check) {
      const wrong = degradations(daemon);
      for (const text of wrong) this.logToStderr(`baton: degraded: ${text}`);
      if (wrong.length > 0)
        process.exitCode = daemon.status.membership?.quorum === false ? EXIT.noQuorum : EXIT.degraded;
    }
    return statusDocument(daemon, Date.now());
  }

  /** Never returns; a daemon that restarts meanwhile is waited for. */
  private async watch(runDir: string): Promise<never> {
    const paint = paintFor(process.stdout);
    for (;;) {
      let lines: string[];
      try {
        const daemon: DaemonStatus = await this.withDaemon(runDir, (control) => control.status());
        lines = statusText(daemon, paint, process.stdout.columns);
      } catch (error) {
        if (!(error instanceof NoDaemon)) throw error;
        lines = [paint.bad(error.message)];
      }
      process.stdout.write(`${process.stdout.isTTY ? CLEAR : ''}${lines.join('\n')}\n`);
      await sleep(1000);
    }
  }
}
