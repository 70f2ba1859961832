import { Args } from '@oclif/core';
import { unknownWord } from '../../config/problem.js';
import type { Decision } from '../../status.js';
import { BatonCommand, EXIT, Failure } from '../command.js';
import { packageText } from '../output/cluster-text.js';
import { decisionText } from '../output/events-text.js';
import { nicText } from '../output/links-text.js';
import { momentsOf } from '../output/status-document.js';
import { paintFor } from '../output/paint.js';

export default class Why extends BatonCommand {
  static override summary =
    'show the last decisions about a package, node, NIC, net, the arbiter or the key, with their evidence';
  static override description =
    'Decisions are those of the node that answers. Where a package goes, and who votes, is decided by the coordinator: ask there for the whole evidence.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> web',
    '<%= config.bin %> <%= command.id %> eth0',
    '<%= config.bin %> <%= command.id %> public',
  ];
  static override enableJsonFlag = true;
  static override args = {
    subject: Args.string({ description: 'a package, node, NIC, net, arbiter, or key', required: true }),
  };

  async run(): Promise<{ subject: string; decisions: (Omit<Decision, 'at'> & { at: string })[] }> {
    const { args, flags } = await this.parse(Why);
    const { subject } = args;
    const paint = paintFor(process.stdout);
    const daemon = await this.withDaemon(flags['run-dir'], (control) => control.status());
    const { status } = daemon;
    const moment = momentsOf(daemon, Date.now());
    const nic = status.nics.find(({ name }) => name === subject);
    // Whether a NIC carries anything is decided for its net.
    const decisions = status.decisions
      .filter((it) => it.subject === subject || it.subject === nic?.net)
      .sort((a, b) => a.at - b.at);
    const one = status.packages.find(({ name }) => name === subject);
    const known = [status.nics, status.nets, status.packages].flatMap((them) => them.map(({ name }) => name));
    known.push(status.node, ...status.peers.map(({ node }) => node));
    if (status.membership?.arbiter !== undefined) known.push('arbiter');
    known.push('key');
    if (decisions.length === 0 && !known.includes(subject)) {
      throw new Failure(unknownWord('package, node, NIC or net', subject, known), EXIT.usage);
    }
    if (nic !== undefined) for (const line of nicText(nic, status.now, paint)) this.log(line);
    if (one !== undefined) for (const line of packageText(one, status.now, paint)) this.log(line);
    if (nic !== undefined || one !== undefined) this.log();
    if (decisions.length === 0) this.log(`nothing was decided about ${subject} since batond started`);
    for (const decision of decisions) for (const line of decisionText(decision, status.now, paint)) this.log(line);
    return { subject, decisions: decisions.map((it) => ({ ...it, at: moment(it.at) })) };
  }
}
