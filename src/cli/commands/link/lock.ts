import { Args, Flags } from '@oclif/core';
import { userInfo } from 'node:os';
import { parseDuration } from '../../../config/duration.js';
import { BatonCommand, EXIT, Failure } from '../../command.js';
import { nodeAndNic, operate, type Operated } from '../../operate.js';

export default class LinkLock extends BatonCommand {
  static override summary = 'no switch to or from a NIC by itself';
  static override examples = [
    '<%= config.bin %> <%= command.id %> eth1 --reason "cable work" --for 2h',
    '<%= config.bin %> <%= command.id %> alpha eth1',
  ];
  static override enableJsonFlag = true;
  static override args = {
    node: Args.string({ description: 'the NIC, or a node and then its NIC', required: true }),
    nic: Args.string({ description: 'the NIC' }),
  };
  static override usage = '<%= command.id %> [NODE] NIC [--for 2h] [--reason TEXT] [--dry-run]';
  static override flags = {
    for: Flags.string({ description: 'how long, such as 2h (default: until unlocked)' }),
    reason: Flags.string({ description: 'why', default: 'no reason given' }),
    owner: Flags.string({ description: 'who (default: this user)' }),
    'dry-run': Flags.boolean({ description: 'say what would be done', default: false }),
  };

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(LinkLock);
    const { node, nic } = nodeAndNic(args.node, args.nic);
    const forMs = flags.for === undefined ? undefined : parseDuration(flags.for);
    if (forMs === null || forMs === 0)
      throw new Failure(`--for: found "${flags.for}"; expected a duration such as 30m or 2h`, EXIT.usage);
    const request = {
      ask: 'link-lock' as const,
      nic,
      owner: flags.owner ?? process.env['SUDO_USER'] ?? userInfo().username,
      reason: flags.reason,
      ...(forMs === undefined ? {} : { forMs }),
      dryRun: flags['dry-run'],
    };
    const done = await this.withDaemon(flags['run-dir'], (control) => operate(control, node, request));
    this.log(done.text);
    return done;
  }
}
