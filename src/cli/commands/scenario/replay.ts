import { Args } from '@oclif/core';
import type { ReplayReport } from '../../../drill/replay/replay.js';
import { BatonCommand, EXIT, Failure } from '../../command.js';

export default class ScenarioReplay extends BatonCommand {
  static override summary = 'play a flight recording again and compare its journal, byte for byte';
  static override description =
    'A daemon whose cluster file says record: true writes recordings to its state directory.';
  static override examples = ['<%= config.bin %> <%= command.id %> /var/lib/baton/recording.jsonl'];
  static override enableJsonFlag = true;
  static override args = { file: Args.string({ description: 'the recording', required: true }) };

  async run(): Promise<ReplayReport> {
    const { args } = await this.parse(ScenarioReplay);
    const { replay } = await import('../../../drill/replay/replay.js');
    let report: ReplayReport;
    try {
      report = await replay(args.file);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? 'there is no such file' : code;
      throw new Failure(why === undefined ? message : `cannot read the recording ${args.file}: ${why}`, EXIT.usage);
    }
    for (const entry of report.journal) this.log(JSON.stringify(entry));
    const { differs } = report;
    if (differs) {
      this.logToStderr(`baton: after input ${differs.input} the journal differs`);
      this.logToStderr(`  recorded ${differs.recorded}\n  replayed ${differs.replayed}`);
      process.exitCode = EXIT.refused;
    } else
      this.logToStderr(
        `${report.inputs} inputs of ${report.node} replayed: the same journal, byte for byte${report.cutShort ? '; the last line was cut short' : ''}`,
      );
    return report;
  }
}
