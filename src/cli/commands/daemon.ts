import { Flags } from '@oclif/core';
import { BatonCommand } from '../command.js';

export default class Daemon extends BatonCommand {
  static override summary = 'run batond in the foreground';
  static override description =
    'Ends orderly on SIGTERM (addresses go home, settings are put back) and on SIGHUP (everything stays, the next start adopts it).';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --node alpha --config ./cluster.yaml --run-dir /tmp/run --state-dir /tmp/state',
    '<%= config.bin %> <%= command.id %> --shadow',
  ];
  static override flags = {
    node: Flags.string({ description: "this host's node in the cluster file (default: the host's name)" }),
    shadow: Flags.boolean({ description: 'only watch, and say what it would do', default: false }),
    'gate-only': Flags.boolean({
      description: 'make the closed gate of the cluster file, and end: for the boot, before any address is there',
      default: false,
      exclusive: ['shadow'],
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Daemon);
    if (flags['gate-only']) {
      const { makeGate } = await import('../../daemon/gate-only.js');
      this.log(makeGate(flags.config));
      return;
    }
    // Loaded here, so that the other commands start without it.
    const { runDaemon } = await import('../../daemon/batond.js');
    const code = await runDaemon({
      config: flags.config,
      runDir: flags['run-dir'],
      stateDir: flags['state-dir'],
      ...(flags.node === undefined ? {} : { node: flags.node }),
      shadow: flags.shadow,
    });
    this.exit(code);
  }
}
