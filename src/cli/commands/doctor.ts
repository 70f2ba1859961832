import { Flags } from '@oclif/core';
import { Control, NoDaemon, Unresponsive } from '../../client/control.js';
import type { DaemonStatus } from '../../client/document.js';
import { readClusterFile } from '../../config/parse.js';
import { selfOf } from '../../daemon/preflight.js';
import { BatonCommand, EXIT } from '../command.js';
import { diagnose, type Diagnosis } from '../doctor/diagnosis.js';
import { gather } from '../doctor/evidence.js';
import { paintFor } from '../output/paint.js';

export default class Doctor extends BatonCommand {
  static override summary = 'find what on this host would fight baton, with the exact fix';
  static override description = `Looks at tools, kernel, key, NICs, settings, network managers and the running batond; changes nothing. Exit code ${EXIT.refused} if there is an error.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --node alpha --json',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    node: Flags.string({ description: "this host's node in the cluster file (default: the host's name)" }),
  };

  async run(): Promise<Diagnosis[]> {
    const { flags } = await this.parse(Doctor);
    const { cluster } = readClusterFile(flags.config);
    const daemon = await statusIfAny(flags['run-dir']);
    const self = selfOf(cluster, flags.node ?? daemon?.status.node);
    const found = diagnose(await gather(cluster, self, daemon, { run: flags['run-dir'], state: flags['state-dir'] }));
    const paint = paintFor(process.stdout);
    const colours = { error: paint.bad, warning: paint.warn, note: paint.dim };
    for (const { severity, text, fix } of found)
      this.log(`${colours[severity](severity.padEnd(7))} ${text}\n        ${paint.dim('fix:')} ${fix}`);
    if (found.length === 0) this.log(paint.good('nothing on this host fights baton'));
    if (found.some(({ severity }) => severity === 'error')) process.exitCode = EXIT.refused;
    return found;
  }
}

/** Doctor is of use before the daemon runs, too. */
async function statusIfAny(runDir: string): Promise<DaemonStatus | null> {
  try {
    const control = await Control.connect(runDir);
    try {
      return await control.status();
    } finally {
      control.close();
    }
  } catch (error) {
    if (error instanceof NoDaemon && !(error instanceof Unresponsive)) return null;
    throw error;
  }
}
