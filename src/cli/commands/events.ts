import { Flags } from '@oclif/core';
import type { JournalLine } from '../../client/document.js';
import { BatonCommand } from '../command.js';
import { eventText } from '../output/events-text.js';
import { paintFor } from '../output/paint.js';

export default class Events extends BatonCommand {
  static override summary = 'show the journal: every change with its cause and evidence';
  static override description = 'With --json and --follow one JSON object a line is printed as it happens.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --last 20 --follow',
    '<%= config.bin %> <%= command.id %> --json',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    follow: Flags.boolean({ char: 'f', description: 'go on with each new entry, until interrupted', default: false }),
    last: Flags.integer({ char: 'n', description: 'only so many of the past ones', min: 0 }),
  };

  async run(): Promise<JournalLine[]> {
    const { flags } = await this.parse(Events);
    const paint = paintFor(process.stdout);
    const kept: JournalLine[] = [];
    const last = flags.last === undefined ? {} : { last: flags.last };
    await this.withDaemon(flags['run-dir'], async (control) => {
      for await (const line of control.events({ follow: flags.follow, ...last })) {
        if (this.jsonEnabled() && flags.follow) process.stdout.write(`${JSON.stringify(line)}\n`);
        else if (this.jsonEnabled()) kept.push(line);
        else this.log(eventText(line, paint));
      }
    });
    if (this.jsonEnabled() && flags.follow) this.exit(0);
    return kept;
  }
}
