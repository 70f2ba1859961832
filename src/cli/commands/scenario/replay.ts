import { Args, Flags } from '@oclif/core';
import { duration } from '../../../drill/fault.js';
import type { ReplayReport } from '../../../drill/replay/replay.js';
import { BatonCommand, EXIT, Failure } from '../../command.js';
import { written } from '../../drill-files.js';
import { paintFor } from '../../output/paint.js';
import { replayLineText, replayVerdictText } from '../../output/replay-text.js';

export default class ScenarioReplay extends BatonCommand {
  static override summary = 'play flight recordings again: the same journal, byte for byte, and what must hold held';
  static override description =
    'A daemon whose cluster file says record: true writes recordings to its state directory; scenario run writes them with ' +
    '--record. Recordings of several nodes of a cluster are merged by one clock. It stops where an invariant breaks.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> /var/lib/baton/recording-000001.jsonl',
    '<%= config.bin %> <%= command.id %> alpha-*.jsonl beta-*.jsonl --node beta --explain',
    '<%= config.bin %> <%= command.id %> recordings/*.jsonl --until 12.5s --json',
    '<%= config.bin %> <%= command.id %> recordings/*.jsonl --quiet --html night.html',
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    file: Args.string({ description: 'recordings, of one node or of several', required: true }),
  };
  static override flags = {
    until: Flags.string({ description: 'play to this time after the first start: 12.5s, 300ms, 2m' }),
    node: Flags.string({ description: "show this node's lines only; all are played" }),
    explain: Flags.boolean({ description: 'each transition with its evidence', default: false }),
    html: Flags.string({ description: 'a picture of it, as one HTML page that needs no other', helpValue: '<file>' }),
    quiet: Flags.boolean({ char: 'q', description: 'only how it ended', default: false }),
  };

  async run(): Promise<ReplayReport> {
    const { argv, flags } = await this.parse(ScenarioReplay);
    const { replay } = await import('../../../drill/replay/replay.js');
    const paint = paintFor(process.stdout);
    const untilMs = flags.until === undefined ? Infinity : timeOf(flags.until);
    let report: ReplayReport;
    try {
      report = await replay(argv as string[], {
        untilMs,
        onLine: (line) => {
          if (flags.quiet || (flags.node !== undefined && line.node !== flags.node)) return;
          for (const text of replayLineText(line, paint, flags.explain)) this.log(text);
        },
        onProgress: (inputs) => {
          if (flags.quiet && process.stderr.isTTY) process.stderr.write(`\r${inputs} inputs replayed `);
        },
      });
    } catch (error) {
      throw failureOf(error);
    }
    if (flags.quiet && process.stderr.isTTY) process.stderr.write('\r');
    this.mustKnow(report, flags.node);
    for (const line of replayVerdictText(report, paint)) this.log(line);
    if (flags.html !== undefined) {
      const { pictureOfReplay } = await import('../../../drill/picture/replay-page.js');
      this.log(`picture: ${await written(flags.html, pictureOfReplay(report))}`);
    }
    if (report.violation !== undefined || report.recordings.some(({ differs }) => differs !== undefined))
      process.exitCode = EXIT.refused;
    if (flags.node === undefined) return report;
    return { ...report, timeline: report.timeline.filter(({ node }) => node === flags.node) };
  }

  private mustKnow({ recordings }: ReplayReport, node: string | undefined): void {
    const nodes = [...new Set(recordings.map((one) => one.node))];
    if (node !== undefined && !nodes.includes(node))
      throw new Failure(`--node ${node}: the recordings are of ${nodes.join(', ')}`, EXIT.usage);
  }
}

function timeOf(text: string): number {
  const time = duration.safeParse(/\d$/.test(text) ? `${text}s` : text);
  if (!time.success) throw new Failure(`--until ${text} is no time; write 12.5s, 300ms or 2m`, EXIT.usage);
  return time.data;
}

function failureOf(error: unknown): unknown {
  const { name, code, message, path } = error as NodeJS.ErrnoException;
  if (name === 'RecordingError') return new Failure(message, EXIT.usage);
  if (code === undefined || path === undefined) return error;
  const why =
    code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory; name the files in it' : code;
  return new Failure(`cannot read the recording ${path}: ${why}`, EXIT.usage);
}
