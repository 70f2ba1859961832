import { Args, Flags } from '@oclif/core';
import { BatonCommand } from '../../command.js';
import { operate, type Operated } from '../../operate.js';

export default class LinkSwitch extends BatonCommand {
  static override summary = "move the addresses of a net to another of the node's NICs";
  static override examples = [
    '<%= config.bin %> <%= command.id %> --net public',
    '<%= config.bin %> <%= command.id %> alpha --net public --to eth1',
    '<%= config.bin %> <%= command.id %> --net public --dry-run',
  ];
  static override enableJsonFlag = true;
  static override args = { node: Args.string({ description: 'the node (default: this one)' }) };
  static override flags = {
    net: Flags.string({ description: 'the net', required: true }),
    to: Flags.string({ description: 'the NIC to move to (default: the best other one)' }),
    'dry-run': Flags.boolean({ description: 'say what would be done', default: false }),
  };

  async run(): Promise<Operated> {
    const { args, flags } = await this.parse(LinkSwitch);
    const { net, to } = flags;
    const request = { ask: 'link-switch' as const, net, ...(to === undefined ? {} : { to }), dryRun: flags['dry-run'] };
    const done = await this.withDaemon(flags['run-dir'], (control) => operate(control, args.node, request));
    this.log(done.text);
    return done;
  }
}
