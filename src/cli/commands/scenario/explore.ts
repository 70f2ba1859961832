import { Flags } from '@oclif/core';
import type { SeedReport } from '../../../drill/explorer/exploration.js';
import { BatonCommand, EXIT, Failure } from '../../command.js';
import { interruptible } from '../../interruption.js';

const SEEDS = /^(\d+)(?:\.\.(\d+))?$/;

export default class ScenarioExplore extends BatonCommand {
  static override summary = 'try drawn clusters under drawn blows in the simulator, and check what must always hold';
  static override description =
    'Each seed draws a cluster, its wiring and a schedule of blows; then all is healed and the cluster must come to peace. The same seed is the same story.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --seeds 1..100 --jobs 2',
    '<%= config.bin %> <%= command.id %> --minutes 5',
    '<%= config.bin %> <%= command.id %> --seeds 17..17 --trace',
  ];
  static override flags = {
    seeds: Flags.string({ description: 'from..to, or one', exclusive: ['minutes'] }),
    minutes: Flags.integer({ description: 'new seeds for so long', min: 1 }),
    jobs: Flags.integer({ description: 'side by side', default: 1, min: 1 }),
    trace: Flags.boolean({ description: 'print what was drawn and all that happened', default: false }),
    json: Flags.boolean({ description: 'one line of JSON a seed', default: false, exclusive: ['trace'] }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ScenarioExplore);
    const { from, to } = this.range(flags.seeds, flags.minutes);
    const { exploreSeed } = await import('../../../drill/explorer/exploration.js');
    const { explore } = await import('../../../drill/explorer/jobs.js');
    const startedAt = Date.now();
    const total = { seeds: 0, violated: 0, simulatedMs: 0 };
    const told = (report: SeedReport): void => {
      total.seeds++;
      total.simulatedMs += report.simulatedMs;
      if (report.violations.length > 0) total.violated++;
      this.tell(report, flags.json);
    };
    await interruptible(async (signal) => {
      if (flags.trace) {
        for (let seed = from; seed <= to && !signal.aborted; seed++) {
          const explored = await exploreSeed(seed);
          this.log(explored.story);
          told(explored);
        }
        return;
      }
      const deadline = flags.minutes === undefined ? Infinity : startedAt + flags.minutes * 60_000;
      await explore({ from, to, deadline, jobs: flags.jobs, onSeed: told, signal });
    });
    if (!flags.json) {
      const times = total.simulatedMs / Math.max(1, Date.now() - startedAt);
      const hours = (total.simulatedMs / 3_600_000).toFixed(2);
      this.log(
        `${total.seeds} seeds, ${hours} h simulated, ${times.toFixed(0)} × real time, ${total.violated} violated`,
      );
    }
    if (total.violated > 0) process.exitCode = EXIT.refused;
  }

  private range(seeds: string | undefined, minutes: number | undefined): { from: number; to: number } {
    if (seeds === undefined) {
      if (minutes === undefined) return { from: 1, to: 20 };
      return { from: Math.floor(Math.random() * 1e9), to: Infinity };
    }
    const match = SEEDS.exec(seeds);
    if (!match) throw new Failure(`"${seeds}" are no seeds; write 1..100, or one number`, EXIT.usage);
    const from = Number(match[1]);
    const to = match[2] === undefined ? from : Number(match[2]);
    if (to < from) throw new Failure(`--seeds ${seeds} is empty; write the smaller number first`, EXIT.usage);
    return { from, to };
  }

  private tell(report: SeedReport, json: boolean): void {
    if (json) {
      const { seed, traceHash, simulatedMs, violations } = report;
      this.log(JSON.stringify({ seed, traceHash, simulatedMs, violations }));
      return;
    }
    for (const { invariant, at, text } of report.violations)
      this.log(`seed ${report.seed}: ${invariant} at ${at.toFixed(3)} ms: ${text}`);
    if (report.violations.length > 0)
      this.log(`  again: baton scenario explore --seeds ${report.seed}..${report.seed} --trace`);
  }
}
