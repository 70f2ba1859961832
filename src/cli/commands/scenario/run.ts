import { Args, Flags } from '@oclif/core';
import { join } from 'node:path';
import { runDrill, type DrillOptions } from '../../../drill/drill.js';
import { skipped, type DrillReport } from '../../../drill/report.js';
import type { LabName } from '../../../drill/labs.js';
import { listScenarios, loadScenario } from '../../../drill/load.js';
import type { Scenario } from '../../../drill/scenario.js';
import { BatonCommand, EXIT, Failure } from '../../command.js';
import { HTML_HELP, writeJunit, writePictures } from '../../drill-files.js';
import { interruptible } from '../../interruption.js';
import { lineText, summaryText, verdictText } from '../../output/drill-text.js';
import { paintFor, type Paint } from '../../output/paint.js';

export default class ScenarioRun extends BatonCommand {
  static override summary = 'run scenarios on the simulator or on this kernel, and judge them';
  static override description =
    'The kernel lab needs root; it builds network namespaces of its own and touches nothing else.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> cable-pulled',
    '<%= config.bin %> <%= command.id %> --all --on simulator',
    '<%= config.bin %> <%= command.id %> ./mine.yaml --on kernel --times 5',
    '<%= config.bin %> <%= command.id %> cable-pulled --html cable-pulled.html',
    '<%= config.bin %> <%= command.id %> --all --quiet --html pictures/ --junit drills.xml',
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = { scenario: Args.string({ description: 'names or files' }) };
  static override flags = {
    on: Flags.option({
      options: ['simulator', 'kernel'] as const,
      description: 'the lab',
      default: 'simulator' as const,
    })(),
    all: Flags.boolean({ description: 'every scenario that comes with baton', default: false }),
    times: Flags.integer({ description: 'so many times in a row', default: 1, min: 1 }),
    html: Flags.string({ description: HTML_HELP, helpValue: '<file>' }),
    junit: Flags.string({ description: 'the verdicts as JUnit XML', helpValue: '<file>' }),
    record: Flags.string({
      description: 'flight recordings of all daemons into this directory, for scenario replay',
      helpValue: '<directory>',
    }),
    quiet: Flags.boolean({ char: 'q', description: 'only the verdicts', default: false }),
  };

  async run(): Promise<DrillReport[]> {
    const { argv, flags } = await this.parse(ScenarioRun);
    const names = flags.all ? listScenarios() : (argv as string[]);
    if (names.length === 0)
      throw new Failure('which scenario? name one, or say --all; baton scenario list shows them', EXIT.usage);
    const scenarios = names.map((name) => loadScenario(name));
    const paint = paintFor(process.stdout);
    const reports: DrillReport[] = [];
    await interruptible(async (signal) => {
      for (let round = 0; round < flags.times; round++) {
        for (const scenario of scenarios) {
          if (signal.aborted) return;
          const isOne = flags.times * scenarios.length === 1;
          const record = flags.record && (isOne ? flags.record : join(flags.record, `${scenario.name}-${round + 1}`));
          reports.push(await this.one(scenario, flags.on, flags.quiet, paint, { signal, ...(record && { record }) }));
        }
      }
    });
    if (reports.length > 1) for (const line of summaryText(reports, paint)) this.log(line);
    if (flags.html !== undefined) this.log(`picture: ${await writePictures(reports, flags.html)}`);
    if (flags.junit !== undefined) this.log(`JUnit: ${await writeJunit(reports, flags.junit)}`);
    const nothingRan = reports.every(({ verdict }) => verdict === 'skipped');
    if (nothingRan || reports.some(({ verdict }) => verdict === 'failed')) process.exitCode = EXIT.refused;
    return reports;
  }

  private async one(
    scenario: Scenario,
    on: LabName,
    quiet: boolean,
    paint: Paint,
    options: Pick<DrillOptions, 'signal' | 'record'>,
  ): Promise<DrillReport> {
    const report = await this.drill(scenario, on, quiet, paint, options);
    for (const line of verdictText(report, paint, quiet)) this.log(line);
    return report;
  }

  private async drill(
    scenario: Scenario,
    on: LabName,
    quiet: boolean,
    paint: Paint,
    options: Pick<DrillOptions, 'signal' | 'record'>,
  ): Promise<DrillReport> {
    if (!scenario.labs.includes(on)) return skipped(scenario, on, scenario.why ?? `not for the ${on} lab`);
    const { openLab } = await import('../../../drill/labs.js');
    const lab = await openLab(on, scenario);
    if (typeof lab === 'string') return skipped(scenario, on, lab);
    if (!quiet) this.log(paint.bold(`${scenario.name}: ${scenario.title} (${on})`));
    return runDrill(scenario, lab, {
      ...(quiet ? {} : { onLine: (line) => this.log(lineText(line, paint)) }),
      ...options,
    });
  }
}
