import { Args, Flags } from '@oclif/core';
import { BatonCommand } from '../../command.js';
import { nodeAndNic, operate, type Operated } from '../../operate.js';

export default class LinkUnlock extends BatonCommand {
  static override summary = 'take the lock off a NIC';
  static override examples = [
    '<%= config.bin %> <%= command.id %> eth1',
    '<%= config.bin %> <%= command.id %> alpha eth1',
  ];
  static override enableJsonFlag = true;
  static override args = {
    node: Args.string({ description: 'the NIC, or a node and then its NIC', required: true }),
    nic: Args.string({ description: 'the NIC' }),
  };
  static override usage = '<%= command.id %> [NODE] NIC [--dry-run]';
  static override flags = { 'dry-run': Flags.boolean({ description: 'say what would be done', default: false }) };

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(LinkUnlock);
    const { node, nic } = nodeAndNic(args.node, args.nic);
    const request = { ask: 'link-unlock' as const, nic, dryRun: flags['dry-run'] };
    const done = await this.withDaemon(flags['run-dir'], (control) => operate(control, node, request));
    this.log(done.text);
    return done;
  }
}
